import assert from "node:assert/strict";
import fc from "fast-check";
import { bytesOf, counting, testContext } from "../../tests/support/fixtures/relay.ts";
import { FramePool } from "./frame_pool.ts";
import type { Group } from "./group.ts";
import { GroupRing } from "./group_ring.ts";
import { GroupWriter } from "./group_writer.ts";
import { SharedRing, SharedRingReader } from "./shared_ring.ts";
import {
  byteAt,
  type ReaderReport,
  sizeOf,
  type ToReader,
} from "../../tests/support/programs/shared_ring_worker.ts";
import { Track } from "../track.ts";

const LIMITS = { maxGroupBytes: 1 << 20 };

function newShared(capacity: number) {
  const pool = new FramePool({ frameCapacity: 64, arenaBytes: 4096 });
  const shared = new SharedRing(capacity);
  const ring = new GroupRing(pool, capacity);
  ring.observe(shared);
  const reader = new SharedRingReader(shared.descriptor(pool));
  pool.onArena = (index, memory) => {
    assert.ok(memory === undefined || memory instanceof SharedArrayBuffer);
    reader.setArena(index, memory);
  };
  return { pool, shared, ring, reader };
}

/** Everything there is of a group to read, or why not. */
function readAll(reader: SharedRingReader, sequence: number) {
  const group = reader.find(sequence);
  if (group === undefined) return undefined;
  const bytes: number[] = [];
  for (;;) {
    const read = reader.read(group, bytes.length);
    if (typeof read === "string") return read;
    bytes.push(...read.bytes);
    if (read.bytes.length === 0 || read.state !== "open") return { bytes, state: read.state };
  }
}

Deno.test("SharedRingReader reads what the ring's own readers read, also while it grows", () => {
  const { ring, reader } = newShared(4);
  const group = ring.add(5, 0, 3)!;
  assert.deepEqual(reader.newest(), { slot: 0, generation: 2, sequence: 5, startFrame: 3 });
  assert.deepEqual(readAll(reader, 5), { bytes: [], state: "open" });
  const writer = new GroupWriter(group, LIMITS);
  for (let i = 0; i < 8; i++) {
    writer.frame(i, counting(50, i));
    assert.deepEqual(readAll(reader, 5), { bytes: [...bytesOf(group)], state: "open" });
    assert.equal(reader.frames(reader.find(5)!), i + 1);
  }
  writer.finish();
  assert.ok(group.segments.length > 3);
  assert.deepEqual(readAll(reader, 5), { bytes: [...bytesOf(group)], state: "complete" });
});

Deno.test("SharedRingReader sees nothing that was not committed", () => {
  const { ring, reader } = newShared(4);
  const writer = new GroupWriter(ring.add(1, 0)!, LIMITS);
  writer.begin(0, 10);
  writer.payload(counting(4));
  assert.deepEqual(readAll(reader, 1), { bytes: [], state: "open" });
  writer.commit();
  assert.deepEqual(readAll(reader, 1), { bytes: [0, 10, 0, 1, 2, 3], state: "open" });
  writer.cut();
  assert.deepEqual(readAll(reader, 1), { bytes: [0, 10, 0, 1, 2, 3], state: "cut" });
});

Deno.test("SharedRingReader.read() takes no more than its limit", () => {
  const { ring, reader } = newShared(4);
  const writer = new GroupWriter(ring.add(1, 0)!, LIMITS);
  writer.frame(0, counting(10));
  writer.finish();
  const group = reader.find(1)!;
  assert.deepEqual(reader.read(group, 0, 5), {
    bytes: Uint8Array.of(0, 10, 0, 1, 2),
    state: "open",
  });
  assert.deepEqual(reader.read(group, 9, 5), { bytes: counting(3, 7), state: "complete" });
});

Deno.test("SharedRingReader is told that a group has given way, whatever it asks of it", () => {
  const { ring, reader, pool } = newShared(2);
  const writer = new GroupWriter(ring.add(1, 0)!, LIMITS);
  writer.frame(0, counting(10));
  writer.finish();
  const group = reader.find(1)!;
  const before = pool.stats.grown;
  for (const sequence of [2, 3]) {
    const next = new GroupWriter(ring.add(sequence, 0)!, LIMITS);
    next.frame(0, counting(10, 99));
  }
  assert.equal(pool.stats.grown, before + 1, "the third lies where the first one lay");
  assert.equal(reader.read(group, 0), "lagged");
  assert.equal(reader.read(group, 1 << 20), "lagged");
  assert.equal(reader.frames(group), "lagged");
  assert.equal(reader.find(1), undefined);
  assert.equal(reader.newest()?.sequence, 3);
});

