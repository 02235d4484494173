import assert from "node:assert/strict";
import { Broadcast } from "./broadcast.ts";
import { NotFound, SourceLost } from "./errors.ts";
import {
  bytesOf,
  counting,
  FakeReader,
  FakeSource,
  LIVE,
  testContext,
} from "../tests/support/fixtures/relay.ts";
import type { HopId, Route } from "./route.ts";
import { Track } from "./track.ts";

function broadcastOf(...routes: [FakeSource, HopId[]][]) {
  const context = testContext();
  const broadcast = new Broadcast("b", routes[0]?.[1][0], { context, lingerMs: 5000 });
  routes.forEach(([source, hops], i) =>
    broadcast.setRoute({ source, hops, warm: i, cold: i, order: i })
  );
  return { context, broadcast };
}

const request = { group: 3, priority: 1 };
const encoded = (sequence: number) => [0, 10, ...counting(10, sequence)];

Deno.test("Broadcast.track() is the same for all who ask, until nobody has for a while", () => {
  const source = new FakeSource("a");
  const { broadcast, context } = broadcastOf([source, [7n]]);
  const track = broadcast.track("b", "t");
  assert.equal(broadcast.track("b", "t"), track);
  assert.notEqual(broadcast.track("b", "u"), track);
  assert.notEqual(broadcast.track("b/below", "t"), track);
  const reader = new FakeReader();
  track.add(reader);
  source.last.group(1);
  context.clock.advance(120_000);
  assert.equal(broadcast.track("b", "t"), track, "somebody reads it");
  assert.deepEqual([...broadcast.tracks()].map((t) => t.track.name), ["t"]);
  track.remove(reader);
  assert.equal(track.ring.size, 1, "kept for a while");
  context.clock.advance(30_000);
  assert.equal(context.pool.stats.inUse, 0);
  assert.deepEqual([...broadcast.tracks()], []);
});

Deno.test("Broadcast forgets a track that was asked for and left before anything came", () => {
  const source = new FakeSource("a");
  const { broadcast } = broadcastOf([source, [7n]]);
  for (let i = 0; i < 80; i++) {
    const track = broadcast.track("b", `${i}${"x".repeat(1000)}`);
    const reader = new FakeReader();
    track.add(reader);
    if (i % 2 === 0) track.remove(reader);
    else source.last.sink.ended({ kind: "failed", why: "not-found", reason: "no such track" });
  }
  assert.deepEqual([...broadcast.tracks()], []);
});

Deno.test("Broadcast remembers few of the tracks that were read and left", () => {
  const source = new FakeSource("a");
  const { broadcast, context } = broadcastOf([source, [7n]]);
  const stays = broadcast.track("b", "stays");
  stays.add(new FakeReader());
  for (let i = 0; i < 100; i++) {
    const track = broadcast.track("b", `${i}`);
    const reader = new FakeReader();
    track.add(reader);
    source.last.group(1);
    track.remove(reader);
  }
  const kept = [...broadcast.tracks()].map(({ track }) => track.name);
  assert.deepEqual(kept, ["stays", ...Array.from({ length: 32 }, (_, i) => `${68 + i}`)]);
  assert.ok(context.pool.stats.inUse <= 33);
});

Deno.test("Broadcast serves a viewer by a route that does not run through the viewer itself", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { broadcast } = broadcastOf([a, [7n, 50n]], [b, [7n, 60n]]);
  const track = broadcast.track("b", "t", 50n);
  track.add(new FakeReader());
  assert.equal(a.subscriptions.length, 0);
  assert.equal(b.subscriptions.length, 1);
  const others = broadcast.track("b", "t", 99n);
  assert.notEqual(others, track);
  others.add(new FakeReader());
  assert.equal(a.subscriptions.length, 1);
});

