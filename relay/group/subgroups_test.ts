import assert from "node:assert/strict";
import { GroupTooLarge } from "../errors.ts";
import { bytesOf, Copier, counting } from "../../tests/support/fixtures/relay.ts";
import {
  objectBytes,
  objectHead,
  objects,
  ObjectWriter,
} from "../../tests/support/fixtures/objects.ts";
import { FramePool } from "./frame_pool.ts";
import { Group, MAX_SUBGROUPS, type Subgroup } from "./group.ts";
import { GroupRing } from "./group_ring.ts";
import { GroupWriter } from "./group_writer.ts";
import { beginRecord, RecordCopier } from "./record_writer.ts";
import { evict, heldBytes } from "./eviction.ts";

const LIMITS = { maxGroupBytes: 1 << 20 };

function newRing(capacity: number) {
  const pool = new FramePool({ frameCapacity: 64, arenaBytes: 4096 });
  return { pool, ring: new GroupRing(pool, capacity, undefined, "b") };
}

/** A subgroup with one object whose id is the subgroup's. */
function put(ring: GroupRing, sequence: number, id: number, now = 0): Subgroup | undefined {
  const subgroup = ring.add(sequence, now, 0, objects(id));
  if (subgroup === undefined) return undefined;
  new ObjectWriter(new GroupWriter(subgroup, LIMITS)).object({ id, payload: counting(100, id) });
  return subgroup;
}

Deno.test("GroupRing keeps a group's subgroups in one place, and refuses one that it has had or that has another layout", () => {
  const { ring } = newRing(2);
  const [a, b] = [put(ring, 1, 0)!, put(ring, 1, 3)!];
  assert.equal(a.group, b.group);
  assert.deepEqual(ring.get(1)!.subgroups, [a, b]);
  assert.equal(put(ring, 1, 0), undefined);
  assert.equal(put(ring, 1, 3), undefined);
  assert.equal(ring.add(1, 0, 0, objects(4, { layout: "objects18" })), undefined);
  put(ring, 2, 0);
  assert.equal(ring.size, 2);
  assert.ok(put(ring, 1, 7), "also when it is not the newest any more");
  assert.deepEqual(ring.since(0).map(({ subgroups }) => subgroups.length), [3, 1]);
});

Deno.test("objects go on with a subgroup that has ended, behind its last one; frames do not", () => {
  const { ring } = newRing(2);
  const first = put(ring, 1, 3)!;
  const go = (startFrame: number) => ring.add(1, 0, startFrame, objects(3));
  assert.equal(go(4), undefined, "it is open");
  first.end("cut");
  assert.equal(go(3), undefined, "it has that one");
  const second = go(7)!;
  assert.deepEqual([second.head.id, second.startFrame, second.group], [3, 7, first.group]);
  assert.equal(go(9), undefined, "it is open again");
  second.end("complete");
  assert.ok(go(8), "nothing came in between");
  ring.add(2, 0)!.end("cut");
  assert.equal(ring.add(2, 0, 5), undefined);
});

Deno.test("a group that gives way does so with all its subgroups, and takes more only while one grows", () => {
  const { ring, pool } = newRing(1);
  const [a, b] = [put(ring, 1, 0)!, put(ring, 1, 1)!];
  a.end("complete");
  put(ring, 2, 0);
  assert.equal(ring.get(1), undefined);
  assert.deepEqual([...ring.growing()], [b.group]);
  const late = put(ring, 1, 2)!;
  assert.equal(late.group, b.group);
  assert.equal(put(ring, 1, 1), undefined);
  b.end("complete");
  assert.deepEqual([...ring.growing()], [b.group]);
  late.end("cut");
  assert.deepEqual([...ring.growing()], []);
  assert.equal(put(ring, 1, 4), undefined, "it is gone now");
  assert.equal(pool.stats.inUse, ring.newest!.first.segments.length);
  ring.clear();
  assert.equal(pool.stats.inUse, 0);
});

