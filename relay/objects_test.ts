import assert from "node:assert/strict";
import {
  counting,
  FakeReader,
  FakeSource,
  LIVE,
  testContext,
} from "../tests/support/fixtures/relay.ts";
import { convert, objects, ObjectWriter } from "../tests/support/fixtures/objects.ts";
import { Broadcast } from "./broadcast.ts";
import type { DatagramObject, TrackRequest } from "./reading.ts";

function broadcastOf(...sources: FakeSource[]) {
  const context = testContext({}, convert);
  const broadcast = new Broadcast("b", 7n, { context, lingerMs: 5000 });
  const routes = sources.map((source, i) => ({ source, hops: [7n], warm: i, cold: i, order: i }));
  for (const route of routes) broadcast.setRoute(route);
  return { context, broadcast, routes, track: broadcast.track("b", "t") };
}

function open(source: FakeSource, sequence: number, id = 0) {
  const writer = source.last.sink.openGroup(sequence, 0, objects(id));
  return writer && new ObjectWriter(writer);
}

function about(object: number, more: Partial<DatagramObject> = {}): DatagramObject {
  return {
    object,
    properties: counting(3),
    layout: "objects16",
    priority: undefined,
    status: 0,
    endOfGroup: false,
    ...more,
  };
}

Deno.test("datagrams of one group are objects, each passed on once with what is said of it", () => {
  const source = new FakeSource("a");
  const { track, context } = broadcastOf(source);
  const reader = new FakeReader(LIVE, "objects16");
  track.add(reader);
  const { sink } = source.last;
  const sent = [about(0), about(7), about(3, { status: 3, endOfGroup: true, priority: 4 })];
  for (const object of [...sent, ...sent]) sink.datagram(5, 90, counting(2), object);
  assert.deepEqual(reader.datagrams, [5, 5, 5]);
  assert.deepEqual(reader.objects, sent);
  assert.deepEqual([context.stats.datagramsIn, context.stats.groupsRefused], [3, 3]);
  assert.deepEqual(track.largest, { group: 5, object: 7 });
  open(source, 5, 1)!.object({ id: 8, payload: counting(1) });
  assert.deepEqual(track.largest, { group: 5, object: 8 }, "streams may have other objects of it");
  assert.equal(sink.datagram(5, 90, counting(2), about(9)), true);
});

Deno.test("readers of frames get the datagrams that are a whole group, and that group by nothing else", () => {
  const source = new FakeSource("a");
  const { track } = broadcastOf(source);
  const reader = new FakeReader();
  track.add(reader);
  const { sink } = source.last;
  sink.datagram(1, 90, counting(2), about(0));
  sink.datagram(1, 90, counting(2), about(1));
  sink.datagram(2, 90, counting(0), about(0, { status: 3 }));
  open(source, 1);
  open(source, 3);
  sink.datagram(3, 90, counting(2), about(0));
  sink.datagram(4, 90, counting(2));
  assert.deepEqual([reader.datagrams, reader.sequences], [[1, 4], [3]]);
  assert.equal(sink.datagram(4, 90, counting(2)), false);
  assert.equal(sink.openGroup(4), undefined);
});

Deno.test("what is remembered of datagrams has a bound, and a feed that begins anew remembers none", () => {
  const source = new FakeSource("a");
  const { track } = broadcastOf(source);
  const reader = new FakeReader(LIVE, "objects16");
  track.add(reader);
  const send = (id: number) => source.last.sink.datagram(2 ** 40, 0, counting(1), about(id));
  for (let id = 0; id < 1000; id++) assert.equal(send(id), true);
  assert.deepEqual([send(999), send(940), send(0)], [false, false, true]);
  assert.deepEqual(track.largest, { group: 2 ** 40, object: 999 });
  track.remove(reader);
  track.add(reader);
  assert.equal(track.largest, undefined);
  assert.equal(send(999), true);
});