Deno.test("SharedRingReader tells an arena that it lacks from a group that is gone", () => {
  const pool = new FramePool({ frameCapacity: 64, arenaBytes: 4096 });
  const shared = new SharedRing(2);
  const reader = new SharedRingReader(shared.descriptor(pool));
  const ring = new GroupRing(pool, 2);
  ring.observe(shared);
  new GroupWriter(ring.add(1, 0)!, LIMITS).frame(0, counting(3));
  assert.equal(readAll(reader, 1), "no-arena");
  const later = new SharedRingReader(shared.descriptor(pool));
  assert.deepEqual(readAll(later, 1), { bytes: [0, 3, 0, 1, 2], state: "open" });
});

Deno.test("SharedRing refuses a pool that no other thread could read", () => {
  const pool = new FramePool({ shared: false });
  pool.get(1);
  assert.throws(() => new SharedRing(1).descriptor(pool), TypeError);
});

Deno.test("SharedRingReader tells sequences apart that share their low 32 bits", () => {
  const { ring, reader } = newShared(4);
  const far = 3 * 2 ** 32 + 7;
  for (const sequence of [7, far]) {
    const writer = new GroupWriter(ring.add(sequence, 0)!, LIMITS);
    writer.frame(0, counting(1, sequence === 7 ? 1 : 2));
  }
  assert.deepEqual(readAll(reader, 7), { bytes: [0, 1, 1], state: "open" });
  assert.deepEqual(readAll(reader, far), { bytes: [0, 1, 2], state: "open" });
  assert.deepEqual(reader.since(8).map((group) => group.sequence), [far]);
});

Deno.test("SharedRing that comes late shows what is kept, and leaves again", () => {
  const { shared, ring, reader } = newShared(4);
  ring.observe(undefined);
  const writers = [1, 2, 3].map((sequence) => new GroupWriter(ring.add(sequence, 0)!, LIMITS));
  for (const writer of writers.slice(1)) writer.frame(0, counting(100));
  writers[1]!.finish();
  assert.deepEqual(reader.since(0), []);
  ring.observe(shared);
  assert.deepEqual(reader.since(0).map((group) => group.sequence), [1, 2, 3]);
  assert.equal(reader.newest()?.sequence, 3);
  assert.deepEqual(readAll(reader, 1), { bytes: [], state: "open" });
  for (const sequence of [2, 3]) {
    const state = sequence === 2 ? "complete" : "open";
    assert.deepEqual(readAll(reader, sequence), {
      bytes: [...bytesOf(ring.get(sequence)!.first)],
      state,
    });
  }
  const slot = reader.find(3)!;
  ring.observe(undefined);
  assert.deepEqual(reader.since(0), []);
  assert.equal(reader.read(slot, 0), "lagged");
  const { changes } = reader;
  writers[2]!.frame(1, counting(1));
  assert.equal(reader.changes, changes, "nobody is told any more");
});

Deno.test("SharedRingReader.readInto() copies into the caller's memory, as much as there is room for", () => {
  const { ring, reader } = newShared(2);
  const writer = new GroupWriter(ring.add(1, 0)!, LIMITS);
  writer.frame(0, counting(10));
  writer.finish();
  const into = new Uint8Array(8);
  const group = reader.find(1)!;
  const first = reader.readInto(group, 0, into);
  assert.ok(typeof first === "object");
  assert.deepEqual([first.length, first.state, [...into]], [8, "open", [0, 10, 0, 1, 2, 3, 4, 5]]);
  const rest = reader.readInto(group, 8, into);
  assert.ok(typeof rest === "object");
  assert.deepEqual([rest.length, rest.state, [...into.subarray(0, 4)]], [4, "complete", [
    6,
    7,
    8,
    9,
  ]]);
  ring.clear();
  assert.equal(reader.readInto(group, 0, into), "lagged");
});

Deno.test("SharedRing is empty after a clear, and follows a track that begins anew", () => {
  const shared = new SharedRing(8);
  const context = testContext();
  const track = new Track("b", "t", context);
  track.ring.observe(shared);
  for (const sequence of [5, 6]) track.deliver(track.ring.add(sequence, 0)!);
  const reader = new SharedRingReader(shared.descriptor(context.pool));
  assert.equal(reader.newest()?.sequence, 6);
  track.clear();
  assert.equal(reader.newest(), undefined);
  assert.deepEqual(reader.since(0), []);
  track.deliver(track.ring.add(0, 0)!);
  assert.equal(reader.newest()?.sequence, 0);
});

