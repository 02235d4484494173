import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeReader, LIVE, testContext } from "../tests/support/fixtures/relay.ts";
import { type TrackRequest } from "./ports.ts";
import { Track, type TrackLimits } from "./track.ts";

function newTrack(limits?: Partial<TrackLimits>) {
  const context = testContext(limits);
  const track = new Track("b", "t", context);
  const deliver = (...sequences: number[]) => {
    for (const sequence of sequences) {
      const group = track.ring.add(sequence, context.clock.now());
      if (group !== undefined) track.deliver(group);
    }
  };
  return { context, track, deliver };
}

function added(track: Track, request?: TrackRequest): FakeReader {
  const reader = new FakeReader(request);
  track.add(reader);
  return reader;
}

Deno.test("Track gives a late joiner the newest group, then each new one", () => {
  const { track, deliver } = newTrack();
  deliver(1, 2, 3);
  const reader = added(track);
  deliver(4);
  assert.deepEqual(reader.sequences, [3, 4]);
});

Deno.test("Track gives a reader that joins before everything whatever comes first, and nothing below", () => {
  const { track, deliver } = newTrack();
  const reader = added(track);
  deliver(5, 4, 7, 6);
  assert.deepEqual(reader.sequences, [5, 7, 6]);
});

Deno.test("Track serves from startGroup to endGroup, both included, in order of arrival", () => {
  const { track, deliver } = newTrack();
  deliver(1, 2, 3);
  const reader = added(track, { ...LIVE, startGroup: 2, endGroup: 5 });
  deliver(6, 5, 4);
  assert.deepEqual(reader.sequences, [2, 3, 5, 4]);
});

Deno.test("Track waits for a startGroup that has not come yet", () => {
  const { track, deliver } = newTrack();
  deliver(1, 2);
  const reader = added(track, { ...LIVE, startGroup: 4 });
  deliver(3, 5, 4);
  assert.deepEqual(reader.sequences, [5, 4]);
});

Deno.test("Track picks the start by age above a floor, as moq-lite-06 asks", () => {
  const { track, deliver, context } = newTrack();
  for (const sequence of [1, 2, 3, 4]) {
    deliver(sequence);
    context.clock.advance(100);
  }
  const start = (maxLatencyMs: number, startGroup?: number) =>
    added(track, { priority: 1, maxLatencyMs, startGroup, startIsFloor: true }).sequences;
  assert.deepEqual(start(0), [4]);
  assert.deepEqual(start(200), [2, 3, 4]);
  assert.deepEqual(start(200, 3), [3, 4]);
  assert.deepEqual(start(10_000, 1), [1, 2, 3, 4]);
  assert.deepEqual(start(10_000, 9), []);
});

Deno.test("Track keeps lower groups that come late deliverable above an explicit floor only", () => {
  const { track, deliver } = newTrack();
  deliver(5);
  const floor = added(track, { ...LIVE, startGroup: 2, startIsFloor: true });
  const live = added(track, { ...LIVE, startIsFloor: true });
  deliver(3, 1, 6);
  assert.deepEqual(floor.sequences, [5, 3, 6]);
  assert.deepEqual(live.sequences, [5, 6]);
});

Deno.test("Track.change() uncovers what a raised end held back, as far as it is kept", () => {
  const { track, deliver } = newTrack({ groupCacheSize: 4 });
  const reader = added(track, { ...LIVE, endGroup: 2 });
  deliver(1, 2, 3, 4, 5, 6, 7);
  track.change(reader, { ...LIVE, endGroup: 6 });
  assert.deepEqual(reader.sequences, [1, 2, 4, 5, 6]);
  track.change(reader, LIVE);
  deliver(8);
  assert.deepEqual(reader.sequences, [1, 2, 4, 5, 6, 7, 8]);
});

Deno.test("Track.change() gives nothing twice when the end is lowered and raised again", () => {
  const { track, deliver } = newTrack();
  const reader = added(track);
  deliver(1, 2, 3);
  track.change(reader, { ...LIVE, endGroup: 1 });
  deliver(4);
  track.change(reader, { ...LIVE, endGroup: 9 });
  assert.deepEqual(reader.sequences, [1, 2, 3, 4]);
});

Deno.test("Track.change() lets a reader that has had nothing start anywhere", () => {
  const { track, deliver } = newTrack();
  deliver(1, 2, 3);
  const reader = added(track, { ...LIVE, startGroup: 9 });
  track.change(reader, { ...LIVE, startGroup: 2 });
  assert.deepEqual(reader.sequences, [2, 3]);
  track.change(reader, { ...LIVE, startGroup: 5 });
  deliver(4, 5);
  assert.deepEqual(reader.sequences, [2, 3, 5]);
});