Deno.test("Broadcast has one feed for all whose way it is not, also for who is on the way of a worse route", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { broadcast } = broadcastOf([a, [7n]], [b, [7n, 60n]]);
  const track = broadcast.track("b", "t", 60n);
  assert.equal(broadcast.track("b", "t"), track);
  assert.equal(broadcast.track("b", "t", 99n), track);
  track.add(new FakeReader());
  assert.deepEqual([a.subscriptions.length, b.subscriptions.length], [1, 0]);
  // The feed has taken the other route meanwhile: whoever is on that way now gets one of its own.
  const better: Route = { source: a, hops: [7n, 60n, 61n], warm: -1, cold: 0, order: 9 };
  broadcast.setRoute(better, broadcast.routes[0]);
  assert.notEqual(broadcast.track("b", "t", 61n), track);
  assert.equal(broadcast.track("b", "t", 99n), track);
});

Deno.test("Broadcast takes a better route of another node in a moment, at once where the one in use is lost or leaves", () => {
  const at = (source: FakeSource, hop: HopId, warm: number): Route => ({
    source,
    hops: [7n, hop],
    warm,
    cold: warm,
    order: 1,
    peer: true,
  });
  const [a, b, c] = ["a", "b", "c"].map((name) => new FakeSource(name)) as [
    FakeSource,
    FakeSource,
    FakeSource,
  ];
  const { broadcast, context } = broadcastOf([a, [7n, 1n, 2n]]);
  const reader = new FakeReader();
  broadcast.track("b", "t").add(reader);
  a.last.group(1);
  for (const warm of [-1, -2, -1, -3]) {
    const [known] = broadcast.routes.filter(({ source }) => source === b);
    broadcast.setRoute(at(b, 50n, warm), known);
  }
  assert.equal(b.subscriptions.length, 0);
  context.clock.advance(300);
  assert.equal(b.subscriptions.length, 1);
  b.last.group(2);
  // It refuses, and offers the broadcast again a moment before the other one is lost.
  b.last.refuse();
  const [first] = broadcast.routes;
  broadcast.dropRoute(first!);
  broadcast.setRoute(at(b, 50n, -1));
  a.last.lost();
  assert.equal(b.subscriptions.length, 2);
  assert.equal(reader.end, undefined);
  b.last.group(3);
  broadcast.setRoute(at(c, 60n, 5));
  const mine = broadcast.routes.find(({ source }) => source === b)!;
  broadcast.setRoute(at(b, 50n, Infinity), mine);
  assert.equal(c.subscriptions.length, 1, "at once");
  c.last.group(4);
  assert.deepEqual(reader.sequences, [1, 2, 3, 4]);
});

Deno.test("Broadcast has no way for a viewer through whom all routes run", async () => {
  const { broadcast } = broadcastOf([new FakeSource("a"), [7n, 50n]]);
  const reader = new FakeReader();
  broadcast.track("b", "t", 50n).add(reader);
  assert.equal(reader.end?.kind === "failed" && reader.end.why, "unroutable");
  await assert.rejects(broadcast.trackInfo("b", "t", 50n), NotFound);
  await assert.rejects(broadcast.fetch("b", "t", request, 50n), NotFound);
});

Deno.test("Broadcast avoids a new route through one of a track's viewers, as long as there is another", () => {
  const [a, back] = [new FakeSource("a"), new FakeSource("back")];
  const { broadcast } = broadcastOf([a, [7n, 50n]]);
  const track = broadcast.track("b", "t", 60n);
  track.add(new FakeReader(LIVE, "frames", 60n));
  const route: Route = { source: back, hops: [7n, 60n], warm: -1, cold: 0, order: 9 };
  broadcast.setRoute(route);
  assert.equal(back.subscriptions.length, 0);
  a.last.lost();
  assert.equal(back.subscriptions.length, 1);
});

Deno.test("Broadcast takes a route through a former viewer in a moment, when the last reader of that hop has left", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { broadcast, context } = broadcastOf([a, [7n, 50n]], [b, [7n, 60n]]);
  const neighbours = [1, 2].map(() => new FakeReader(LIVE, "frames", 60n));
  const viewer = new FakeReader();
  const track = broadcast.track("b", "t", 60n);
  for (const reader of [viewer, ...neighbours]) track.add(reader);
  a.last.group(1);
  const [, second] = broadcast.routes;
  broadcast.setRoute({ ...second!, warm: -1 }, second);
  const used = () => [a.subscriptions.length, b.subscriptions.length];
  track.remove(neighbours[0]!);
  context.clock.advance(1000);
  assert.deepEqual(used(), [1, 0], "one of them still reads");
  track.remove(neighbours[1]!);
  assert.deepEqual(used(), [1, 0], "not at once: it may come again");
  context.clock.advance(300);
  assert.deepEqual(used(), [1, 1]);
  b.last.group(2);
  assert.deepEqual(viewer.sequences, [1, 2]);
  // It asks again: the feed goes back before it serves the hop that it reads from.
  track.add(neighbours[0]!);
  assert.deepEqual(used(), [2, 1]);
});

