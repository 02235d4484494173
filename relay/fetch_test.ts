import assert from "node:assert/strict";
import {
  bytesOf,
  counting,
  FakeReader,
  FakeSource,
  LIVE,
  testContext,
} from "../tests/support/fixtures/relay.ts";
import { convert, objectBytes, objects, ObjectWriter } from "../tests/support/fixtures/objects.ts";
import { Broadcast } from "./broadcast.ts";
import { NotFound } from "./errors.ts";
import type { GroupSink } from "./group/fetched_group.ts";
import type { Group, Subgroup } from "./group/group.ts";
import { GroupWatch } from "./group/group_watch.ts";

const REQUEST = { group: 3, priority: 1 };

function broadcastOf(...sources: FakeSource[]) {
  const context = testContext({}, convert);
  const broadcast = new Broadcast("b", 7n, { context, lingerMs: 5000 });
  sources.forEach((source, i) =>
    broadcast.setRoute({ source, hops: [7n], warm: i, cold: i, order: i })
  );
  return { context, broadcast };
}

const object = (id: number, size = 10) => ({ id, payload: counting(size, id) });

function open(sink: GroupSink, id: number, startFrame = 0): ObjectWriter {
  return new ObjectWriter(sink.open(objects(id), startFrame)!);
}

function watched(group: Group) {
  const seen: Subgroup[] = [];
  let settled = 0;
  const watch = new GroupWatch(group, {
    opened: (subgroup) => seen.push(subgroup),
    settled: () => settled++,
  });
  return { watch, seen, settled: () => settled };
}

Deno.test("Broadcast.fetchGroup() answers with all subgroups that the source opens, as they come", async () => {
  const source = new FakeSource("a");
  const { broadcast, context } = broadcastOf(source);
  let sink: GroupSink | undefined;
  let first: ObjectWriter;
  source.fills = (into) => {
    sink = into;
    first = open(into, 0);
  };
  const [group, same] = await Promise.all(
    [0, 1].map(() => broadcast.fetchGroup("b", "t", REQUEST)),
  );
  assert.equal(group, same);
  const { seen, settled, watch } = watched(group!);
  const second = open(sink!, 4);
  assert.equal(sink!.open(objects(4)), undefined, "it is open already");
  assert.equal(sink!.open(), undefined, "the group has another layout");
  first!.object(object(0));
  second.object(object(1));
  assert.deepEqual(seen.map(({ head }) => head.id), [0, 4]);
  assert.deepEqual([group!.isOver, group!.state, settled()], [false, "open", 0]);
  sink!.ended(true);
  assert.equal(sink!.open(objects(5)), undefined, "it has ended");
  assert.deepEqual([group!.isOver, group!.state, settled()], [true, "complete", 1]);
  assert.deepEqual(seen.map((one) => [...bytesOf(one)]), [
    objectBytes([object(0)]),
    objectBytes([object(1)]),
  ]);
  watch.close();
  group!.release();
  same!.release();
  assert.deepEqual([context.pool.stats.inUse, source.fetches.length], [0, 1]);
});

Deno.test("a fetched group whose source says that it is not whole is cut, and so is one that ends inside an object", async () => {
  for (const [complete, most] of [[false, 10], [true, 4]] as const) {
    const source = new FakeSource("a");
    source.fills = (sink) => {
      open(sink, 0).object(object(0));
      open(sink, 1).object(object(1), most);
      sink.ended(complete);
    };
    const group = await broadcastOf(source).broadcast.fetchGroup("b", "t", REQUEST);
    assert.deepEqual([group.isOver, group.state], [true, "cut"]);
  }
});

Deno.test("a fetched group is given up when its last reader leaves: its writers close, and its memory is back", async () => {
  const source = new FakeSource("a");
  const { broadcast, context } = broadcastOf(source);
  let sink: GroupSink | undefined;
  let writer: ObjectWriter;
  source.fills = (into) => {
    sink = into;
    writer = open(into, 0);
  };
  const group = await broadcast.fetchGroup("b", "t", REQUEST);
  writer!.object(object(0, 5000));
  assert.equal(writer!.writer.open, true);
  group.release();
  assert.equal(writer!.writer.open, false);
  assert.equal(sink!.open(objects(1)), undefined);
  writer!.object(object(1, 5000));
  sink!.ended(true);
  assert.equal(context.pool.stats.inUse, 0);
});

Deno.test("a source that opens nothing does not have the group: the next one is asked", async () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  a.fills = (sink) => sink.ended(true);
  const { broadcast } = broadcastOf(a, b);
  const group = await broadcast.fetchGroup("b", "t", REQUEST);
  assert.deepEqual([group.first.head.layout, b.fetches.length], ["frames", 1]);
  await assert.rejects(broadcastOf(a).broadcast.fetchGroup("b", "t", REQUEST), NotFound);
});

Deno.test("Broadcast.fetch() merges a fetched group of objects into frames, to its end", async () => {
  const source = new FakeSource("a");
  const { broadcast, context } = broadcastOf(source);
  let sink: GroupSink | undefined;
  source.fills = (into) => {
    sink = into;
    open(into, 0).object(object(0));
  };
  const frames = await broadcast.fetch("b", "t", REQUEST);
  open(sink!, 1).object(object(1));
  assert.equal(frames.state, "open");
  sink!.ended(true);
  assert.deepEqual([frames.state, frames.frames, frames.head.layout], ["complete", 2, "frames"]);
  frames.release();
  assert.equal(context.pool.stats.inUse, 0);
});

Deno.test("a part of a group is given to those who ask for parts, and only if nobody has the whole", async () => {
  for (const has of [true, false]) {
    const source = new FakeSource("a");
    const { broadcast } = broadcastOf(source);
    broadcast.track("b", "t").add(new FakeReader(LIVE, "objects16"));
    const kept = source.last.sink.openGroup(3, 17, objects(0))!;
    source.hasGroups = has;
    if (has) await broadcast.fetchGroup("b", "t", REQUEST);
    else await assert.rejects(broadcast.fetchGroup("b", "t", REQUEST), NotFound);
    const group = await broadcast.fetchGroup("b", "t", { ...REQUEST, partial: true });
    assert.equal(group === kept.subgroup.group, !has);
    assert.equal(source.fetches.length, 2);
  }
});

Deno.test("GroupWatch tells of what is here and of what comes, until it is closed; a copy beside it changes nothing", async () => {
  const source = new FakeSource("a");
  const { broadcast, context } = broadcastOf(source);
  const track = broadcast.track("b", "t");
  track.add(new FakeReader(LIVE, "objects16"));
  const at = (sequence: number, id: number) => source.last.sink.openGroup(sequence, 0, objects(id));
  at(3, 0);
  const group = track.ring.get(3)!;
  const one = watched(group);
  const two = watched(group);
  (await broadcast.fetch("b", "t", REQUEST)).release();
  at(3, 1);
  two.watch.close();
  at(3, 2);
  at(4, 0);
  assert.deepEqual([one, two].map(({ seen }) => seen.map(({ head }) => head.id)), [[0, 1, 2], [
    0,
    1,
  ]]);
  assert.deepEqual([one.settled(), two.settled()], [1, 0]);
  track.clear();
  assert.equal(group.isHeld, true);
  one.watch.close();
  assert.equal(group.isHeld, false);
  assert.equal(context.pool.stats.inUse, 0);
});