Deno.test("Track hands a group once to a reader that is added or changed while it is delivered", () => {
  const { track, deliver } = newTrack();
  const first = added(track);
  const limited = added(track, { ...LIVE, startGroup: 1, endGroup: 1 });
  const late = new FakeReader();
  first.then = () => {
    track.add(late);
    track.change(limited, { ...LIVE, startGroup: 1 });
  };
  deliver(1, 2, 3);
  assert.deepEqual(late.sequences, [1, 2, 3]);
  assert.deepEqual(limited.sequences, [1, 2, 3]);
});

Deno.test("Track takes readers away at any moment, also from inside their callbacks", () => {
  const { track, deliver } = newTrack();
  const readers = Array.from({ length: 4 }, () => added(track));
  readers[1]!.then = () => {
    track.remove(readers[1]!);
    track.remove(readers[3]!);
    track.remove(readers[0]!);
  };
  deliver(1, 2);
  assert.deepEqual(readers.map((r) => r.sequences), [[1], [1], [1, 2], []]);
  assert.equal(track.readers, 1);
  track.remove(readers[1]!);
});

Deno.test("Track survives a reader that publishes the next group from its callback", () => {
  const { track, deliver } = newTrack({ groupCacheSize: 1 });
  const first = added(track);
  const second = added(track);
  first.then = (group) => group.sequence < 3 && deliver(group.sequence + 1);
  deliver(1);
  assert.deepEqual(first.sequences, [1, 2, 3]);
  assert.deepEqual(second.sequences, [3], "1 and 2 were late by then");
});

Deno.test("Track written in this process keeps what it has for those who come after its end", () => {
  const { track, deliver } = newTrack();
  deliver(1, 2);
  track.end({ kind: "ended", nextGroup: 3 });
  const late = added(track);
  assert.deepEqual(late.sequences, [2]);
  assert.deepEqual(late.end, { kind: "ended", nextGroup: 3 });
  assert.equal(track.readers, 0);
});

Deno.test("Track.end() tells every reader once, but none that leaves meanwhile", () => {
  const { track, deliver } = newTrack();
  track.feed = { start() {}, stop() {}, update() {} };
  const [first, second] = [added(track), added(track)];
  first.onEnd = (end) => {
    first.end = end;
    track.remove(second);
    track.add(new FakeReader());
  };
  track.end({ kind: "ended", nextGroup: 4 });
  assert.deepEqual(first.end, { kind: "ended", nextGroup: 4 });
  assert.equal(second.end, undefined);
  assert.equal(track.readers, 1, "who comes during the end is a new reader");
  deliver(1);
  assert.deepEqual(first.sequences, []);
});

Deno.test("Track adds up its readers' wishes", () => {
  const { track } = newTrack();
  const wide = added(track, { priority: 5, maxLatencyMs: 100, startGroup: 7, endGroup: 9 });
  added(track, {
    priority: 200,
    maxLatencyMs: 50,
    startGroup: 3,
    startIsFloor: true,
    endGroup: 20,
  });
  const both = { priority: 200, maxLatencyMs: 100, startGroup: 3, endGroup: 20 };
  assert.deepEqual(track.request(), { ...both, startIsFloor: false });
  track.remove(wide);
  assert.deepEqual(track.request(), { ...both, maxLatencyMs: 50, startIsFloor: true });
  added(track);
  assert.equal(track.request().endGroup, undefined);
});

Deno.test("Track starts its feed with the first reader, and stops it after the last", () => {
  const { track, deliver } = newTrack();
  const calls: string[] = [];
  track.feed = {
    start: () => calls.push("start"),
    stop: () => calls.push("stop"),
    update: (request) => calls.push(`update ${request.priority}`),
  };
  const one = added(track);
  track.add(one);
  const two = added(track, { ...LIVE, priority: 200 });
  track.remove(two);
  track.remove(one);
  track.remove(one);
  assert.deepEqual(calls, ["start", "update 200", "update 100", "stop"]);
  deliver(1);
  assert.deepEqual(added(track).sequences, [], "what was kept from before is stale");
});

Deno.test("Track forgets groups by the publisher's age or the relay's, whichever is less", () => {
  const { track, deliver, context } = newTrack({ maxAgeMs: 1000 });
  track.info = { ...track.info, maxAgeMs: 5000 };
  deliver(1);
  context.clock.advance(1001);
  deliver(2);
  assert.equal(track.ring.size, 2, "a long group ages from the moment a newer one comes");
  context.clock.advance(1001);
  deliver(3);
  assert.equal(track.ring.get(1), undefined);
  track.info = { ...track.info, maxAgeMs: 10 };
  context.clock.advance(11);
  deliver(4);
  assert.deepEqual(track.ring.since(0).map(({ sequence }) => sequence), [3, 4]);
  context.clock.advance(11);
  deliver(5);
  assert.deepEqual(track.ring.since(0).map(({ sequence }) => sequence), [4, 5]);
});

