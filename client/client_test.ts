import assert from "node:assert/strict";
import { GroupTooLarge, NotFound, SourceLost } from "../relay/errors.ts";
import { NoCommonVersion } from "../session/errors.ts";
import { join, lite, RawPeer, testRelay, tick, Viewer } from "../session/peers_test.ts";
import { ConnectionClosed } from "../transport/errors.ts";
import { memoryPair } from "../transport/memory/memory.ts";
import { ProtocolViolation } from "../wire/errors.ts";
import { Client } from "./client.ts";
import { GroupCut } from "./frames.ts";
import { type DatagramGroup, TrackFailed } from "./subscription.ts";

/** A publisher and a viewer of the newest version at a relay. */
async function pair(from: 5 | 6 = 6, to: 5 | 6 = 6) {
  const at = testRelay();
  const publisher = await join(at, from);
  const viewer = await join(at, to);
  return { at, publisher: publisher.client, viewer: viewer.client, end: viewer };
}

Deno.test("announced() tells what there is below a prefix, then every change, and ends when closed", async () => {
  const { at, publisher, viewer } = await pair();
  publisher.publish("room/alice");
  publisher.publish("hall/carol");
  await tick();
  const heard = viewer.announced("/room/");
  assert.deepEqual((await heard.next())?.path, "room/alice");
  const bob = publisher.publish("room/bob");
  const next = await heard.next();
  assert.deepEqual([next?.path, next?.active], ["room/bob", true]);
  assert.equal(next?.hops.at(-1), 777n);
  bob.close();
  assert.deepEqual(await heard.next(), { path: "room/bob", active: false, hops: [] });
  const waiting = heard.next();
  heard.close();
  assert.equal(await waiting, undefined);
  for await (const _ of heard) assert.fail("it is closed");
  await at.relay.close();
});

Deno.test("what a client asked for itself does not appear as announced", async () => {
  const { at, publisher, viewer } = await pair();
  const refused = new Viewer(viewer.subscribe("room/later", "v", { waitMs: 0 }));
  await tick();
  assert.equal(refused.end, "unannounced");
  const heard = viewer.announced();
  const first = heard.next();
  const broadcast = publisher.publish("room/later");
  broadcast.track("v").write("now");
  assert.deepEqual((await first)?.path, "room/later");
  const watch = new Viewer(viewer.subscribe("room/later", "v"));
  await tick();
  assert.equal(watch.text(0), "now");
  await at.relay.close();
});

Deno.test("subscribe() works at a publisher that has not announced yet", async () => {
  const [near, far] = memoryPair({ protocol: "moq-lite-06" });
  const peer = new RawPeer(far);
  const starting = Client.over(near, { versions: [lite(6).name] });
  await peer.uni("01 01 00", true);
  const client = await starting;
  const watch = new Viewer(client.subscribe("/a/", "v"));
  await tick();
  const [, track, subscribe] = peer.bidis; // behind ANNOUNCE_REQUEST
  await track!.hears('06 04 01 "a" 01 "v"');
  await subscribe!.hears('02 0b 00 01 "a" 01 "v" 80 00 00 00 00 00');
  await peer.uni('00 03 00 00 00 00 02 "hi"', true);
  await tick();
  assert.equal(watch.text(0), "hi");
  await client.close();
});

Deno.test("groups may run side by side, come out of order, and have gaps", async () => {
  const { at, publisher, viewer } = await pair();
  const track = publisher.publish("a").track("v");
  await tick();
  const watch = new Viewer(viewer.subscribe("a", "v"));
  await tick();
  const [ten, twelve, eleven] = [track.group(10), track.group(12), track.group(11)];
  for (const text of ["x", "y"]) {
    for (const group of [twelve, ten, eleven]) {
      group.write(`${group.sequence}${text}`);
      await tick();
    }
  }
  twelve.close();
  track.group(20).close();
  await tick();
  assert.deepEqual([...watch.groups.keys()].sort(), [10, 11, 12, 20]);
  assert.deepEqual(watch.whole, [12, 20]);
  ten.close();
  eleven.close();
  await tick();
  assert.deepEqual([10, 11, 12].map((n) => watch.text(n)), ["10x,10y", "11x,11y", "12x,12y"]);
  assert.throws(() => track.group(11), RangeError);
  assert.equal(track.group().sequence, 21);
  await at.relay.close();
});

