import assert from "node:assert/strict";
import { Broadcast } from "./broadcast.ts";
import {
  bytesOf,
  counting,
  FakeReader,
  FakeSource,
  LIVE,
  testContext,
} from "../tests/support/fixtures/relay.ts";
import { convert, objectBytes, objects, ObjectWriter } from "../tests/support/fixtures/objects.ts";

/** A broadcast with a route to each source, the first the cheapest. */
function broadcastOf(...sources: FakeSource[]) {
  const context = testContext({}, convert);
  const broadcast = new Broadcast("b", 7n, { context, lingerMs: 5000 });
  const routes = sources.map((source, i) => ({ source, hops: [7n], warm: i, cold: i, order: i }));
  for (const route of routes) broadcast.setRoute(route);
  return { context, broadcast, routes, track: broadcast.track("b", "t") };
}

const object = (id: number, size = 10) => ({ id, payload: counting(size, id) });

function openAt(source: FakeSource, sequence: number, id: number, endOfGroup = false) {
  const writer = source.last.sink.openGroup(sequence, 0, objects(id, { endOfGroup }));
  return writer && new ObjectWriter(writer);
}

Deno.test("Feed goes on with each broken subgroup at another source, and refuses those that are whole", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { track, context } = broadcastOf(a, b);
  const reader = new FakeReader(LIVE, "objects16");
  track.add(reader);
  const [zero, one, two] = [0, 1, 2].map((id) => openAt(a, 4, id)!);
  zero!.object(object(0));
  zero!.writer.finish();
  one!.object(object(1), 4);
  for (const broken of [one!, two!]) a.last.sink.interrupt(broken.writer);
  a.last.lost();
  assert.equal(b.last.request.startGroup, 4);
  assert.equal(openAt(b, 4, 0), undefined);
  assert.equal(b.last.sink.openGroup(4), undefined, "whole groups are another layout");
  assert.equal(b.last.sink.openGroup(4, 1, objects(1)), undefined, "its first object is another");
  const resumed = openAt(b, 4, 1)!;
  resumed.object(object(1));
  resumed.object(object(5));
  resumed.writer.finish();
  assert.deepEqual([...bytesOf(reader.groups[1]!)], objectBytes([object(1), object(5)]));
  assert.deepEqual(reader.groups.map(({ state }) => state), ["complete", "complete", "open"]);
  context.clock.advance(5000);
  assert.equal(reader.groups[2]!.state, "cut", "nobody went on with it");
  assert.equal(context.stats.groupsCut, 1);
  assert.deepEqual(reader.groups.map(({ head }) => head.id), [0, 1, 2]);
});

Deno.test("a source that was taken over still brings subgroups of the groups it has begun, and nothing else", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { track, broadcast, routes } = broadcastOf(a, b);
  const reader = new FakeReader(LIVE, "objects16");
  track.add(reader);
  openAt(a, 4, 0);
  broadcast.setRoute({ ...routes[1]!, warm: -1 }, routes[1]!);
  openAt(b, 5, 0);
  assert.equal(openAt(a, 4, 0), undefined);
  assert.ok(openAt(a, 4, 1));
  assert.equal(openAt(a, 6, 0), undefined);
  assert.deepEqual(reader.groups.map(({ sequence, head }) => [sequence, head.id]), [
    [4, 0],
    [5, 0],
    [4, 1],
  ]);
});

Deno.test("another source is asked for the newest group again while subgroups of it may be missing", () => {
  for (const endOfGroup of [false, true]) {
    const [a, b] = [new FakeSource("a"), new FakeSource("b")];
    const { track } = broadcastOf(a, b);
    track.add(new FakeReader(LIVE, "objects16"));
    openAt(a, 4, 0, endOfGroup)!.writer.finish();
    a.last.lost();
    assert.equal(b.last.request.startGroup, endOfGroup ? 5 : 4);
  }
});

Deno.test("Feed cuts every subgroup that is open when the last reader has left and none goes on with it", () => {
  const source = new FakeSource("a");
  const { track, context } = broadcastOf(source);
  const reader = new FakeReader(LIVE, "objects16");
  track.add(reader);
  const writers = [0, 1, 2].map((id) => openAt(source, 4, id)!);
  writers[1]!.writer.finish();
  track.remove(reader);
  context.clock.advance(5000);
  assert.deepEqual(reader.groups.map(({ state }) => state), ["cut", "complete", "cut"]);
  assert.equal(context.stats.groupsCut, 2);
});

Deno.test("a late reader gets every subgroup of what is kept, and one whose end is raised too", () => {
  const source = new FakeSource("a");
  const { track } = broadcastOf(source);
  track.add(new FakeReader());
  for (const sequence of [1, 2]) for (const id of [0, 8]) openAt(source, sequence, id);
  const late = new FakeReader({ ...LIVE, startGroup: 1, endGroup: 1 }, "objects16");
  track.add(late);
  assert.deepEqual(late.groups.map(({ sequence, head }) => [sequence, head.id]), [[1, 0], [1, 8]]);
  openAt(source, 2, 9);
  track.change(late, { ...LIVE, startGroup: 1, endGroup: 2 });
  assert.deepEqual(late.groups.slice(2).map(({ head }) => head.id), [0, 8, 9]);
});

Deno.test("Broadcast.fetch() answers with frames of a kept group of objects, all subgroups in one", async () => {
  const source = new FakeSource("a");
  const { track, broadcast, context } = broadcastOf(source);
  track.add(new FakeReader(LIVE, "objects16"));
  const [zero, one] = [openAt(source, 3, 0)!, openAt(source, 3, 1, true)!];
  zero.object(object(0));
  const request = { group: 3, priority: 1 };
  const [fetched, again] = await Promise.all([0, 1].map(() => broadcast.fetch("b", "t", request)));
  assert.equal(fetched, again);
  one.object(object(1));
  one.writer.finish();
  openAt(source, 3, 2)!.writer.finish();
  zero.writer.finish();
  assert.equal(fetched!.state, "complete");
  assert.deepEqual([...bytesOf(fetched!)], [0, 10, ...counting(10), 2, 10, ...counting(10, 1)]);
  assert.deepEqual([source.fetches.length, context.stats.fetchesFromCache], [0, 2]);
  for (const each of [fetched!, again!]) each.release();
  const { subgroups } = track.ring.get(3)!;
  const held = subgroups.reduce((sum, { segments }) => sum + segments.length, 0);
  assert.equal(context.pool.stats.inUse, held, "the copy is given back");
});

Deno.test("Broadcast.fetch() asks the source for a kept group that nothing makes frames of", async () => {
  const source = new FakeSource("a");
  const context = testContext();
  const broadcast = new Broadcast("b", 7n, { context, lingerMs: 5000 });
  broadcast.setRoute({ source, hops: [7n], warm: 0, cold: 0, order: 0 });
  broadcast.track("b", "t").add(new FakeReader(LIVE, "objects14"));
  source.last.sink.openGroup(3, 0, objects(0, { layout: "objects14" }))!.finish();
  const fetched = await broadcast.fetch("b", "t", { group: 3, priority: 1 });
  assert.equal(source.fetches.length, 1);
  fetched.release();
});