Deno.test("Track passes datagrams to those whose range they are in", () => {
  const { track, context } = newTrack();
  const all = added(track);
  const some = added(track, { ...LIVE, startGroup: 2, endGroup: 3 });
  for (const sequence of [1, 2, 3, 4]) track.deliverDatagram(sequence, 0, new Uint8Array(1));
  assert.deepEqual(all.datagrams, [1, 2, 3, 4]);
  assert.deepEqual(some.datagrams, [2, 3]);
  assert.equal(context.stats.datagramsIn, 4);
});

Deno.test("Track gives no reader a group twice, below its start or above its end, whatever happens", () => {
  const bound = fc.option(fc.nat(20), { nil: undefined });
  const request = fc.record({ startGroup: bound, endGroup: bound, startIsFloor: fc.boolean() });
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ group: fc.nat(20) }) },
    fc.record({ add: request }),
    fc.record({ change: fc.nat(), request }),
    fc.record({ remove: fc.nat() }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const { track, deliver } = newTrack({ groupCacheSize: 5 });
    const readers: FakeReader[] = [];
    for (const step of steps) {
      if ("group" in step) deliver(step.group);
      else if ("add" in step) {
        readers.push(new FakeReader({ ...LIVE, ...step.add }));
        track.add(readers.at(-1)!);
      } else if (readers.length > 0) {
        if ("remove" in step) track.remove(readers[step.remove % readers.length]!);
        else {
          const reader = readers[step.change % readers.length]!;
          const before = reader.groups.length;
          track.change(reader, { ...LIVE, ...step.request });
          for (const { sequence } of reader.groups.slice(before)) {
            assert.ok(sequence <= (step.request.endGroup ?? 20));
          }
        }
      }
    }
    for (const reader of readers) {
      assert.equal(new Set(reader.sequences).size, reader.groups.length);
    }
  }));
});

Deno.test("Track hands a reader that lowers its start what is kept there, each group once", () => {
  const { track, deliver } = newTrack();
  deliver(1, 2, 3, 4, 5);
  const reader = added(track, { ...LIVE, startGroup: 4 });
  deliver(6);
  assert.deepEqual(reader.sequences, [4, 5, 6]);
  track.change(reader, { ...LIVE, startGroup: 2 });
  assert.deepEqual(reader.sequences, [4, 5, 6, 2, 3]);
  track.change(reader, { ...LIVE, startGroup: 6 });
  track.change(reader, { ...LIVE, startGroup: 1 });
  assert.deepEqual(reader.sequences, [4, 5, 6, 2, 3, 1]);
  deliver(7);
  assert.deepEqual(reader.sequences.slice(-1), [7]);
});

Deno.test("Track hands out what came below a raised start when that is lowered again", () => {
  const { track, deliver } = newTrack();
  deliver(1);
  const reader = added(track, { ...LIVE, startGroup: 1 });
  track.change(reader, { ...LIVE, startGroup: 9 });
  deliver(2, 3);
  assert.deepEqual(reader.sequences, [1]);
  track.change(reader, { ...LIVE, startGroup: 3 });
  assert.deepEqual(reader.sequences, [1, 3]);
  track.change(reader, { ...LIVE, startGroup: 0 });
  assert.deepEqual(reader.sequences, [1, 3, 2]);
});

Deno.test("Track widens by age where the start is picked by it, and a cleared floor takes in as much as that", () => {
  const { track, deliver, context } = newTrack();
  for (const sequence of [1, 2, 3, 4]) {
    deliver(sequence);
    context.clock.advance(100);
  }
  const wish = (maxLatencyMs: number, startGroup?: number): TrackRequest => {
    return { priority: 1, maxLatencyMs, startGroup, startIsFloor: true };
  };
  const reader = added(track, wish(200, 4));
  track.change(reader, wish(0, 1));
  assert.deepEqual(reader.sequences, [4], "nothing older is wanted");
  track.change(reader, wish(0, 4));
  track.change(reader, wish(200));
  assert.deepEqual(reader.sequences, [4, 2, 3]);
});

Deno.test("Track tells its readers once that it is there: by its source's word or by what comes", () => {
  for (const how of ["word", "group", "datagram"]) {
    const { track, deliver } = newTrack();
    track.feed = { start() {}, stop() {}, update() {} };
    let known = 0;
    const reader = Object.assign(new FakeReader(), { onKnown: () => known++ });
    track.add(reader);
    assert.equal(known, 0);
    if (how === "word") track.confirm();
    else if (how === "group") deliver(1);
    else track.deliverDatagram(1, 0, new Uint8Array(1));
    assert.equal(known, 1, how);
    deliver(2, 3);
    assert.equal(known, 1);
    track.add(Object.assign(new FakeReader(), { onKnown: () => known++ }));
    assert.equal(known, 2, "who comes later is told at once");
  }
});
