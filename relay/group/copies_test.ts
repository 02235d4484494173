import assert from "node:assert/strict";
import {
  bytesOf,
  Copier,
  counting,
  FakeReader,
  LIVE,
  testContext,
} from "../../tests/support/fixtures/relay.ts";
import {
  convert,
  objectBytes,
  objectHead,
  objects,
  ObjectWriter,
  type TestObject,
} from "../../tests/support/fixtures/objects.ts";
import { Track } from "../track.ts";
import type { Convert } from "./copies.ts";
import { Group, type Subgroup } from "./group.ts";
import { GroupWriter } from "./group_writer.ts";
import { type SubgroupHead, WHOLE_GROUP } from "./subgroup_head.ts";
import { costBytes, evict, heldBytes } from "./eviction.ts";

const object = (id: number, size = 10): TestObject => ({
  id,
  payload: counting(size, id),
  properties: counting(id % 5, 200),
});

/** The same as frames: an object's id is its timestamp. */
function frameBytes(list: readonly TestObject[]): number[] {
  const group = Group.alone(testContext().pool, 0, 0);
  const writer = new GroupWriter(group, { maxGroupBytes: 1 << 20 });
  for (const { id, payload } of list) writer.frame(id, payload);
  return [...bytesOf(group)];
}

/** A track with a source of objects. */
function objectTrack(by: Convert | null = convert) {
  const context = testContext({}, by ?? undefined);
  const track = new Track("b", "t", context);
  const open = (sequence: number, head: SubgroupHead): ObjectWriter => {
    const subgroup = track.ring.add(sequence, context.clock.now(), 0, head)!;
    track.deliver(subgroup);
    return new ObjectWriter(new GroupWriter(subgroup, { maxGroupBytes: 1 << 20 }));
  };
  const reader = (layout?: "frames" | "objects16" | "objects18") => {
    const one = new FakeReader(LIVE, layout);
    one.then = (subgroup) => void copiers.push({ one, copier: new Copier(subgroup) });
    track.add(one);
    return one;
  };
  const copiers: { one: FakeReader; copier: Copier }[] = [];
  const copied = (subgroup: Subgroup) =>
    copiers.find(({ copier }) => copier.group === subgroup)!.copier.copied;
  const leave = (one: FakeReader) => {
    track.remove(one);
    for (const { one: whose, copier } of copiers) if (whose === one) copier.group.detach(copier);
  };
  return { context, track, open, reader, copied, leave };
}

Deno.test("readers of frames share one copy of a group of objects, merged as the bytes come", () => {
  const { context, track, open, reader, copied, leave } = objectTrack();
  const [one, two, plain] = [reader(), reader(), reader("objects16")];
  const base = open(5, objects(0));
  base.object(object(0));
  assert.deepEqual(copied(one.groups[0]!), frameBytes([object(0)]));
  const more = open(5, objects(1, { endOfGroup: true, publisherPriority: 3 }));
  base.object(object(2)); // waits for object 1, which may still come
  assert.deepEqual(copied(one.groups[0]!), frameBytes([object(0)]));
  more.object(object(1, 300), 200);
  assert.equal(one.groups[0]!.missingBytes, 100, "shown while it comes");
  more.writer.payload(object(1, 300).payload.subarray(200));
  more.writer.commit();
  const all = [object(0), object(1, 300), object(2)];
  assert.deepEqual(copied(one.groups[0]!), frameBytes(all));
  base.writer.finish();
  assert.equal(one.groups[0]!.state, "open");
  more.writer.finish();
  assert.equal(one.groups[0]!.state, "complete");

  assert.deepEqual([one.sequences, two.sequences, plain.sequences], [[5], [5], [5, 5]]);
  assert.equal(one.groups[0], two.groups[0]);
  assert.deepEqual(one.groups[0]!.head, WHOLE_GROUP);
  assert.deepEqual(
    plain.groups.map(({ head }) => head),
    [base, more].map((w) => w.writer.subgroup.head),
  );
  assert.deepEqual(copied(plain.groups[0]!), objectBytes([object(0), object(2)]));
  assert.deepEqual(copied(plain.groups[1]!), objectBytes([object(1, 300)]));
  assert.equal(context.stats.groupsIn, 1);

  for (const reader of [one, two]) leave(reader);
  const late = reader();
  assert.deepEqual(copied(late.groups[0]!), frameBytes(all), "made anew from what is kept");
  for (const reader of [late, plain]) leave(reader);
  track.clear();
  assert.equal(context.pool.stats.inUse, 0);
});