Deno.test("Broadcast.trackInfo() asks the best source", async () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  b.info = { priority: 9, maxAgeMs: 1, timescale: 1 };
  const { broadcast } = broadcastOf([a, [7n, 50n]], [b, [7n, 60n]]);
  assert.equal(await broadcast.trackInfo("b", "t"), a.info);
  assert.equal(await broadcast.trackInfo("b", "t", 50n), b.info);
});

Deno.test("Broadcast.fetch() takes a group from the cache, also one that is still growing", async () => {
  const source = new FakeSource("a");
  const { broadcast, context } = broadcastOf([source, [7n]]);
  broadcast.track("b", "t").add(new FakeReader());
  source.last.group(2);
  const writer = source.last.sink.openGroup(3)!;
  const group = await broadcast.fetch("b", "t", request);
  assert.equal(group, writer.subgroup);
  assert.equal(source.fetches.length, 0);
  assert.equal(context.stats.fetchesFromCache, 1);
  group.release();
});

Deno.test("Broadcast.fetch() asks the source for what is not kept, was cut, or lacks its beginning", async () => {
  const source = new FakeSource("a");
  const { broadcast } = broadcastOf([source, [7n]]);
  broadcast.track("b", "t").add(new FakeReader());
  source.last.sink.openGroup(3)!.cut();
  source.last.sink.openGroup(4, 2)!.finish();
  for (const group of [3, 4, 5]) {
    const fetched = await broadcast.fetch("b", "t", { group, priority: 1 });
    assert.deepEqual([...bytesOf(fetched)], encoded(group));
  }
  assert.deepEqual(source.fetches.map((f) => f.request.group), [3, 4, 5]);
});

Deno.test("Broadcast.fetch() asks once for all who ask at once, and each holds the group", async () => {
  const source = new FakeSource("a");
  let answer = () => {};
  source.answer = new Promise((resolve) => answer = resolve);
  const { broadcast, context } = broadcastOf([source, [7n]]);
  const asked = [1, 2, 3].map(() => broadcast.fetch("b", "t", request));
  // Asks again in the very turn in which the answer comes, when the shared request may be just over.
  const late = source.answer.then(() => broadcast.fetch("b", "t", request));
  const later = asked[0]!.then(() => broadcast.fetch("b", "t", request));
  answer();
  const groups = await Promise.all([...asked, late, later]);
  assert.equal(new Set(groups.slice(0, 3)).size, 1);
  const held = new Map<unknown, number>();
  for (const group of groups) held.set(group, (held.get(group) ?? 0) + 1);
  assert.equal(source.fetches.length, held.size);
  for (let i = 0; i < 10; i++) await Promise.resolve();
  for (const group of groups) {
    assert.deepEqual([...bytesOf(group)], encoded(3));
    group.release();
  }
  assert.equal(context.pool.stats.inUse, 0);
});

Deno.test("Broadcast.fetch() tries the next route when one does not have the group", async () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  a.hasGroups = false;
  const { broadcast, context } = broadcastOf([a, [7n, 50n]], [b, [7n, 60n]]);
  const group = await broadcast.fetch("b", "t", request);
  assert.deepEqual([...bytesOf(group)], encoded(3));
  group.release();
  b.fetch = () => Promise.reject(new SourceLost("group 3"));
  await assert.rejects(broadcast.fetch("b", "t", request), SourceLost);
  await assert.rejects(
    Promise.all([1, 2].map(() => broadcast.fetch("b", "t", request))),
    SourceLost,
  );
  assert.equal(context.pool.stats.inUse, 0);
});

