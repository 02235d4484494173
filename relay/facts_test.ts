import assert from "node:assert/strict";
import { FakeReader, FakeSource, LIVE, testContext } from "../tests/support/fixtures/relay.ts";
import { convert, objects, ObjectWriter } from "../tests/support/fixtures/objects.ts";
import { counting } from "../tests/support/fixtures/relay.ts";
import { Broadcast } from "./broadcast.ts";
import { UNTOLD_TRACK_INFO } from "./ports.ts";
import type { TrackInfo } from "./reading.ts";
import { evict } from "./group/eviction.ts";

const TOLD: TrackInfo = {
  priority: 3,
  maxAgeMs: 700,
  timescale: 1_000_000,
  properties: { bytes: counting(3), layout: "objects16" },
};

function broadcastOf(...sources: FakeSource[]) {
  const context = testContext({}, convert);
  const broadcast = new Broadcast("b", 7n, { context, lingerMs: 5000 });
  const routes = sources.map((source, i) => ({ source, hops: [7n], warm: i, cold: i, order: i }));
  for (const route of routes) broadcast.setRoute(route);
  return { broadcast, routes, track: broadcast.track("b", "t") };
}

function open(source: FakeSource, sequence: number, id: number): ObjectWriter {
  return new ObjectWriter(source.last.sink.openGroup(sequence, 0, objects(id))!);
}

Deno.test("a reader is told that the track is known when its facts are there, and facts win over the default", async () => {
  const source = new FakeSource("a");
  source.info = UNTOLD_TRACK_INFO;
  const { track, broadcast } = broadcastOf(source);
  const known: unknown[] = [];
  for (const early of [true, false]) {
    const reader = new FakeReader(LIVE, "objects16");
    reader.whenKnown = () => known.push([early, track.info, track.largest]);
    track.add(reader);
    if (!early) break;
    assert.deepEqual(await broadcast.trackInfo("b", "t"), UNTOLD_TRACK_INFO);
    assert.deepEqual([track.info.timescale, known], [1_000_000, []], "a default confirms nothing");
    source.last.sink.accepted({ info: TOLD, largest: { group: 9, object: 4 } });
  }
  const largest = { group: 9, object: 4 };
  assert.deepEqual(known, [[true, TOLD, largest], [false, TOLD, largest]]);
  assert.equal(await broadcast.trackInfo("b", "t"), TOLD);
});

Deno.test("an answer to trackInfo that comes after the facts is ignored", async () => {
  const source = new FakeSource("a");
  const { track } = broadcastOf(source);
  track.add(new FakeReader());
  source.last.sink.accepted({ info: TOLD, largest: undefined });
  await Promise.resolve();
  assert.equal(track.info, TOLD);
  assert.equal(track.largest, undefined);
});

Deno.test("facts without an info leave the answer to trackInfo as it is", async () => {
  const source = new FakeSource("a");
  source.info = TOLD;
  const { track } = broadcastOf(source);
  track.add(new FakeReader());
  source.last.sink.accepted({ largest: { group: 1, object: 0 } });
  await Promise.resolve();
  assert.equal(track.info, TOLD);
  assert.equal(track.infoTold, false);
});

Deno.test("Track.largest is the largest whole object of the newest group that has one", () => {
  const source = new FakeSource("a");
  const { track } = broadcastOf(source);
  track.add(new FakeReader(LIVE, "objects16"));
  assert.equal(track.largest, undefined);
  const [zero, one] = [open(source, 4, 0), open(source, 4, 1)];
  assert.equal(track.largest, undefined, "no object is whole yet");
  one.object({ id: 7, payload: counting(5) });
  zero.object({ id: 2, payload: counting(5) });
  zero.object({ id: 30, payload: counting(5) }, 4);
  assert.deepEqual(track.largest, { group: 4, object: 7 });
  const next = open(source, 5, 0);
  assert.deepEqual(track.largest, { group: 4, object: 7 });
  next.object({ id: 0, payload: counting(5) });
  assert.deepEqual(track.largest, { group: 5, object: 0 });
  zero.writer.payload(counting(1));
  assert.deepEqual(track.largest, { group: 5, object: 0 });
  open(source, 3, 0).object({ id: 99, payload: counting(5) });
  assert.deepEqual(track.largest, { group: 5, object: 0 });
});

Deno.test("Track.largest counts frames, takes the larger of what came and what the source told, and starts anew with the feed", () => {
  const source = new FakeSource("a");
  const { track } = broadcastOf(source);
  const reader = new FakeReader();
  track.add(reader);
  source.last.sink.accepted({ info: TOLD, largest: { group: 2, object: 6 } });
  source.last.group(2);
  assert.deepEqual(track.largest, { group: 2, object: 6 });
  const writer = source.last.sink.openGroup(3, 5)!;
  writer.frame(0, counting(1));
  assert.deepEqual(track.largest, { group: 3, object: 5 });
  track.remove(reader);
  track.add(reader);
  assert.equal(track.largest, undefined);
  assert.equal(track.infoTold, false);
});

Deno.test("Track.largest does not go back when memory was needed and the newest group had to go", () => {
  const source = new FakeSource("a");
  const { track } = broadcastOf(source);
  track.add(new FakeReader(LIVE, "objects16"));
  for (const sequence of [1, 2]) open(source, sequence, 0).object({ id: 8, payload: counting(5) });
  evict(track.ring.get(2)!);
  assert.deepEqual(track.largest, { group: 2, object: 8 });
  open(source, 3, 0);
  assert.deepEqual(track.largest, { group: 2, object: 8 });
});

Deno.test("the facts of a source that takes over count from its answer on", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { track, broadcast, routes } = broadcastOf(a, b);
  track.add(new FakeReader(LIVE, "objects16"));
  open(a, 4, 0).object({ id: 8, payload: counting(5) });
  broadcast.setRoute({ ...routes[1]!, warm: -1 }, routes[1]!);
  b.last.sink.accepted({ info: TOLD, largest: { group: 4, object: 10 } });
  assert.deepEqual([track.info, track.largest], [TOLD, { group: 4, object: 10 }]);
});

Deno.test("a track says that its info comes until its source has told it, or will not", async () => {
  for (const told of ["answer", "facts", "refusal"]) {
    const source = new FakeSource("a");
    const { track } = broadcastOf(source);
    const refused = Promise.reject(new Error("no such track"));
    refused.catch(() => {});
    if (told === "refusal") source.trackInfo = () => refused;
    assert.equal(track.infoComes, false);
    track.add(new FakeReader());
    assert.equal(track.infoComes, true);
    if (told === "facts") source.last.sink.accepted({ info: TOLD, largest: undefined });
    else for (let i = 0; i < 3; i++) await Promise.resolve();
    assert.equal(track.infoComes, false, told);
  }
});