Deno.test("a copy ends with a newer group, or the track, where no subgroup says that it is the last", () => {
  const { context, track, open, reader } = objectTrack();
  const one = reader();
  const writer = open(1, objects(0));
  writer.object(object(0));
  writer.writer.finish();
  assert.equal(one.groups[0]!.state, "open", "another subgroup may come");
  assert.equal(one.groups[0]!.group.supersededAtMs, Infinity);
  context.clock.advance(40);
  open(2, objects(0));
  assert.equal(one.groups[0]!.state, "complete");
  assert.equal(one.groups[0]!.group.supersededAtMs, 40, "a copy ages as its group does");
  assert.equal(one.groups[1]!.state, "open");
  track.ring.get(2)!.end("complete");
  assert.equal(one.groups[1]!.state, "open");
  track.end({ kind: "ended" });
  assert.equal(one.groups[1]!.state, "complete", "nothing more comes of the track");
});

Deno.test("a copy of a group that lost a subgroup has the others, and is cut", () => {
  const { open, reader, copied } = objectTrack();
  const one = reader();
  const [base, more] = [open(1, objects(0, { endOfGroup: true })), open(1, objects(1))];
  base.object(object(0));
  base.object(object(2));
  more.writer.cut();
  assert.deepEqual(copied(one.groups[0]!), frameBytes([object(0), object(2)]));
  base.writer.finish();
  assert.equal(one.groups[0]!.state, "cut");
});

Deno.test("objects are read however the slabs divide them", () => {
  const { track, open, reader, copied } = objectTrack();
  const one = reader();
  const list = Array.from({ length: 40 }, (_, id) => object(id, id * 7 % 90));
  const writer = open(0, objects(0, { endOfGroup: true }));
  for (const each of list) writer.object(each);
  writer.writer.finish();
  assert.ok(track.ring.get(0)!.first.segments.length > 3);
  assert.deepEqual(copied(one.groups[0]!), frameBytes(list));
  assert.equal(one.groups[0]!.frames, 40);
});

Deno.test("where each subgroup is converted by itself there is a copy of each", () => {
  const { open, reader, copied } = objectTrack();
  const [one, two] = [reader("objects18"), reader("objects18")];
  for (const id of [4, 7]) {
    const writer = open(1, objects(id, { publisherPriority: id }));
    writer.object(object(id));
    writer.writer.finish();
  }
  assert.deepEqual(one.groups, two.groups);
  assert.deepEqual(
    one.groups.map(({ head }) => head),
    [4, 7].map((id) => ({
      ...objects(id, { publisherPriority: id }),
      layout: "objects18",
    })),
  );
  one.groups.forEach((group, i) => {
    assert.deepEqual(copied(group).map((byte) => byte ^ 0xff), objectBytes([object([4, 7][i]!)]));
    assert.equal(group.state, "complete");
  });
});

Deno.test("a reader whose layout nothing makes gets no group; that is counted, and the others get theirs", () => {
  for (const by of [null, convert]) {
    const { context, open, reader } = objectTrack(by);
    const [none, plain] = [reader(by === null ? "frames" : "objects18"), reader("objects16")];
    if (by !== null) open(1, WHOLE_GROUP);
    else for (const id of [0, 1]) open(1, objects(id)).object(object(id));
    assert.deepEqual(none.sequences, []);
    assert.deepEqual(plain.sequences, by === null ? [1, 1] : []);
    assert.equal(context.stats.groupsUnconverted, by === null ? 1 : 2);
  }
});

Deno.test("nothing is asked to convert for readers of what is kept", () => {
  const { open, reader } = objectTrack(() => assert.fail("nobody needs it"));
  const frames = [reader(), reader()];
  open(1, WHOLE_GROUP).writer.frame(0, counting(3));
  for (const { sequences } of frames) assert.deepEqual(sequences, [1]);
});