Deno.test("a group that expires without a reader is cut in all its subgroups; one reader of one keeps them", () => {
  for (const isRead of [false, true]) {
    const { ring, pool } = newRing(4);
    const [a, b] = [put(ring, 1, 0)!, put(ring, 1, 1)!];
    const cursor = isRead ? new Copier(b) : undefined;
    put(ring, 2, 0, 10);
    ring.expire(11);
    assert.equal(ring.get(1), undefined);
    assert.deepEqual([a.state, b.state], isRead ? ["open", "open"] : ["cut", "cut"]);
    for (const one of [a, b]) one.end("complete");
    if (cursor !== undefined) b.detach(cursor);
    assert.equal(pool.stats.inUse, ring.newest!.first.segments.length);
  }
});

Deno.test("a group holds the memory of all its subgroups until nobody holds any of them", () => {
  const { ring, pool } = newRing(2);
  const [a, b] = [put(ring, 1, 0)!, put(ring, 1, 1)!];
  assert.deepEqual([...pool.holders], [a.group]);
  assert.equal(heldBytes(a.group), pool.stats.bytesInUse);
  assert.equal(a.group.owner, "b");
  const evicted: Subgroup[] = [];
  const cursor = (of: Subgroup) => {
    const one = { slot: -1, pump() {}, evicted: () => void evicted.push(of) };
    of.attach(one);
    return one;
  };
  const cursors = [a, b].map((one) => [one, cursor(one)] as const);
  evict(a.group);
  assert.deepEqual([a.state, b.state, ring.size], ["cut", "cut", 0]);
  assert.deepEqual(evicted, [a, b]);
  assert.ok(pool.stats.inUse > 0, "both are read");
  for (const [one, attached] of cursors) {
    assert.deepEqual(
      [...bytesOf(one)],
      objectBytes([{ id: one.head.id, payload: counting(100, one.head.id) }]),
    );
    one.detach(attached);
  }
  assert.deepEqual([pool.stats.inUse, pool.holders.size], [0, 0]);
});

Deno.test("a group takes no more than so many subgroups, and its bytes are those of all of them", () => {
  const { ring } = newRing(1);
  for (let id = 0; id < MAX_SUBGROUPS; id++) assert.ok(ring.add(0, 0, 0, objects(id)));
  assert.equal(ring.add(0, 0, 0, objects(MAX_SUBGROUPS)), undefined);

  const group = new Group(new FramePool(), 0, 0, objects(0));
  const limits = { maxGroupBytes: 25 };
  const [one, two] = [group.first, group.open(objects(1))!].map((to) =>
    new GroupWriter(to, limits)
  );
  const copier = new RecordCopier(one!);
  new ObjectWriter(one!).object({ id: 0, payload: counting(10) });
  new ObjectWriter(two!).object({ id: 0, payload: counting(9) });
  assert.throws(
    () => new ObjectWriter(one!).object({ id: 0, payload: counting(1) }),
    GroupTooLarge,
  );
  assert.throws(
    () => copier.push(counting(2), { frames: 1, wholeBytes: 0, lastId: 0 }),
    GroupTooLarge,
  );
});

Deno.test("GroupWriter knows where the last whole record ends, and cuts what stops behind it", () => {
  const group = Group.alone(new FramePool({ frameCapacity: 16 }), 0, 0, { head: objects(0) });
  const writer = new GroupWriter(group, LIMITS);
  const head = objectHead({ id: 2, payload: counting(50), properties: counting(40) }, -1);
  assert.equal(head.length, 43);
  beginRecord(writer, head, 50, 2);
  assert.deepEqual([group.written, group.wholeBytes, group.frames], [43, 0, 0]);
  assert.equal(group.lastId, -1, "no object is whole yet");
  writer.payload(counting(50));
  assert.deepEqual([group.written, group.wholeBytes, group.frames], [93, 93, 1]);
  assert.equal(group.lastId, 2);
  beginRecord(writer, Uint8Array.of(0, 0, 0), 0, 3);
  assert.deepEqual([group.wholeBytes, group.frames], [96, 2]);
  beginRecord(writer, Uint8Array.of(0, 0, 5), 5, 4);
  writer.finish();
  assert.deepEqual([group.state, group.bytes, group.wholeBytes], ["cut", 99, 96]);
  assert.equal(group.lastId, 3);

  const frames = Group.alone(new FramePool(), 0, 0);
  const plain = new GroupWriter(frames, LIMITS);
  plain.frame(0, counting(5));
  plain.begin(1, 5);
  plain.commit();
  assert.deepEqual([frames.bytes, frames.wholeBytes], [9, 7]);
});