Deno.test("Broadcast hands out the own track of a publisher in this process, cached groups and all", async () => {
  const source = new FakeSource("here");
  const { broadcast, context } = broadcastOf([source, []]);
  const own = new Track("b", "t", context);
  Object.assign(source, {
    ownTrack: (_: string, name: string) => name === "t" ? own : undefined,
  });
  own.ring.add(3, 0)!.end("complete");
  const track = broadcast.track("b", "t");
  assert.equal(track, own);
  const reader = new FakeReader();
  track.add(reader);
  assert.deepEqual(reader.sequences, [3]);
  assert.equal(await broadcast.fetch("b", "t", request), own.ring.get(3)!.first);
  assert.deepEqual(source.fetches, []);
  (await broadcast.fetch("b", "t", { group: 9, priority: 0 })).release();
  assert.equal(source.fetches.length, 1, "it does not keep that one");
  source.hasGroups = false;
  await assert.rejects(broadcast.fetch("b", "t", { group: 8, priority: 0 }), NotFound);
  assert.equal(source.subscriptions.length, 0);
});

Deno.test("Broadcast.fetch() looks at the tracks of that path and name alone", async () => {
  const source = new FakeSource("a");
  const { broadcast } = broadcastOf([source, [7n]]);
  let looks = 0;
  for (let i = 0; i < 100; i++) {
    const track = broadcast.track("b", `other ${i}`);
    const { ring } = track;
    Object.defineProperty(track, "ring", { get: () => (looks++, ring) });
    Object.defineProperty(track, "broadcast", { get: () => (looks++, "b") });
  }
  broadcast.track("b", "t").add(new FakeReader());
  source.last.group(3);
  (await broadcast.fetch("b", "t", request)).release();
  assert.equal(looks, 0);
  assert.equal(source.fetches.length, 0);
});

Deno.test("Broadcast tells tracks apart whose path and name read alike together", () => {
  const { broadcast } = broadcastOf([new FakeSource("a"), [7n]]);
  assert.notEqual(broadcast.track("b/c", "d\0e"), broadcast.track("b/c\0d", "e"));
  assert.notEqual(broadcast.track("b", "c 1"), broadcast.track("b c", "1"));
});

Deno.test("Broadcast forgets a track at once that never had a group, and keeps one that has for a while", () => {
  const source = new FakeSource("a");
  const { broadcast, context } = broadcastOf([source, [7n]]);
  for (let i = 0; i < 50; i++) {
    const track = broadcast.track("b", `made up ${i}`);
    const reader = new FakeReader();
    track.add(reader);
    if (i % 2 === 0) source.last.refuse();
    else track.remove(reader);
  }
  assert.deepEqual([...broadcast.tracks()], []);
  const real = broadcast.track("b", "real");
  const reader = new FakeReader();
  real.add(reader);
  source.last.group(1);
  real.remove(reader);
  assert.equal(broadcast.track("b", "real"), real);
  context.clock.advance(30_000);
  assert.deepEqual([...broadcast.tracks()], []);
  real.add(reader);
  assert.equal(
    broadcast.track("b", "real"),
    real,
    "who comes back to it has it in its place again",
  );
});

Deno.test("Broadcast refuses more tracks while its publisher has confirmed none of many", () => {
  const source = new FakeSource("a");
  const { broadcast, context } = broadcastOf([source, [7n]]);
  Object.assign(context, { maxAskedTracks: 3 });
  const subscriptions = ["1", "2", "3"].map((name) => {
    broadcast.track("b", name).add(new FakeReader());
    return source.last;
  });
  assert.throws(() => broadcast.track("b", "4"), { code: "QUMO_TOO_MANY_TRACKS" });
  assert.equal(context.stats.tracksRefused, 1);
  assert.ok(broadcast.track("b", "2"), "what was asked for is had as before");
  subscriptions[0]!.sink.accepted();
  broadcast.track("b", "4").add(new FakeReader());
  subscriptions[1]!.refuse();
  broadcast.track("b", "5");
  assert.throws(() => broadcast.track("b", "6"), { code: "QUMO_TOO_MANY_TRACKS" });
});