Deno.test("what cannot be converted ends its copy and nothing else", () => {
  const { context, open, reader, copied } = objectTrack();
  const [one, plain] = [reader(), reader("objects16")];
  const writer = open(1, objects(0, { endOfGroup: true }));
  writer.object(object(0));
  writer.object(object(666));
  assert.equal(one.groups[0]!.state, "cut");
  assert.equal(context.stats.groupsUnconverted, 1);
  writer.object(object(667));
  writer.writer.finish();
  assert.deepEqual(copied(plain.groups[0]!), objectBytes([object(0), object(666), object(667)]));
  assert.equal(plain.groups[0]!.state, "complete");
});

Deno.test("a copy that needs the info of the track waits until it is known", () => {
  const waits: Convert = (from, to) => {
    const made = convert(from, to)!;
    return {
      ...made,
      begin(writer, track) {
        const by = made.begin(writer, track);
        return { take: (...args) => track.infoComes ? 0 : by.take(...args) };
      },
    };
  };
  const { track, open, reader, copied } = objectTrack(waits);
  track.infoComes = true;
  const one = reader();
  const writer = open(1, objects(0));
  writer.object(object(0));
  writer.object(object(1));
  assert.deepEqual(copied(one.groups[0]!), []);
  track.infoComes = false;
  assert.deepEqual(copied(one.groups[0]!), frameBytes([object(0), object(1)]));
});

Deno.test("a copy that nobody reads any more follows its group no longer", () => {
  const { context, open, reader, leave } = objectTrack();
  const one = reader();
  const writer = open(1, objects(0));
  writer.object(object(0));
  const source = writer.writer.subgroup;
  assert.equal(source.cursors.length, 1);
  leave(one);
  writer.object(object(1));
  assert.equal(source.cursors.length, 0);
  assert.equal(context.pool.stats.inUse, source.segments.length);
});

Deno.test("a group that is evicted takes its copies along, and they count as its broadcast's", () => {
  const { context, open, reader } = objectTrack();
  const one = reader();
  const writer = open(1, objects(0));
  writer.object(object(0));
  const copy = one.groups[0]!;
  assert.equal(copy.group.owner, "b");
  assert.deepEqual(
    new Set(context.pool.holders),
    new Set([writer.writer.subgroup.group, copy.group]),
  );
  evict(copy.group);
  assert.equal(copy.state, "cut");
  writer.object(object(1));
  assert.equal(writer.writer.subgroup.cursors.length, 0, "it is not filled any more");
  const again = reader();
  assert.deepEqual(again.groups[0]!.frames, 2);
  evict(writer.writer.subgroup.group);
  assert.equal(again.groups[0]!.state, "cut");
});

Deno.test("a group that is evicted frees its copies too, however slow their readers are", () => {
  const { context, track, open } = objectTrack();
  let evictions = 0;
  for (const layout of ["frames", "objects18"] as const) {
    const slow = new FakeReader(LIVE, layout);
    slow.then = (subgroup) => {
      const cursor = {
        slot: -1,
        pump() {},
        evicted() {
          evictions++;
          subgroup.detach(cursor);
        },
      };
      subgroup.attach(cursor);
    };
    track.add(slow);
  }
  const writer = open(1, objects(0));
  writer.object(object(0, 500));
  const { group } = writer.writer.subgroup;
  assert.ok(costBytes(group) > 2 * heldBytes(group));
  evict(group);
  assert.deepEqual([evictions, context.pool.stats.inUse], [2, 0]);
});

Deno.test("a reader that evicts the group while its copy is filled ends the copy once", () => {
  const { context, open, reader } = objectTrack();
  const one = reader();
  const writer = open(1, objects(0));
  const source = writer.writer.subgroup;
  const copy = one.groups[0]!;
  copy.attach({ slot: -1, pump: () => evict(source.group) });
  writer.object(object(0));
  assert.deepEqual([copy.state, source.state, source.cursors.length], ["cut", "cut", 0]);
  const [first, second] = [...copy.cursors];
  copy.detach(first!);
  assert.ok(copy.group.isHeld, "the other one still reads it");
  copy.detach(second!);
  assert.equal(context.pool.stats.inUse, 0);
});

Deno.test("objectHead() writes what the other tests rely on", () => {
  assert.deepEqual([...objectHead({ id: 3, payload: counting(2) }, -1)], [3, 0, 2]);
});
