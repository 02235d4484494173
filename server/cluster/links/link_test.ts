import assert from "node:assert/strict";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { silent } from "../../../base/logger.ts";
import {
  join,
  lite,
  RawPeer,
  type TestRelay,
  testRelay,
  tick,
  Viewer,
} from "../../../session/peers_test.ts";
import { ConnectFailed } from "../../../transport/errors.ts";
import { type MemoryConnection, memoryPair } from "../../../transport/memory/memory.ts";
import type { LiteVersion } from "../../../wire/lite/dialect.ts";
import { Link, type LinkOptions } from "./link.ts";
import { alpnOf } from "../../../wire/versions.ts";

/** A link over memory pairs: who is dialed, and the connections so far. */
function linkTo(
  above: TestRelay | undefined,
  below: TestRelay,
  options: Partial<LinkOptions> & { readonly version?: LiteVersion } = {},
) {
  const dialed: string[] = [];
  const ends: MemoryConnection[] = [];
  const target = { above };
  const link = new Link({
    url: "moqt://a.example:4433/x?jwt=secret&token=other",
    relay: below.relay,
    role: "parent",
    cost: 1,
    backoff: () => ({ minMs: 1000, maxMs: 8000 }),
    log: silent,
    clock: below.clock,
    random: () => 1,
    dial: (url) => {
      dialed.push(url);
      if (target.above === undefined) {
        return Promise.reject(new ConnectFailed(url, "refused"));
      }
      const [near, far] = memoryPair({ protocol: alpnOf(lite(options.version ?? 6).name) });
      ends.push(near);
      void target.above.relay.accept(far);
      return Promise.resolve({ connection: near, url });
    },
    ...options,
  });
  const running = link.run();
  return { link, running, dialed, ends, target };
}

/** Two relays on one clock. */
function two(): [TestRelay, TestRelay] {
  const clock = new ManualClock();
  return [testRelay({ hop: 1001n, clock }), testRelay({ hop: 1002n, clock })];
}

for (const version of [6, 5, 4, 3] as const) {
  Deno.test(`over 0${version}, announcements flow both ways and a track is fetched once for all viewers`, async () => {
    const [a, b] = two();
    const { link } = linkTo(a, b, { version });
    await tick();
    assert.equal(link.state, "connected");
    const above = await join(a, 6);
    const below = await join(b, 6);
    const top = above.client.publish("top").track("v");
    const bottom = below.client.publish("bottom").track("v");
    await tick(3);
    const heard = [above, below].map(({ client }) => client.announced());
    const news = await Promise.all(heard.map((one) => one.next()));
    assert.deepEqual(news.map((one) => one?.path), ["bottom", "top"]);

    const viewers = await Promise.all(Array.from({ length: 5 }, () => join(b, 6)));
    const watching = viewers.map(({ client }) => new Viewer(client.subscribe("top", "v")));
    const up = new Viewer((await join(a, 5)).client.subscribe("bottom", "v"));
    await tick(3);
    top.write("down");
    bottom.write("up");
    await tick(3);
    assert.deepEqual(watching.map((v) => v.text(0)), Array(5).fill("down"));
    assert.equal(up.text(0), "up");
    assert.equal(b.relay.stats.upstreamSubscriptions, 2);
    assert.equal(top.subscribers, 1);
    for (const { subscription } of watching) subscription.close();
    await tick(3);
    assert.equal(top.subscribers, 0);
    link.stop();
    await tick();
    assert.equal(link.state, "stopped");
    await a.relay.close();
    await b.relay.close();
  });
}

Deno.test("a link that cannot be made is tried again, with twice the wait each time and jitter", async () => {
  const [a, b] = two();
  const { link, dialed, target } = linkTo(undefined, b);
  await tick();
  assert.deepEqual([link.state, link.attempts, link.connected], ["waiting", 1, 0]);
  for (const [i, waitMs] of [1000, 2000, 4000, 8000, 8000].entries()) {
    b.clock.advance(waitMs - 1);
    await tick();
    assert.equal(dialed.length, i + 1);
    b.clock.advance(1);
    await tick();
    assert.equal(dialed.length, i + 2);
  }
  target.above = a;
  b.clock.advance(8000);
  await tick();
  assert.deepEqual([link.state, link.attempts, link.connected], ["connected", 7, 1]);
  assert.equal(link.lastError, undefined);
  link.stop();
  await a.relay.close();
  await b.relay.close();
});

