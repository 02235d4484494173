import assert from "node:assert/strict";
import { bytesOf, counting, FakeReader } from "../../tests/support/fixtures/relay.ts";
import { Nodes, reading } from "../../tests/support/fixtures/nodes.ts";
import { objectBytes, objects, ObjectWriter } from "../../tests/support/fixtures/objects.ts";
import { until } from "../../tests/support/fixtures/http.ts";
import type { GroupSink } from "../../relay/ports.ts";
import type { TrackInfo } from "../../relay/reading.ts";
import type { Track } from "../../relay/track.ts";

const TOLD: TrackInfo = {
  priority: 3,
  maxAgeMs: 700,
  timescale: 1_000_000,
  properties: { bytes: counting(100).subarray(7, 10), layout: "objects16" },
};
const REQUEST = { priority: 1, maxLatencyMs: 0 };

/** What a new reader finds when the track is known to it. */
async function found(track: Track) {
  const reader = new FakeReader(REQUEST, "objects16");
  const { promise, resolve } = Promise.withResolvers<void>();
  reader.whenKnown = resolve;
  track.add(reader);
  await promise;
  return { info: track.info, largest: track.largest };
}

Deno.test("the facts of a track reach readers at another node, also those that come when it is known already", async () => {
  using nodes = new Nodes(3);
  const { source, track } = await reading(nodes, REQUEST, "kept");
  source.last.sink.accepted({ info: TOLD, largest: { group: 5, object: 2 } });
  assert.deepEqual(await found(track), { info: TOLD, largest: { group: 5, object: 2 } });
  const writer = new ObjectWriter(source.last.sink.openGroup(6, 0, objects(0))!);
  writer.object({ id: 2 ** 33, payload: counting(9) });
  const largest = { group: 6, object: 2 ** 33 };
  await until(() => track.largest?.group === 6);
  assert.deepEqual(track.largest, largest);
  const late = nodes.all[2]!.origin.find("p")!.track("p", "t");
  assert.deepEqual(await found(late), { info: TOLD, largest });
  assert.deepEqual(await nodes.all[2]!.origin.find("p")!.trackInfo("p", "t"), TOLD);
});

Deno.test("a fetched group crosses to another node with all its subgroups, from the source or the cache", async () => {
  const request = { group: 7, priority: 1 };
  const list = [{ id: 1, payload: counting(9) }, { id: 5, payload: counting(90_000) }];
  for (const cached of [false, true]) {
    using nodes = new Nodes(2);
    const { a, b, source, track, reader } = await reading(nodes, REQUEST, "kept");
    const open = (id: number) =>
      cached ? source.last.sink.openGroup(7, 0, objects(id)) : sink!.open(objects(id));
    const fill = (id: number) => {
      const writer = new ObjectWriter(open(id)!);
      for (const object of list) writer.object(object);
      if (cached) writer.writer.finish();
    };
    let sink: GroupSink | undefined;
    source.fills = (into) => {
      sink = into;
      fill(0);
    };
    if (cached) {
      fill(0);
      await until(() => a.origin.find("p")!.track("p", "t").ring.get(7) !== undefined);
      await until(() => reader.groups.length === 1);
      track.clear();
    }
    const group = await b.origin.find("p")!.fetchGroup("p", "t", request);
    assert.equal(group.isOver, false);
    fill(2 ** 35);
    sink?.ended(true);
    if (cached) source.last.sink.openGroup(8, 0, objects(0));
    await until(() => group.isOver);
    assert.equal(group.state, "complete");
    assert.deepEqual(group.subgroups.map(({ head, lastId }) => [head.id, lastId]), [
      [0, 5],
      [2 ** 35, 5],
    ]);
    for (const one of group.subgroups) assert.deepEqual([...bytesOf(one)], objectBytes(list));
    group.release();
    assert.equal(source.fetches.length, cached ? 0 : 1);
  }
});

Deno.test("a fetched group that its source gives up is cut at the other node too", async () => {
  using nodes = new Nodes(2);
  const { b, source } = await reading(nodes, REQUEST, "kept");
  let sink: GroupSink | undefined;
  source.fills = (into) => {
    sink = into;
    into.open(objects(3));
  };
  const group = await b.origin.find("p")!.fetchGroup("p", "t", { group: 7, priority: 1 });
  sink!.ended(false);
  await until(() => group.isOver);
  assert.equal(group.state, "cut");
});

Deno.test("a fetch that nobody at another node reads any more is given up at its source", async () => {
  using nodes = new Nodes(2);
  const { a, b, source } = await reading(nodes, REQUEST, "kept");
  let writer: ObjectWriter | undefined;
  source.fills = (into) => {
    writer = new ObjectWriter(into.open(objects(0))!);
  };
  const group = await b.origin.find("p")!.fetchGroup("p", "t", { group: 7, priority: 1 });
  group.release();
  writer!.object({ id: 0, payload: counting(9) });
  await until(() => !writer!.writer.open);
  assert.equal(a.context.pool.stats.inUse, 0);
});

Deno.test("datagrams reach another node with what is said of their objects", async () => {
  using nodes = new Nodes(2);
  const { source, reader } = await reading(nodes, REQUEST, "objects16");
  const object = {
    object: 5,
    properties: counting(100).subarray(3, 6),
    layout: "objects16",
    priority: 9,
    status: 0,
    endOfGroup: true,
  } as const;
  source.last.sink.datagram(4, 5, counting(6), object);
  source.last.sink.datagram(4, 5, counting(6), { ...object, object: 6, priority: undefined });
  source.last.sink.datagram(5, 5, counting(6));
  await until(() => reader.datagrams.length === 3);
  assert.deepEqual(reader.datagrams, [4, 4, 5]);
  assert.deepEqual(reader.objects, [
    object,
    { ...object, object: 6, priority: undefined },
    undefined,
  ]);
});

Deno.test("a node whose readers want no groups gets none, and the newest when one wants them", async () => {
  using nodes = new Nodes(2);
  const paused = { ...REQUEST, forward: false };
  const { source, reader, track } = await reading(nodes, paused, "objects16");
  assert.equal(source.last.request.forward, false);
  for (const sequence of [1, 2]) source.last.sink.openGroup(sequence, 0, objects(0));
  source.last.sink.accepted({ largest: undefined });
  await until(() => track.known);
  assert.deepEqual([reader.sequences, track.ring.newest], [[], undefined]);
  track.change(reader, REQUEST);
  await until(() => reader.groups.length === 1);
  source.last.sink.openGroup(3, 0, objects(0));
  await until(() => reader.groups.length === 2);
  assert.deepEqual(reader.sequences, [2, 3]);
  assert.equal(source.last.updates.at(-1)!.forward, undefined);
});

Deno.test("a subgroup that is gone on with after its end is so at another node too", async () => {
  using nodes = new Nodes(2);
  const { source, reader } = await reading(nodes, REQUEST, "objects16");
  for (const [startFrame, ids] of [[0, [0, 1]], [5, [5]], [9, [9, 10]]] as const) {
    const writer = new ObjectWriter(source.last.sink.openGroup(6, startFrame, objects(2))!);
    for (const id of ids) writer.object({ id, payload: counting(9) });
    writer.writer.finish();
  }
  await until(() => reader.groups.length === 3);
  await until(() => reader.groups.every(({ state }) => state === "complete"));
  const seen = reader.groups.map(({ head, startFrame, lastId }) => [head.id, startFrame, lastId]);
  assert.deepEqual(seen, [[2, 0, 1], [2, 5, 5], [2, 9, 10]]);
});
