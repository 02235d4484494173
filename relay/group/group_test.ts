import assert from "node:assert/strict";
import { bytesOf, Copier, counting } from "../../tests/support/fixtures/relay.ts";
import { FramePool } from "./frame_pool.ts";
import { Group, type GroupCursor, MAX_SEGMENTS, type Subgroup } from "./group.ts";

function newGroup(pool = new FramePool({ frameCapacity: 64, arenaBytes: 4096 })) {
  return { pool, group: Group.alone(pool, 0, 0) };
}

function fill(group: Subgroup, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    assert.ok(group.room(false));
    at += group.append(bytes.subarray(at));
  }
  group.commit();
}

Deno.test("Group.slice() reads on over several slabs, each as far as it goes", () => {
  const { group } = newGroup();
  const bytes = counting(300);
  fill(group, bytes);
  assert.deepEqual([...bytesOf(group)], [...bytes]);
  assert.deepEqual(group.segments.map((slab) => slab.bytes.length), [64, 64, 128, 256]);
  assert.deepEqual(group.ends, [64, 128, 256, 300]);
  assert.deepEqual([0, 63, 64, 200, 299].map((at) => group.slice(at).length), [64, 1, 64, 56, 1]);
  assert.equal(group.slice(300).length, 0);
});

Deno.test("Group.slice() gives readers at one position one view", () => {
  const { group } = newGroup();
  fill(group, counting(50));
  const one = group.slice(10);
  assert.equal(group.slice(10), one);
  assert.notEqual(group.slice(20), one);
  fill(group, counting(5, 50));
  assert.deepEqual([...group.slice(10)], [...counting(45, 10)]);
});

Deno.test("Group.slice() shows nothing that was not committed", () => {
  const { group } = newGroup();
  group.room(false);
  group.append(counting(10));
  assert.equal(group.slice(0).length, 0);
  assert.equal(group.written, 10);
  group.commit();
  assert.equal(group.slice(0).length, 10);
});

Deno.test("Group wakes its cursors with each commit that shows something, and with its end", () => {
  const { group } = newGroup();
  const cursor = new Copier(group);
  fill(group, counting(10));
  group.commit();
  fill(group, counting(10, 10));
  assert.equal(cursor.pumps, 3);
  group.end("complete");
  group.end("cut");
  assert.equal(cursor.pumps, 4);
  assert.equal(group.state, "complete");
  assert.deepEqual(cursor.copied, [...counting(20)]);
});

Deno.test("Group.commit() shows nothing more once the group has ended", () => {
  const { group } = newGroup();
  group.room(false);
  group.append(counting(5));
  group.end("cut");
  group.append(counting(5));
  group.commit();
  assert.equal(group.bytes, 5);
});

Deno.test("Group.wake() reaches every cursor that stays, whichever leave meanwhile", () => {
  const count = 7;
  for (let leaver = 0; leaver < count; leaver++) {
    for (let left = 0; left < count; left++) {
      const { group } = newGroup();
      const pumped = new Set<GroupCursor>();
      const cursors = Array.from({ length: count }, (_, i): GroupCursor => ({
        slot: -1,
        pump() {
          pumped.add(this);
          if (i !== leaver) return;
          group.detach(this);
          group.detach(cursors[left]!);
          group.detach(cursors[(left + 3) % count]!);
        },
      }));
      for (const cursor of cursors) group.attach(cursor);
      group.wake();
      for (const cursor of group.cursors) assert.ok(pumped.has(cursor));
      assert.ok(group.cursors.every((cursor, slot) => cursor.slot === slot));
      const gone = new Set([leaver, left, (left + 3) % count]);
      assert.equal(group.cursors.length, count - gone.size);
    }
  }
});

Deno.test("Group.wake() survives a cursor that brings another one along", () => {
  const { group } = newGroup();
  let late: Copier | undefined;
  group.attach({ slot: -1, pump: () => void (late ??= new Copier(group)) });
  fill(group, counting(3));
  fill(group, counting(3, 3));
  assert.deepEqual(late?.copied, [...counting(6)]);
});

Deno.test("Group.detach() is harmless when the cursor does not follow, or follows another group", () => {
  const { group, pool } = newGroup();
  const other = Group.alone(pool, 1, 0);
  const cursor = new Copier(group);
  other.detach(cursor);
  assert.equal(group.cursors.length, 1);
  group.detach(cursor);
  group.detach(cursor);
  assert.equal(cursor.slot, -1);
  fill(group, counting(4));
  assert.equal(pool.stats.inUse, 1);
  group.release();
  assert.equal(pool.stats.inUse, 0);
});

Deno.test("Group gives its slabs back with the last release, once", () => {
  const { group, pool } = newGroup();
  fill(group, counting(300));
  const cursor = new Copier(group);
  group.retain();
  group.release();
  group.release();
  assert.equal(pool.stats.inUse, 4);
  assert.deepEqual([...bytesOf(group)], [...counting(300)]);
  group.detach(cursor);
  assert.equal(pool.stats.inUse, 0);
  assert.equal(group.slice(0).length, 0);
  group.release();
  assert.equal(pool.stats.inUse, 0);
  assert.equal(new Set(Array.from({ length: 5 }, () => pool.get(64))).size, 5);
});

Deno.test("Group.room() keeps a frame's head in one slab, and ends after the last segment", () => {
  const { group } = newGroup();
  fill(group, counting(60));
  assert.ok(group.room(true));
  assert.equal(group.segments.length, 2);
  assert.deepEqual(group.ends, [60, 60]);
  fill(group, counting(10, 60));
  assert.deepEqual([...bytesOf(group)], [...counting(70)]);

  const tiny = Group.alone(new FramePool({ frameCapacity: 1, arenaBytes: 1 << 20 }), 0, 0);
  while (tiny.room(false)) tiny.append(tiny.tail());
  assert.equal(tiny.segments.length, MAX_SEGMENTS);
});

Deno.test("Group takes its first slab as large as it is told to expect", () => {
  const pool = new FramePool({ frameCapacity: 64, arenaBytes: 4096 });
  const group = new Group(pool, 0, 0, undefined, 0, 500).first;
  fill(group, counting(500));
  assert.equal(group.segments.length, 1);
  assert.equal(group.segments[0]!.bytes.length, 512);
});

Deno.test("Group tells its observer of every commit and of the end, and of nothing else", () => {
  const { group } = newGroup();
  const seen: [number, string][] = [];
  group.observer = { changed: (g) => seen.push([g.bytes, g.state]) };
  fill(group, counting(5));
  group.commit();
  fill(group, counting(5, 5));
  group.end("complete");
  group.end("complete");
  assert.deepEqual(seen, [[5, "open"], [10, "open"], [10, "complete"]]);
});
