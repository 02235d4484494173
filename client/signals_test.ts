import assert from "node:assert/strict";
import { join, testRelay, tick, Viewer } from "../session/peers_test.ts";
import { memoryPair } from "../transport/memory/memory.ts";
import { Client } from "./client.ts";
import type { Connection } from "../transport/connection.ts";

async function pair() {
  const at = testRelay();
  const publisher = (await join(at, 6)).client;
  const viewer = (await join(at, 6)).client;
  const broadcast = publisher.publish("a");
  const track = broadcast.track("v");
  await tick();
  return { at, publisher, viewer, broadcast, track };
}

const why = new Error("enough");

/** The error of a wait that is aborted. */
async function givenUp(wait: (signal: AbortSignal) => Promise<unknown>): Promise<unknown> {
  const over = new AbortController();
  const waiting = wait(over.signal).then(() => "done", (error) => error);
  await tick();
  over.abort(why);
  return await waiting;
}

Deno.test("a wait for a group that is given up leaves the subscription as it was", async () => {
  const { at, viewer, track } = await pair();
  const subscription = viewer.subscribe("a", "v");
  assert.equal(await givenUp((signal) => subscription.group({ signal })), why);
  await assert.rejects(subscription.group({ signal: AbortSignal.abort(why) }), why);
  track.write("0");
  assert.equal((await subscription.group())?.sequence, 0);
  await at.relay.close();
});

Deno.test("a wait for a frame that is given up goes on in the middle of it", async () => {
  const { at, viewer, track } = await pair();
  const subscription = viewer.subscribe("a", "v");
  await tick();
  const group = track.group();
  const reader = (await subscription.group())!;
  assert.equal(await givenUp((signal) => reader.frame({ signal })), why);
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);
  group.write(bytes);
  group.close();
  assert.deepEqual((await reader.frame())?.payload, bytes);
  assert.equal(await reader.frame(), undefined);
  await at.relay.close();
});

Deno.test("the signal of a subscription leaves the track and tells whoever waits", async () => {
  const { at, viewer, track } = await pair();
  let subscribers = -1;
  const end = await givenUp((signal) => {
    const subscription = viewer.subscribe("a", "v", { signal });
    return tick().then(() => {
      subscribers = track.subscribers;
      return subscription.group();
    });
  });
  assert.equal(end, why);
  await tick();
  assert.deepEqual([subscribers, track.subscribers], [1, 0]);
  const aborted = viewer.subscribe("a", "v", { signal: AbortSignal.abort(why) });
  await assert.rejects(aborted.group(), why);
  await tick();
  assert.equal(track.subscribers, 0);
  await at.relay.close();
});

Deno.test("announced() ends with its signal; a single wait can be given up alone", async () => {
  const { at, publisher, viewer } = await pair();
  const news = viewer.announced();
  assert.equal((await news.next())?.path, "a");
  assert.equal(await givenUp((signal) => news.next({ signal })), why);
  publisher.publish("b");
  assert.equal((await news.next())?.path, "b");
  const end = await givenUp(async (signal) => {
    for await (const _ of viewer.announced("nothing", { signal })) assert.fail("there is nothing");
  });
  assert.equal(end, why);
  await at.relay.close();
});

Deno.test("fetch(), trackInfo(), probe() and close() are given up with their signal", async () => {
  const [near] = memoryPair({ protocol: "moq-lite-06" }); // nobody answers
  const client = await Client.over(near);
  assert.equal(await givenUp((signal) => client.fetch("a", "v", 0, { signal })), why);
  assert.equal(await givenUp((signal) => client.trackInfo("a", "v", { signal })), why);
  assert.equal(await givenUp((signal) => client.probe({ signal })), why);
  await assert.rejects(client.close(0, "", { signal: AbortSignal.abort(why) }), why);
  await client.closed;
});

Deno.test("dial() is given up while it connects, and while the handshake runs", async () => {
  const never = () => new Promise<Connection>(() => {});
  const hanging = givenUp((signal) =>
    Client.dial("moqt://a/", (_, own) =>
      Promise.race([
        never(),
        new Promise<never>((_, reject) => own.addEventListener("abort", () => reject(own.reason))),
      ]), { signal })
  );
  assert.equal(await hanging, why);
  const [near, far] = memoryPair({ protocol: "moql" }); // its handshake needs an answer
  const shaking = givenUp((signal) =>
    Client.dial("moqt://a/", () => Promise.resolve(near), { signal })
  );
  assert.equal(await shaking, why);
  await far.closed;
  await assert.rejects(Client.dial("moqt://a/", never, { signal: AbortSignal.abort(why) }), why);
});

Deno.test("trackInfo() tells what the publisher said of its track", async () => {
  const { at, viewer, broadcast } = await pair();
  broadcast.track("audio", { timescale: 48_000, maxAgeMs: 700, priority: 3 });
  const info = { timescale: 48_000, maxAgeMs: 700, priority: 3 };
  assert.deepEqual(await viewer.trackInfo("/a", "audio"), info);
  await assert.rejects(viewer.trackInfo("a", "nothing"), { code: "QUMO_NOT_FOUND" });
  const subscription = viewer.subscribe("a", "audio");
  await tick();
  assert.deepEqual(subscription.info, info);
  await at.relay.close();
});

Deno.test("ontrack may make its track later; one that does not, or throws, refuses", async () => {
  const at = testRelay();
  const publisher = (await join(at, 6)).client;
  const viewer = (await join(at, 6)).client;
  publisher.publish("a", {
    ontrack: async (name, broadcast) => {
      if (name === "sync") throw new Error("never");
      await tick();
      if (name === "late") broadcast.track(name, { timescale: 10 }).write("made");
      if (name === "fails") throw new Error("no such camera");
    },
  });
  await tick();
  const names = ["late", "none", "fails", "sync"];
  const watching = names.map((name) => new Viewer(viewer.subscribe("a", name)));
  const infos = names.map((name) => viewer.trackInfo("a", name).catch((error) => error.code));
  await tick(4);
  assert.equal(watching[0]!.text(0), "made");
  assert.deepEqual(watching.slice(1).map(({ end }) => end), Array(3).fill("not-found"));
  const [late, ...refused] = await Promise.all(infos);
  assert.equal(late.timescale, 10);
  assert.deepEqual(refused, Array(3).fill("QUMO_NOT_FOUND"));
  await at.relay.close();
});

Deno.test("a track that is aborted fails for its readers with the reason's kind", async () => {
  const { at, viewer, track } = await pair();
  const watch = new Viewer(viewer.subscribe("a", "v"));
  await tick();
  track.write("0");
  await tick();
  track.skip(2);
  assert.equal(track.nextGroup, 3);
  track.abort("the camera is gone");
  await tick();
  assert.equal(watch.text(0), "0");
  assert.notEqual(watch.end, undefined);
  assert.throws(() => track.group(), RangeError);
  await at.relay.close();
});