Deno.test("jitter halves the wait at most", async () => {
  const [, b] = two();
  const { dialed, link } = linkTo(undefined, b, { random: () => 0 });
  await tick();
  b.clock.advance(499);
  await tick();
  assert.equal(dialed.length, 1);
  b.clock.advance(1);
  await tick();
  assert.equal(dialed.length, 2);
  link.stop();
  await b.relay.close();
});

Deno.test("a link that is lost is made again, and its viewers go on", async () => {
  const [a, b] = two();
  const { link, ends } = linkTo(a, b);
  await tick();
  const publisher = await join(a, 6);
  const track = publisher.client.publish("top").track("v");
  await tick(3);
  const watch = new Viewer((await join(b, 6)).client.subscribe("top", "v"));
  await tick(3);
  track.write("0");
  await tick(3);
  b.clock.advance(11_000); // long enough up to begin with the shortest wait again
  await tick();
  ends[0]!.drop();
  await tick(3);
  assert.deepEqual([link.state, link.session], ["waiting", undefined]);
  b.clock.advance(1000);
  await tick(3);
  assert.deepEqual([link.state, link.connected], ["connected", 2]);
  track.write("1");
  await tick(3);
  assert.deepEqual([watch.text(0), watch.text(1), watch.end], ["0", "1", undefined]);
  link.stop();
  await a.relay.close();
  await b.relay.close();
});

Deno.test("asked to go away, the next session is up before the old one is left", async () => {
  const [a, b] = two();
  const { link, target, ends, dialed } = linkTo(a, b);
  await tick();
  const publisher = await join(a, 6, {}, { hop: 5n });
  const track = publisher.client.publish("top").track("v");
  await tick(3);
  const watch = new Viewer((await join(b, 6)).client.subscribe("top", "v"));
  await tick(3);
  track.write("0");
  await tick(3);
  b.clock.advance(11_000);
  // Another relay that has the same publisher stands ready at the same host.
  const next = testRelay({ hop: 1003n, clock: b.clock });
  const twin = (await join(next, 6, {}, { hop: 5n })).client.publish("top").track("v");
  twin.group(0).close();
  await tick(3);
  target.above = next;
  const [aboveSession] = a.relay.sessions();
  void aboveSession!.session.goaway("moqt://a.example:4444/y");
  await tick(3);
  assert.deepEqual(dialed.slice(1), ["moqt://a.example:4444/y"]);
  assert.deepEqual([link.state, link.connected], ["connected", 2]);
  assert.equal(ends[0]!.openStreams.receiving > 0, true, "the old link still serves");
  twin.write("1");
  await tick(3);
  assert.deepEqual([watch.text(1), watch.end], ["1", undefined]);
  b.clock.advance(10_000);
  await tick(3);
  assert.equal((await ends[0]!.closed).code, 0);
  assert.equal(link.state, "connected");
  twin.write("2");
  await tick(3);
  assert.equal(watch.text(2), "2");
  link.stop();
  for (const at of [a, b, next]) await at.relay.close();
});

Deno.test("an upstream relay that drains ends nothing for the viewers below: they go on by the next one", async () => {
  const [a, b] = two();
  const { link, target } = linkTo(a, b);
  await tick();
  const publisher = await join(a, 6, {}, { hop: 5n });
  const track = publisher.client.publish("top").track("v");
  await tick(3);
  const watch = new Viewer((await join(b, 6)).client.subscribe("top", "v"));
  await tick(3);
  track.write("0");
  await tick(3);
  b.clock.advance(11_000);
  const next = testRelay({ hop: 1003n, clock: b.clock });
  target.above = next;
  const drained = a.relay.drain(5000);
  for (let i = 0; i < 40; i++) {
    b.clock.advance(25);
    await tick();
  }
  await drained;
  assert.equal(watch.end, undefined, "the end of the old link is not the end of the track");
  // The publisher has followed as well, a moment later.
  const twin = (await join(next, 6, {}, { hop: 5n })).client.publish("top").track("v");
  twin.group(0).close();
  await tick(3);
  b.clock.advance(1000);
  await tick(3);
  twin.write("1");
  await tick(3);
  assert.deepEqual([watch.text(0), watch.text(1), watch.end], ["0", "1", undefined]);
  link.stop();
  for (const at of [b, next]) await at.relay.close();
});

