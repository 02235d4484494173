import assert from "node:assert/strict";
import { ManualClock } from "../tests/support/manual_clock.ts";
import {
  join,
  lite,
  type TestRelay,
  testRelay,
  tick,
  VERSIONS,
  Viewer,
} from "../session/peers_test.ts";
import { ConnectFailed } from "../transport/errors.ts";
import { type MemoryConnection, memoryPair } from "../transport/memory/memory.ts";
import { Client } from "./client.ts";
import { Server } from "./serve.ts";
import type { Subscription } from "./subscription.ts";
import { alpnOf } from "../wire/versions.ts";

/** Advances time in steps, so that its effects can run. */
async function pass(at: TestRelay, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    at.clock.advance(Math.min(500, left));
    await tick();
  }
}

/** The message of a subscription that fails. */
async function failureOf(subscription: Subscription): Promise<string> {
  const error = await subscription.group().catch((error: unknown) => error);
  assert.ok(error instanceof Error, "it did not fail");
  return error.message;
}

for (const version of VERSIONS) {
  Deno.test(`0${version}: a subscription waits until its broadcast is announced, however long that takes`, async () => {
    const at = testRelay();
    const publisher = (await join(at, version)).client;
    const viewer = (await join(at, version)).client;
    const watch = new Viewer(viewer.subscribe("room/bob", "v"));
    await pass(at, 20_000);
    publisher.publish("room/alice").track("v").write("not this one");
    await tick();
    assert.deepEqual([watch.end, watch.groups.size], [undefined, 0]);
    publisher.publish("room/bob").track("v").write("here");
    await tick(2);
    assert.equal(watch.text(0), "here");
    watch.subscription.close();
    await at.relay.close();
  });

  Deno.test(`0${version}: waitMs ends the wait, and 0 does not wait at all`, async () => {
    const at = testRelay();
    const publisher = (await join(at, version)).client;
    const viewer = (await join(at, version)).client;
    const reason = "Cannot read track v: nobody publishes room/bob yet";
    assert.equal(await failureOf(viewer.subscribe("room/bob", "v", { waitMs: 0 })), reason);
    const short = new Viewer(viewer.subscribe("room/bob", "v", { waitMs: 1000 }));
    const long = new Viewer(viewer.subscribe("room/bob", "v", { waitMs: 3000 }));
    await pass(at, 950);
    assert.equal(short.end, undefined);
    await pass(at, 50);
    assert.equal(short.end, "unannounced");
    assert.equal(await failureOf(short.subscription), reason);
    publisher.publish("room/bob").track("v").write("here");
    await pass(at, 5000);
    assert.deepEqual([long.text(0), long.end], ["here", undefined]);
    long.subscription.close();
    await at.relay.close();
  });

  Deno.test(`0${version}: a track that an announced broadcast does not have is refused at once`, async () => {
    const at = testRelay();
    const publisher = (await join(at, version)).client;
    publisher.publish("room/bob");
    await tick();
    const viewer = (await join(at, version)).client;
    await tick();
    const watch = new Viewer(viewer.subscribe("room/bob", "nothing"));
    await tick(2);
    assert.equal(watch.end, "not-found");
    await at.relay.close();
  });

  Deno.test(`0${version}: a broadcast whose publisher goes away for good fails its subscription, and the next one waits`, async () => {
    const at = testRelay();
    const first = await join(at, version);
    const viewer = (await join(at, version)).client;
    first.client.publish("room/bob").track("v").group().write("one");
    await tick();
    const watch = new Viewer(viewer.subscribe("room/bob", "v"));
    await tick(2);
    first.near.drop();
    await pass(at, 10_000);
    assert.match(
      await failureOf(watch.subscription),
      /^Cannot read track v: room\/bob was cut off: the publisher has gone$/,
    );
    const again = new Viewer(viewer.subscribe("room/bob", "v"));
    await pass(at, 1000);
    assert.equal(again.end, undefined);
    (await join(at, version)).client.publish("room/bob").track("v").write("back");
    await tick(2);
    assert.equal(again.text(0), "back");
    again.subscription.close();
    await at.relay.close();
  });

  Deno.test(`0${version}: the wait goes on over the next session of a client that reconnects`, async () => {
    const at = testRelay();
    const ends: MemoryConnection[] = [];
    let away = false;
    const dialer = (url: URL) => {
      if (away) return Promise.reject(new ConnectFailed(url.href, "nobody is there"));
      const [near, far] = memoryPair({ protocol: alpnOf(lite(version).name) });
      void at.relay.accept(far);
      ends.push(near);
      return Promise.resolve(near);
    };
    const viewer = await Client.dial("moqt://relay.example/", dialer, {
      versions: [lite(version).name],
      clock: at.clock,
      reconnect: { random: () => 1, maxMs: 1000 },
    });
    const before = new Viewer(viewer.subscribe("room/bob", "v"));
    await tick();
    away = true;
    ends[0]!.drop();
    await tick();
    const between = new Viewer(viewer.subscribe("room/bob", "v"));
    await pass(at, 15_000);
    away = false;
    await pass(at, 15_000);
    assert.equal(viewer.status.state, "connected");
    assert.deepEqual([before.end, between.end], [undefined, undefined]);
    (await join(at, version)).client.publish("room/bob").track("v").write("here");
    await tick(3);
    assert.deepEqual([before.text(0), between.text(0)], ["here", "here"]);
    await viewer.close();
    await at.relay.close();
  });
}

