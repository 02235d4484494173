/**
 * The relay's core: the frame pool, the group ring, waking readers, announcing. Run with `deno bench`.
 *
 * A frame pool that allocates shows in its statistics: the groups "… checked" fail then. Each is declared after the group
 * that it checks, because Deno runs groups in the order of their first bench.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ManualClock } from "../tests/support/manual_clock.ts";
import { FramePool } from "../relay/group/frame_pool.ts";
import type { GroupCursor, Subgroup } from "../relay/group/group.ts";
import { GroupRing } from "../relay/group/group_ring.ts";
import { GroupWriter } from "../relay/group/group_writer.ts";
import { Origin } from "../relay/origin.ts";
import { type BroadcastSource, DEFAULT_TRACK_INFO, type TrackReader } from "../relay/ports.ts";
import { SharedRing, SharedRingReader } from "../relay/group/shared_ring.ts";
import { newRelayStats } from "../relay/stats.ts";
import { Track, type TrackContext } from "../relay/track.ts";
import { RingFollower } from "../server/threads/ring_follower.ts";

const FRAME_BYTES = 1500;
const LIMITS = { groupCacheSize: 8, maxAgeMs: 60_000, maxGroupBytes: 32 << 20 };
const RING_SIZES = [8, 100, 1000, 10_000];
const READER_COUNTS = [1, 10, 100, 1000];

function newContext(): TrackContext {
  return {
    pool: new FramePool(),
    clock: new ManualClock(),
    limits: LIMITS,
    stats: newRelayStats(),
  };
}

/** Keeps results from being optimised away. */
let kept: unknown;

const pool = new FramePool();
pool.put(pool.get(FRAME_BYTES));

Deno.bench("get and put", { group: "frame pool, 1,500 B", baseline: true }, () => {
  const slab = pool.get(FRAME_BYTES);
  kept = slab;
  pool.put(slab);
});

Deno.bench("naive: new Uint8Array", { group: "frame pool, 1,500 B" }, () => {
  kept = new Uint8Array(FRAME_BYTES);
});

Deno.bench("naive: new Uint8Array, filled", { group: "frame pool, 1,500 B" }, () => {
  const bytes = new Uint8Array(FRAME_BYTES);
  bytes.fill(1);
  kept = bytes;
});

Deno.bench("naive: in shared memory", { group: "frame pool, 1,500 B" }, () => {
  kept = new Uint8Array(new SharedArrayBuffer(FRAME_BYTES));
});

const manyPool = new FramePool();
const many = Array.from({ length: 1000 }, () => manyPool.get(FRAME_BYTES));
for (const slab of many) manyPool.put(slab);

Deno.bench(
  "1,000 gets, then 1,000 puts",
  { group: "frame pool, 1,000 at once", baseline: true },
  () => {
    for (let i = 0; i < 1000; i++) many[i] = manyPool.get(FRAME_BYTES);
    for (let i = 0; i < 1000; i++) manyPool.put(many[i]!);
  },
);

const naive = new Array<Uint8Array | undefined>(1000);
Deno.bench("naive: 1,000 new Uint8Array, filled", { group: "frame pool, 1,000 at once" }, () => {
  for (let i = 0; i < 1000; i++) naive[i] = new Uint8Array(FRAME_BYTES).fill(1);
  naive.fill(undefined);
});

Deno.bench("no slab was made but the first", { group: "frame pool, checked" }, () => {
  assert.equal(pool.stats.grown, 1);
  assert.equal(manyPool.stats.grown, 1000);
});

for (const capacity of RING_SIZES) {
  const ring = new GroupRing(new FramePool(), capacity);
  for (let i = 0; i < capacity; i++) ring.add(i, 0);
  let next = capacity;
  Deno.bench(`add to ${capacity}`, { group: "group ring, add", baseline: capacity === 8 }, () => {
    ring.add(next++, 0);
  });
  const still = new GroupRing(new FramePool(), capacity);
  for (let i = 0; i < capacity; i++) still.add(i, 0);
  let asked = 0;
  Deno.bench(`get from ${capacity}`, { group: "group ring, get", baseline: capacity === 8 }, () => {
    kept = still.get(asked++ % capacity);
  });
}

/** A cursor that does what a sender does with each wake: takes the next slice. */
class Cursor implements GroupCursor {
  slot = -1;
  position = 0;
  constructor(readonly group: Subgroup) {
    group.attach(this);
  }
  pump(): void {
    this.position += this.group.slice(this.position).length;
  }
}

const payload = new Uint8Array(1200).fill(7);

/** A group that never fills up: it is replaced from time to time. */
class EndlessGroup {
  readonly #pool = new FramePool();
  readonly #count: number;
  #writer!: GroupWriter;