Deno.test("Subgroup.lastId is the index of the newest whole frame, counted from the start of the group", () => {
  const frames = Group.alone(new FramePool(), 0, 0, { startFrame: 7 });
  const writer = new GroupWriter(frames, LIMITS);
  assert.equal(frames.lastId, -1);
  for (let i = 0; i < 2; i++) writer.frame(0, counting(5));
  writer.begin(0, 5);
  assert.equal(frames.lastId, 8);
});

Deno.test("another writer goes on inside a record, wherever the first one broke off", () => {
  const list = [{ id: 1, payload: counting(6), properties: counting(3) }, {
    id: 4,
    payload: counting(8, 50),
  }];
  const all = objectBytes(list);
  for (let broken = 0; broken <= all.length; broken++) {
    const group = Group.alone(new FramePool(), 0, 0, { head: objects(0) });
    // Copied raw, it may stop anywhere: also inside a head.
    const first = new GroupWriter(group, LIMITS);
    const whole = broken >= 12 ? 12 : 0;
    const marks = { frames: whole === 0 ? 0 : 1, wholeBytes: whole, lastId: whole === 0 ? -1 : 1 };
    new RecordCopier(first).push(Uint8Array.from(all.slice(0, broken)), marks);
    first.leave();
    const counters = [{ framesIn: 0, bytesIn: 0 }];
    const second = new ObjectWriter(new GroupWriter(group, LIMITS, counters));
    for (const object of list) second.object(object);
    second.writer.finish();
    assert.deepEqual([...bytesOf(group)], all);
    assert.deepEqual([group.state, group.frames, group.wholeBytes], ["complete", 2, all.length]);
    assert.equal(group.lastId, 4);
    assert.equal(counters[0]!.framesIn, whole === 0 ? 2 : 1);
  }
});

Deno.test("a writer that goes on with other bytes than those that are here cuts the subgroup", () => {
  const begin = () => {
    const group = Group.alone(new FramePool(), 0, 0, { head: objects(0) });
    const writer = new GroupWriter(group, LIMITS);
    beginRecord(writer, Uint8Array.of(0, 0, 9), 9, 0);
    writer.payload(counting(4));
    writer.commit();
    writer.leave();
    return { group, second: new GroupWriter(group, LIMITS) };
  };
  const other = begin();
  beginRecord(other.second, Uint8Array.of(0, 0, 8), 8, 0);
  assert.equal(other.group.state, "cut");
  const raw = begin();
  new RecordCopier(raw.second).push(Uint8Array.of(0, 0, 9, 0, 7), {
    frames: 0,
    wholeBytes: 0,
    lastId: -1,
  });
  assert.equal(raw.group.state, "cut");
  const same = begin();
  const bytes = Uint8Array.of(0, 0, 9, ...counting(9));
  const copier = new RecordCopier(same.second);
  copier.push(bytes.subarray(0, 5), { frames: 0, wholeBytes: 0, lastId: -1 });
  copier.push(bytes.subarray(5), { frames: 1, wholeBytes: 12, lastId: 0 });
  same.second.finish();
  assert.deepEqual([...bytesOf(same.group)], [...bytes]);
  assert.deepEqual([same.group.state, same.group.frames], ["complete", 1]);
});