Deno.test("a redirect to another host is not followed", async () => {
  const [a, b] = two();
  const { link, dialed } = linkTo(a, b);
  await tick();
  b.clock.advance(11_000);
  const [above] = a.relay.sessions();
  void above!.session.goaway("moqt://evil.example:4433/");
  b.clock.advance(500);
  await tick(3);
  assert.deepEqual(dialed, Array(2).fill("moqt://a.example:4433/x?jwt=secret&token=other"));
  link.stop();
  await a.relay.close();
  await b.relay.close();
});

Deno.test("a relay that sends everybody away at once is not dialed in a tight loop", async () => {
  const [, b] = two();
  let dials = 0;
  const link = new Link({
    url: "moqt://a.example/",
    relay: b.relay,
    role: "parent",
    cost: 1,
    backoff: () => ({ minMs: 1000, maxMs: 8000 }),
    log: silent,
    clock: b.clock,
    random: () => 1,
    dial: async (url) => {
      dials++;
      const [near, far] = memoryPair({ protocol: "moq-lite-04" });
      await new RawPeer(far).bidi("05 01 00", true);
      return { connection: near, url };
    },
  });
  void link.run();
  await tick(5);
  assert.equal(dials, 1);
  b.clock.advance(1000);
  await tick(5);
  assert.equal(dials, 2);
  link.stop();
  await b.relay.close();
});

Deno.test("stop() during a dial, a handshake or a wait ends it", async () => {
  const [, b] = two();
  const dialing = linkTo(undefined, b, {
    dial: (_url, signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  });
  const [near] = memoryPair({ protocol: "moql" });
  const greeting = linkTo(undefined, b, {
    dial: (url) => Promise.resolve({ connection: near, url }),
  });
  const waiting = linkTo(undefined, b);
  await tick();
  for (const { link } of [dialing, greeting, waiting]) link.stop();
  await dialing.running;
  await greeting.running;
  await waiting.running;
  assert.deepEqual(
    [dialing, greeting, waiting].map(({ link }) => link.state),
    ["stopped", "stopped", "stopped"],
  );
  await b.relay.close();
});

Deno.test("tokens in the URL are shown nowhere", async () => {
  const [, b] = two();
  const { link } = linkTo(undefined, b);
  await tick();
  assert.equal(link.url, "moqt://a.example:4433/x?jwt=***&token=***");
  assert.ok(link.lastError?.includes("refused"));
  assert.ok(!link.lastError?.includes("secret"));
  link.stop();
  await b.relay.close();
});

Deno.test("in a tree of three relays a frame of the root reaches every leaf by one copy per link", async () => {
  const clock = new ManualClock();
  const [root, left, right] = [1001n, 1002n, 1003n].map((hop) => testRelay({ hop, clock }));
  const links = [linkTo(root!, left!), linkTo(root!, right!)];
  await tick();
  const publisher = await join(left!, 2);
  const track = publisher.client.publish("a").track("v");
  await tick(3);
  const watching: Viewer[] = [];
  for (const at of [root!, left!, right!]) {
    for (const version of [2, 4, 6] as const) {
      watching.push(new Viewer((await join(at, version)).client.subscribe("a", "v")));
    }
  }
  await tick(3);
  for (let i = 0; i < 10; i++) {
    track.write(`frame ${i}`);
    await tick(3);
  }
  for (const viewer of watching) {
    assert.equal(viewer.whole.length, 10);
    assert.equal(viewer.text(9), "frame 9");
  }
  const sent = [root, left, right].map((at) => at!.relay.stats.groupsOut);
  assert.deepEqual(sent, [40, 40, 30]); // three viewers each, and one link further
  await publisher.client.close();
  await tick(3);
  assert.deepEqual([root, left, right].map((at) => at!.relay.origin.size), [0, 0, 0]);
  for (const { link } of links) link.stop();
  for (const at of [root, left, right]) await at!.relay.close();
});