Deno.test("SharedRingReader.wait() wakes with the next change, at once when there was one, or in the end", async () => {
  const { ring, reader } = newShared(4);
  const alive = setInterval(() => {}, 1000); // a wait alone does not keep the process going
  const before = reader.changes;
  const woken = reader.wait(before);
  const writer = new GroupWriter(ring.add(1, 0)!, LIMITS);
  assert.equal(await woken, before + 1);
  assert.equal(await reader.wait(before), before + 1);
  assert.equal(await reader.wait(before + 1, 1), before + 1);
  const both = [reader.wait(before + 1), reader.wait(before + 1)];
  writer.frame(0, counting(3));
  assert.deepEqual(await Promise.all(both), [before + 2, before + 2]);
  clearInterval(alive);
});

Deno.test("SharedRingReader always agrees with the ring, whatever happens", () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ add: fc.integer({ min: -3, max: 2 }) }) },
    { weight: 6, arbitrary: fc.record({ write: fc.nat(), size: fc.nat(150) }) },
    fc.record({ end: fc.nat() }),
    fc.record({ expire: fc.nat(10) }),
    { weight: 1, arbitrary: fc.constant({ clear: true }) },
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    const { ring, reader } = newShared(3);
    const writers = new Map<Group, GroupWriter>();
    let [now, highest] = [0, 5];
    for (const step of steps) {
      now++;
      const groups = ring.since(0);
      const pick = (n: number) => writers.get(groups[n % Math.max(1, groups.length)]!);
      if ("add" in step) {
        const sequence = Math.max(0, highest + step.add);
        const group = ring.add(sequence, now);
        if (group === undefined) continue;
        highest = Math.max(highest, sequence);
        writers.set(group.group, new GroupWriter(group, LIMITS));
      } else if ("write" in step) pick(step.write)?.frame(now, counting(step.size, now));
      else if ("end" in step) pick(step.end)?.finish();
      else if ("expire" in step) ring.expire(now - step.expire);
      else ring.clear();
      assert.equal(reader.newest()?.sequence, ring.newest?.sequence);
      assert.deepEqual(
        reader.since(0).map((group) => group.sequence),
        ring.since(0).map((group) => group.sequence),
      );
      for (const group of ring.since(0)) {
        const { sequence, state, first } = group;
        assert.deepEqual(readAll(reader, sequence), { bytes: [...bytesOf(first)], state });
      }
    }
  }));
});

Deno.test("SharedRingReader in four other threads accepts no wrong byte while groups give way under it", async () => {
  const { shared, ring, pool } = newShared(3);
  const last = 6000;
  const workers = Array.from(
    { length: 4 },
    () =>
      new Worker(new URL("../../tests/support/programs/shared_ring_worker.ts", import.meta.url), {
        type: "module",
      }),
  );
  const post = (worker: Worker, message: ToReader) => worker.postMessage(message);
  const reports = workers.map((worker) =>
    new Promise<ReaderReport>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<ReaderReport>) => resolve(data);
      worker.onerror = (event) => reject(event.error ?? new Error(event.message));
      post(worker, { descriptor: shared.descriptor(pool), last });
    })
  );
  pool.onArena = (index, memory) => {
    for (const worker of workers) post(worker, { index, memory: memory as SharedArrayBuffer });
  };
  const buffer = new Uint8Array(sizeOf(1) + 5000);
  for (let sequence = 0; sequence <= last; sequence++) {
    const group = ring.add(sequence, sequence)!;
    const size = sizeOf(sequence);
    for (let i = 0; i < size; i++) buffer[i] = byteAt(sequence, i);
    for (let position = 0; position < size;) {
      assert.ok(group.room(false));
      const chunk = Math.min(size, position + 700);
      position += group.append(buffer.subarray(position, chunk));
      group.commit();
    }
    group.end("complete");
    if (sequence % 64 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const all = await Promise.all(reports);
  for (const worker of workers) worker.terminate();
  for (const report of all) {
    assert.equal(report.wrongBytes, 0);
    assert.ok(report.wholeGroups >= 1, "the last one at least");
    assert.ok(report.acceptedBytes >= sizeOf(last));
  }
  assert.equal(
    pool.stats.inUse,
    ring.since(0).reduce((n, { first }) => n + first.segments.length, 0),
  );
});