const PAUSED: TrackRequest = { ...LIVE, forward: false };

Deno.test("a reader with forward false gets neither groups nor datagrams, but is told that the track is there and of its end", () => {
  const source = new FakeSource("a");
  const { track } = broadcastOf(source);
  track.add(new FakeReader(LIVE, "objects16"));
  open(source, 1);
  const reader = new FakeReader(PAUSED, "objects16");
  let known = 0;
  reader.whenKnown = () => known++;
  track.add(reader);
  open(source, 2);
  open(source, 2, 1);
  source.last.sink.datagram(3, 0, counting(1), about(0));
  assert.deepEqual([known, reader.sequences, reader.datagrams], [1, [], []]);
  source.last.sink.ended({ kind: "ended" });
  assert.equal(reader.end?.kind, "ended");
});

Deno.test("a reader that wants groups again gets what a new one gets, by its request", () => {
  for (const [start, expected] of [[undefined, [3, 4]], [2, [2, 3, 4]], [4, [4]]] as const) {
    const source = new FakeSource("a");
    const { track } = broadcastOf(source);
    track.add(new FakeReader(LIVE, "objects16"));
    const reader = new FakeReader(PAUSED, "objects16");
    track.add(reader);
    for (const sequence of [1, 2, 3]) open(source, sequence);
    track.change(reader, { ...PAUSED, priority: 3 });
    assert.deepEqual(reader.sequences, []);
    const request = start === undefined ? LIVE : { ...LIVE, startGroup: start };
    track.change(reader, request);
    track.change(reader, request);
    open(source, 4);
    source.last.sink.datagram(5, 0, counting(1), about(0));
    assert.deepEqual([reader.sequences, reader.datagrams], [[...expected], [5]]);
    track.change(reader, { ...request, forward: false });
    for (const sequence of [6, 7]) open(source, sequence);
    assert.deepEqual(reader.sequences, [...expected]);
    track.change(reader, LIVE);
    assert.deepEqual(reader.sequences, [...expected, 7]);
  }
});

Deno.test("a reader may begin to want groups when it hears that the track is there: it gets them once", () => {
  const source = new FakeSource("a");
  const { track } = broadcastOf(source);
  track.add(new FakeReader(LIVE, "objects16"));
  for (const sequence of [1, 2, 3]) open(source, sequence);
  const reader = new FakeReader(PAUSED, "objects16");
  reader.whenKnown = () => track.change(reader, { ...LIVE, startGroup: 2 });
  track.add(reader);
  assert.deepEqual(reader.sequences, [2, 3]);
});

Deno.test("the request at the source has forward as soon as one reader wants groups, and bounds by object of one reader alone", () => {
  const source = new FakeSource("a");
  const { track } = broadcastOf(source);
  const paused = new FakeReader({ ...PAUSED, startGroup: 1, startObject: 4, priority: 200 });
  track.add(paused);
  const alone = { ...paused.request, endGroup: undefined, startIsFloor: false };
  assert.deepEqual(source.last.request, alone);
  const wants = new FakeReader({ ...LIVE, endGroup: 9, endObject: 2 });
  track.add(wants);
  const merged = { priority: 100, maxLatencyMs: 0, startGroup: undefined, endGroup: 9 };
  assert.deepEqual(source.last.updates.at(-1), { ...merged, startIsFloor: false });
  track.remove(paused);
  assert.deepEqual(source.last.updates.at(-1), { ...merged, startIsFloor: false, endObject: 2 });
});

Deno.test("another source is asked without the first object: that belongs to the group that was asked for first", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { track } = broadcastOf(a, b);
  track.add(new FakeReader({ ...LIVE, startGroup: 4, startObject: 3 }, "objects16"));
  assert.equal(a.last.request.startObject, 3);
  open(a, 4)!.writer.finish();
  a.last.lost();
  assert.equal(b.last.request.startObject, undefined);
});