for (const [from, to] of [[6, 6], [5, 6], [6, 5], [5, 5]] as const) {
  Deno.test(`datagrams go from 0${from} to 0${to} with their timestamps, and not among the groups`, async () => {
    const { at, publisher, viewer } = await pair(from, to);
    const track = publisher.publish("a").track("v");
    await tick();
    const subscription = viewer.subscribe("a", "v");
    const got: DatagramGroup[] = [];
    subscription.ondatagram = (datagram) => got.push(datagram);
    await tick();
    track.datagram(Uint8Array.of(1, 2, 3), 90_000);
    track.datagram(new Uint8Array(5000), 90_001); // too large for any path
    track.datagram(new Uint8Array(), 90_002);
    await tick();
    assert.deepEqual(
      got.map(({ sequence, timestamp, payload }) => [
        sequence,
        timestamp,
        [...payload],
      ]),
      [[0, 90_000, [1, 2, 3]], [2, 90_002, []]],
    );
    assert.equal(at.relay.stats.datagramsIn, 2);
    await at.relay.close();
  });
}

Deno.test("startGroup and endGroup bound a subscription, and update() raises the end", async () => {
  for (const version of [3, 4, 5, 6] as const) {
    const at = testRelay();
    const publisher = await join(at, 6);
    const viewer = await join(at, version);
    const track = publisher.client.publish("a").track("v");
    for (let i = 0; i < 6; i++) track.write(String(i));
    await tick();
    const all = new Viewer(viewer.client.subscribe("a", "v", { startGroup: 0 }));
    await tick();
    const some = new Viewer(viewer.client.subscribe("a", "v", { startGroup: 2, endGroup: 3 }));
    await tick();
    assert.deepEqual([...all.groups.keys()].sort(), [0, 1, 2, 3, 4, 5], `0${version}`);
    assert.deepEqual([...some.groups.keys()].sort(), [2, 3]);
    some.subscription.update({ endGroup: 6 });
    await tick();
    track.write("6");
    track.write("7");
    await tick();
    assert.deepEqual([...some.groups.keys()].sort(), [2, 3, 4, 5, 6]);
    assert.deepEqual(all.groups.size, 8);
    await at.relay.close();
  }
});

Deno.test("a bound alone at a relay raises its end over the wire", async () => {
  for (const version of [3, 4, 5, 6] as const) {
    const at = testRelay();
    const publisher = await join(at, version);
    const viewer = await join(at, version);
    const track = publisher.client.publish("a").track("v");
    await tick();
    const watch = new Viewer(viewer.client.subscribe("a", "v", { endGroup: 1 }));
    await tick();
    for (let i = 0; i < 4; i++) track.write(String(i));
    await tick();
    assert.deepEqual([...watch.groups.keys()], [0, 1], `0${version}`);
    watch.subscription.update({ endGroup: 4 });
    await tick();
    track.write("4");
    track.write("5");
    await tick();
    assert.deepEqual([...watch.groups.keys()].sort(), [0, 1, 2, 3, 4], `0${version}`);
    assert.equal(watch.end, undefined, "reaching the end only parks it");
    await at.relay.close();
  }
});

Deno.test("frames larger than a slab, empty ones and growing ones come out as they went in", async () => {
  const { at, publisher, viewer } = await pair();
  const track = publisher.publish("a").track("v");
  await tick();
  const subscription = viewer.subscribe("a", "v");
  await tick();
  const group = track.group();
  const sizes = [0, 1, 1499, 1500, 1501, 100_000, 0, 3_000_000, 7];
  sizes.forEach((size, i) => group.write(new Uint8Array(size).fill(i + 1), 1000 * i));
  group.close();
  const reader = await subscription.group();
  for (const [i, size] of sizes.entries()) {
    const frame = await reader!.frame();
    assert.equal(frame?.timestamp, 1000 * i);
    assert.equal(frame?.payload.length, size);
    assert.ok(frame?.payload.every((byte) => byte === i + 1));
  }
  assert.equal(await reader!.frame(), undefined);
  assert.equal(await reader!.frame(), undefined);
  await at.relay.close();
});

Deno.test("a group that is cut gives what there is, then throws GroupCut", async () => {
  const { at, publisher, viewer } = await pair();
  const track = publisher.publish("a").track("v");
  await tick();
  const subscription = viewer.subscribe("a", "v");
  await tick();
  const group = track.group();
  group.write("one");
  const reader = (await subscription.group())!;
  assert.equal(new TextDecoder().decode((await reader.frame())!.payload), "one");
  const waiting = reader.frame();
  group.abort();
  await assert.rejects(waiting, GroupCut);
  await at.relay.close();
});