  constructor(readers: number) {
    this.#count = readers;
    this.#begin();
  }
  #begin(): void {
    const group = new GroupRing(this.#pool, 1).add(0, 0)!;
    for (let i = 0; i < this.#count; i++) new Cursor(group);
    this.#writer = new GroupWriter(group, LIMITS);
  }
  frame(): void {
    if (this.#writer.subgroup.written > 30 << 20) {
      for (const cursor of [...this.#writer.subgroup.cursors]) this.#writer.subgroup.detach(cursor);
      this.#writer.subgroup.release();
      this.#begin();
    }
    this.#writer.frame(0, payload);
  }
}

for (const readers of READER_COUNTS) {
  const group = new EndlessGroup(readers);
  Deno.bench(
    `${readers} readers`,
    { group: "one frame of 1,200 B wakes its readers", baseline: readers === 1 },
    () => group.frame(),
  );
}

class Reader implements TrackReader {
  readonly request = { priority: 1, maxLatencyMs: 0 };
  groups = 0;
  onGroup(): void {
    this.groups++;
  }
  onEnd(): void {}
}

for (const readers of READER_COUNTS) {
  const track = new Track("b", "t", newContext());
  for (let i = 0; i < readers; i++) track.add(new Reader());
  let next = 0;
  Deno.bench(
    `${readers} readers`,
    { group: "a new group is offered", baseline: readers === 1 },
    () => track.deliver(track.ring.add(next++, 0)!),
  );
}

for (const readers of READER_COUNTS) {
  const track = new Track("b", "t", newContext());
  for (let i = 0; i < readers; i++) track.add(new Reader());
  const one = new Reader();
  Deno.bench(
    `beside ${readers} readers`,
    { group: "subscribe and unsubscribe", baseline: readers === 1 },
    () => {
      track.add(one);
      track.remove(one);
    },
  );
}

const source: BroadcastSource = {
  label: "bench",
  trackInfo: () => Promise.resolve(DEFAULT_TRACK_INFO),
  subscribe: () => ({ update() {}, close() {} }),
  fetch: () => Promise.resolve(),
};

Deno.bench("announce and withdraw 10,000, one watcher", { group: "announce" }, () => {
  const origin = new Origin({ context: newContext(), hop: 1n, lingerMs: 0 });
  let events = 0;
  origin.watch({}, () => events++);
  const held = Array.from(
    { length: 10_000 },
    (_, i) => origin.announce(`room/${i}`, source, { hops: [2n], warm: 0, cold: 0 }),
  );
  for (const one of held) one?.end();
  if (events !== 20_000) throw new Error(`the watcher heard ${events} of 20,000`);
});

function writeGroup(ring: GroupRing, sequence: number): void {
  const writer = new GroupWriter(ring.add(sequence, 0)!, LIMITS);
  for (let i = 0; i < 30; i++) writer.frame(i * 33, payload);
  writer.finish();
}

const plainRing = new GroupRing(new FramePool(), 8);
let plainNext = 0;
Deno.bench("30 frames of 1,200 B", { group: "group writer", baseline: true }, () => {
  writeGroup(plainRing, plainNext++);
});

const mirrored = new GroupRing(new FramePool(), 8);
mirrored.observe(new SharedRing(8));
let mirroredNext = 0;
Deno.bench("the same, mirrored in shared memory", { group: "group writer" }, () => {
  writeGroup(mirrored, mirroredNext++);
});

const there = new GroupRing(new FramePool(), 8);
const shown = new SharedRing(8);
there.observe(shown);
const here = new GroupRing(new FramePool(), 8);
const reader = new SharedRingReader(shown.descriptor(there.pool));
there.pool.onArena = (index, memory) => reader.setArena(index, memory as SharedArrayBuffer);
const follower = new RingFollower(
  reader,
  {
    openGroup: (sequence) => new GroupWriter(here.add(sequence, 0)!, LIMITS),
    accepted() {},
    started() {},
    interrupt() {},
    datagram: () => true,
    ended() {},
  },
  { from: 0, end: Infinity },
  (error) => {
    throw error;
  },
);
let thereNext = 0;
/** As another thread does it: the reader looks after each frame. */
function writeAndFollow(): void {
  const writer = new GroupWriter(there.add(thereNext++, 0)!, LIMITS);
  for (let i = 0; i < 30; i++) {
    writer.frame(i * 33, payload);
    follower.poll();
  }
  writer.finish();
  follower.poll();
}

Deno.bench(
  "mirrored, and copied frame by frame into another ring",
  { group: "group writer" },
  () => {
    writeAndFollow();
  },
);

Deno.bench(
  "the rings' pools grew for their first groups only",
  { group: "group writer, checked" },
  () => {
    assert.equal(here.newest?.first.frames, 30);
    for (const ring of [plainRing, mirrored, there, here]) assert.ok(ring.pool.stats.grown < 100);
    kept ??= undefined;
  },
);