Deno.test("an announcement that overtakes the refusal has the track asked for again", async () => {
  const at = testRelay();
  const publisher = (await join(at, 6)).client;
  const viewer = (await join(at, 6)).client;
  const watches: Viewer[] = [];
  for (let n = 0; n < 20; n++) {
    // Both are in flight at once. Which one the relay gets first depends on microtasks.
    watches.push(new Viewer(viewer.subscribe(`room/${n}`, "v")));
    for (let i = 0; i < n; i++) await Promise.resolve();
    publisher.publish(`room/${n}`).track("v").write(`${n}`);
    await tick();
  }
  await tick(3);
  assert.deepEqual(watches.map((watch) => watch.text(0)), watches.map((_, n) => `${n}`));
  await at.relay.close();
});

Deno.test("a broadcast announced and refused while only one above it was there is waited for", async () => {
  const at = testRelay();
  const publisher = (await join(at, 6)).client;
  const viewer = (await join(at, 6)).client;
  publisher.publish("room").track("v").write("the room");
  await tick();
  const watch = new Viewer(viewer.subscribe("room/bob", "v"));
  await tick(2);
  assert.equal(watch.end, undefined);
  publisher.publish("room/bob").track("v").write("bob");
  await tick(2);
  assert.equal(watch.text(0), "bob");
  await at.relay.close();
});

Deno.test("what is hidden is announced to nobody, and is waited for all the same", async () => {
  const clock = new ManualClock();
  const server = new Server({ clock });
  const [near, far] = memoryPair({ protocol: "moq-lite-06" });
  void server.accept(far);
  const viewer = await Client.over(near, { clock });
  const watch = new Viewer(viewer.subscribe("room/.keys", "v"));
  await tick(2);
  server.publish("room/.keys").track("v").write("hidden");
  clock.advance(1000);
  await tick(3);
  assert.equal(watch.text(0), "hidden");
  await viewer.close();
  await server.close();
});

Deno.test("a wait ends with its signal, with the subscription, and with the client", async () => {
  const at = testRelay();
  const viewer = (await join(at, 6)).client;
  const end = new AbortController();
  const aborted = viewer.subscribe("bob", "v", { signal: end.signal }).group();
  const closed = viewer.subscribe("bob", "v");
  const next = closed.group();
  const left = new Viewer(viewer.subscribe("bob", "v"));
  await tick();
  end.abort(new Error("enough"));
  closed.close();
  await assert.rejects(aborted, /^Error: enough$/);
  assert.equal(await next, undefined);
  await viewer.close();
  await tick();
  assert.equal(left.end, "lost");
  assert.match(
    await failureOf(left.subscription),
    /the session is over, and nobody has published bob until then/,
  );
  const late = new Viewer(viewer.subscribe("bob", "v"));
  await tick();
  assert.equal(late.end, "lost");
  assert.throws(() => viewer.subscribe("bob", "v", { waitMs: -1 }), RangeError);
  assert.throws(() => viewer.subscribe("bob", "v", { waitMs: NaN }), RangeError);
  await at.relay.close();
});

Deno.test("fetch() and trackInfo() do not wait, and say that nobody publishes it", async () => {
  const at = testRelay();
  const publisher = (await join(at, 6)).client;
  const viewer = (await join(at, 6)).client;
  const message = (asked: Promise<unknown>) => asked.catch((error: Error) => error.message);
  assert.equal(
    await message(viewer.fetch("room/bob", "v", 3)),
    "Cannot find group 3 of track v: nobody publishes room/bob yet",
  );
  assert.equal(
    await message(viewer.trackInfo("room/bob", "v")),
    "Cannot find track v: nobody publishes room/bob yet",
  );
  publisher.publish("room/bob").track("v");
  await tick(2);
  assert.equal(
    await message(viewer.fetch("room/bob", "v", 3)),
    "Cannot find group 3 of track v of room/bob",
  );
  await at.relay.close();
});