Deno.test("close() ends what waits, and leaves no stream open", async () => {
  const { at, publisher, viewer, end } = await pair();
  const track = publisher.publish("a").track("v");
  await tick();
  const subscription = viewer.subscribe("a", "v");
  await tick();
  const group = track.group();
  group.write("one");
  const reader = (await subscription.group())!;
  await reader.frame();
  const [nextGroup, nextFrame] = [subscription.group(), reader.frame()];
  const failures = Promise.allSettled([nextGroup, nextFrame]);
  await viewer.close();
  const [groupEnd, frameEnd] = await failures;
  assert.ok(groupEnd.status === "rejected" && groupEnd.reason instanceof TrackFailed);
  assert.ok(frameEnd.status === "rejected" && frameEnd.reason instanceof GroupCut);
  await tick();
  assert.deepEqual(end.near.openStreams, { sending: 0, receiving: 0 });
  assert.deepEqual(end.far.openStreams, { sending: 0, receiving: 0 });
  assert.equal(track.subscribers, 0);
  await assert.rejects(viewer.fetch("a", "v", 0), SourceLost);
  const late = new Viewer(viewer.subscribe("a", "v"));
  await tick();
  assert.ok(late.end === "lost" || late.end === "not-found");
  await at.relay.close();
});

Deno.test("leaving the loop over a subscription leaves the track", async () => {
  const { at, publisher, viewer } = await pair();
  const track = publisher.publish("a").track("v");
  track.write("x");
  await tick();
  for await (const group of viewer.subscribe("a", "v")) {
    for await (const _ of group) break;
    break;
  }
  await tick();
  assert.equal(track.subscribers, 0);
  await at.relay.close();
});

Deno.test("a track that is over is served to those who come later: what is kept, then its end", async () => {
  const { at, publisher, viewer } = await pair();
  const track = publisher.publish("a").track("v");
  track.write("last");
  track.close();
  await tick();
  const watch = new Viewer(viewer.subscribe("a", "v"));
  await tick();
  at.clock.advance(2000);
  await tick();
  assert.deepEqual([watch.text(0), watch.end], ["last", "ended"]);
  assert.throws(() => track.group(), RangeError);
  await at.relay.close();
});

Deno.test("ontrack makes a track when it is asked for, and its name comes along", async () => {
  const { at, publisher, viewer } = await pair();
  publisher.publish("a", {
    ontrack: (name, broadcast) => {
      if (name.startsWith("ok")) broadcast.track(name).write(`made ${name}`);
    },
  });
  await tick();
  const [made, not] = ["ok1", "no"].map((name) => new Viewer(viewer.subscribe("a", name)));
  await tick();
  assert.deepEqual([made!.text(0), not!.end], ["made ok1", "not-found"]);
  await at.relay.close();
});

Deno.test("failures are classes with codes", async () => {
  const { at, publisher, viewer } = await pair();
  const track = publisher.publish("a").track("v");
  await tick();
  await assert.rejects(viewer.fetch("a", "v", 7), NotFound);
  await assert.rejects(viewer.fetch("nowhere", "v", 7), NotFound);
  await assert.rejects(
    viewer.subscribe("a", "nothing").group(),
    (error) => error instanceof TrackFailed && error.code === "QUMO_TRACK_FAILED",
  );
  assert.throws(() => track.group().write("x", 0.5), RangeError);
  const big = track.group();
  assert.throws(() => big.write(new Uint8Array((32 << 20) + 1)), GroupTooLarge);
  await at.relay.close();

  const [one, other] = memoryPair({ protocol: "moqt-99" });
  await assert.rejects(Client.over(one), NoCommonVersion);
  assert.equal((await other.closed).code, 0x15);
  const [gone] = memoryPair({ protocol: "moql" });
  const starting = Client.over(gone);
  gone.drop();
  await assert.rejects(starting, ConnectionClosed);
  const [near, far] = memoryPair({ protocol: "moql" });
  const bad = new RawPeer(far);
  const greeting = Client.over(near);
  (await bad.nextBidi()).say("21 00 01 ff");
  await assert.rejects(greeting, ProtocolViolation);
});

Deno.test("ongoaway tells a client where to go, once", async () => {
  const at = testRelay();
  const told: string[] = [];
  await join(at, 6, {}, { ongoaway: (uri) => told.push(uri) });
  void at.relay.drain(1000, "https://next.example/");
  await tick();
  assert.deepEqual(told, ["https://next.example/"]);
  at.clock.advance(1000);
  await tick();
});
