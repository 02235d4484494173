import assert from "node:assert/strict";
import fc from "fast-check";
import { bytesOf, counting } from "../../tests/support/fixtures/relay.ts";
import { FramePool } from "./frame_pool.ts";
import type { Subgroup } from "./group.ts";
import { GroupRing, type RingObserver } from "./group_ring.ts";
import { GroupWriter } from "./group_writer.ts";

const LIMITS = { maxGroupBytes: 1 << 20 };

function newRing(capacity: number, observer?: RingObserver, maxGrowing?: number) {
  const pool = new FramePool({ frameCapacity: 64, arenaBytes: 4096 });
  const ring = new GroupRing(pool, capacity, maxGrowing);
  ring.observe(observer);
  return { pool, ring };
}

function put(ring: GroupRing, sequence: number, now = 0): Subgroup | undefined {
  const group = ring.add(sequence, now);
  if (group === undefined) return undefined;
  const writer = new GroupWriter(group, LIMITS);
  writer.frame(0, counting(10, sequence));
  writer.finish();
  return group;
}

const kept = (ring: GroupRing) => ring.since(0).map((group) => group.sequence);

Deno.test("GroupRing wraps around: the oldest gives way, its memory comes back", () => {
  const { ring, pool } = newRing(3);
  for (let sequence = 0; sequence < 10; sequence++) assert.ok(put(ring, sequence));
  assert.deepEqual(kept(ring), [7, 8, 9]);
  assert.equal(ring.newest?.sequence, 9);
  assert.equal(ring.evicted, 7);
  assert.equal(ring.size, 3);
  assert.equal(pool.stats.inUse, 3);
  assert.equal(pool.stats.grown, 3);
});

Deno.test("GroupRing of one group keeps the newest alone", () => {
  const { ring } = newRing(1);
  put(ring, 5);
  assert.ok(put(ring, 4), "passed on to those who read now");
  assert.deepEqual(kept(ring), [5]);
  assert.equal(put(ring, 4), undefined, "it was here");
  assert.ok(put(ring, 6));
  assert.deepEqual(kept(ring), [6]);
});

Deno.test("GroupRing refuses a capacity that is no positive integer", () => {
  for (const capacity of [0, -1, 1.5, NaN]) assert.throws(() => newRing(capacity), RangeError);
});

Deno.test("GroupRing takes a group out from under a reader only once the reader lets go of it", () => {
  const { ring, pool } = newRing(2);
  const first = put(ring, 1)!;
  first.retain();
  for (let sequence = 2; sequence < 9; sequence++) put(ring, sequence);
  assert.equal(ring.get(1), undefined);
  assert.deepEqual([...bytesOf(first)], [0, 10, ...counting(10, 1)]);
  assert.equal(pool.stats.inUse, 3);
  first.release();
  assert.equal(pool.stats.inUse, 2);
});

Deno.test("GroupRing lets a group that gives way grow to its end, for those who read it", () => {
  const { ring, pool } = newRing(2);
  const first = ring.add(1, 0)!;
  const writer = new GroupWriter(first, LIMITS);
  writer.frame(0, counting(10));
  put(ring, 2);
  put(ring, 3);
  assert.equal(ring.get(1), undefined);
  assert.equal(first.state, "open");
  writer.frame(0, counting(10));
  assert.equal(first.frames, 2);
  assert.equal(pool.stats.inUse, 3);
  writer.finish();
  assert.equal(first.state, "complete");
  assert.equal(pool.stats.inUse, 2);
});

Deno.test("GroupRing cuts the oldest of those that grow on, when they are too many", () => {
  const { ring, pool } = newRing(2, undefined, 2);
  const groups = Array.from({ length: 5 }, (_, i) => ring.add(i, 0)!);
  assert.deepEqual(groups.map(({ state }) => state), ["cut", "open", "open", "open", "open"]);
  ring.clear();
  assert.ok(groups.every(({ state }) => state === "cut"));
  assert.equal(pool.stats.inUse, 0);
});

Deno.test("GroupRing is in order already when an evicted group's readers hear of it", () => {
  const { ring } = newRing(1, undefined, 1);
  const [first, second] = [ring.add(1, 0)!, ring.add(2, 0)!];
  let seen: number[] = [];
  let newest: number | undefined;
  first.attach({
    slot: -1,
    pump: () => [seen, newest] = [kept(ring), ring.newest?.sequence],
  });
  assert.equal(second.state, "open");
  ring.add(3, 0); // two that grow on are one too many for a ring of one slot
  assert.equal(first.state, "cut");
  assert.deepEqual(seen, [3]);
  assert.equal(newest, 3);
});

Deno.test("GroupRing takes groups out of order and refuses those it has or had", () => {
  const { ring } = newRing(4);
  for (const sequence of [5, 3, 4]) assert.ok(put(ring, sequence));
  for (const sequence of [3, 4, 5]) assert.equal(put(ring, sequence), undefined);
  assert.deepEqual(kept(ring), [3, 4, 5]);
  assert.equal(ring.newest?.sequence, 5);
  for (const sequence of [6, 7]) put(ring, sequence);
  assert.equal(ring.get(5), undefined, "5 came first");
  assert.equal(put(ring, 5), undefined);
});

Deno.test("GroupRing never lets a late group push out a newer one, nor the newest at all", () => {
  const { ring } = newRing(3);
  for (const sequence of [20, 11, 12]) put(ring, sequence);
  assert.ok(put(ring, 10), "passed on to those who read now");
  assert.deepEqual(kept(ring), [11, 12, 20]);
  assert.ok(put(ring, 15));
  assert.deepEqual(kept(ring), [12, 15, 20]);
});

Deno.test("GroupRing hands no late group out twice, and gives its memory back with its end", () => {
  const { ring, pool } = newRing(2);
  for (const sequence of [10, 11]) put(ring, sequence);
  const late = ring.add(3, 0)!;
  assert.equal(ring.add(3, 0), undefined);
  assert.equal(ring.get(3), undefined);
  const writer = new GroupWriter(late, LIMITS);
  writer.frame(0, counting(10));
  assert.equal(pool.stats.inUse, 3);
  writer.finish();
  assert.equal(pool.stats.inUse, 2);
  assert.equal(ring.add(3, 0), undefined);
});

Deno.test("GroupRing.expire() forgets by how long a newer group has been there, never the newest", () => {
  const { ring, pool } = newRing(8);
  for (let sequence = 0; sequence < 5; sequence++) put(ring, sequence, sequence * 100);
  ring.expire(200); // 0 was superseded at 100, 1 at 200
  assert.deepEqual(kept(ring), [1, 2, 3, 4]);
  ring.expire(10_000);
  assert.deepEqual(kept(ring), [4]);
  assert.equal(pool.stats.inUse, 1);
  assert.equal(put(ring, 3, 10_000), undefined, "it was here");
});

Deno.test("GroupRing.expire() passes over the newest to those that came later", () => {
  const { ring } = newRing(4);
  for (const sequence of [9, 1, 2]) put(ring, sequence);
  ring.expire(10);
  assert.deepEqual(kept(ring), [9]);
});

Deno.test("GroupRing.clear() forgets all, and numbers may begin anew", () => {
  const { ring, pool } = newRing(4);
  for (let sequence = 0; sequence < 9; sequence++) put(ring, sequence);
  ring.clear();
  assert.equal(ring.size, 0);
  assert.equal(ring.newest, undefined);
  assert.equal(pool.stats.inUse, 0);
  assert.ok(put(ring, 0));
  assert.deepEqual(kept(ring), [0]);
});

Deno.test("GroupRing tells its observer of each change before any memory is let go", () => {
  const news: string[] = [];
  const slots = new Map<number, number>();
  const pool = new FramePool({ frameCapacity: 64, arenaBytes: 4096 });
  const ring = new GroupRing(pool, 2);
  ring.observe({
    added(slot, group) {
      assert.equal(slots.has(slot), false);
      slots.set(slot, group.sequence);
      news.push(`+${group.sequence}`);
    },
    evicted(slot, group) {
      assert.equal(slots.get(slot), group.sequence);
      slots.delete(slot);
      news.push(`-${group.sequence} (${pool.stats.inUse} slabs)`);
    },
  });
  for (const sequence of [1, 2, 3]) put(ring, sequence);
  ring.expire(1);
  ring.clear();
  assert.deepEqual(news, ["+1", "+2", "-1 (2 slabs)", "+3", "-2 (2 slabs)", "-3 (1 slabs)"]);
});

/** The ring's rule as a queue of places, front next to be filled; places may be empty. */
class NaiveRing {
  places: ({ sequence: number; supersededMs: number } | undefined)[];
  readonly gone: number[] = [];
  remembered = 0;
  floor = -1;

  constructor(readonly capacity: number) {
    this.places = new Array(capacity).fill(undefined);
  }
  get all(): { sequence: number; supersededMs: number }[] {
    return this.places.filter((place) => place !== undefined);
  }
  get sequences(): number[] {
    return this.all.map((place) => place.sequence).sort((a, b) => a - b);
  }
  get newest(): number {
    return Math.max(-1, ...this.sequences);
  }
  remember(sequence: number): void {
    this.gone.push(sequence);
    // Eight rings of them are one generation, and the one before the last is forgotten.
    if (++this.remembered % (8 * this.capacity) !== 0) return;
    this.floor = Math.max(this.floor, ...this.gone.splice(0, this.gone.length - 8 * this.capacity));
  }
  add(sequence: number, atMs: number): boolean {
    if (sequence <= this.floor || this.gone.includes(sequence)) return false;
    if (this.sequences.includes(sequence)) return false;
    const places = [...this.places];
    if (sequence < this.newest && places[0]?.sequence === this.newest) places.push(places.shift());
    const old = places.shift();
    if (old !== undefined && sequence < this.newest) {
      if (old.sequence === this.newest || sequence < old.sequence) {
        this.remember(sequence); // passed on, not kept
        return true;
      }
    }
    if (old !== undefined) this.remember(old.sequence);
    const newest = this.all.find((place) => place.sequence === this.newest);
    const isNewest = newest === undefined || sequence > newest.sequence;
    if (isNewest && newest !== undefined) newest.supersededMs = atMs;
    this.places = [...places, { sequence, supersededMs: isNewest ? Infinity : atMs }];
    return true;
  }
  expire(beforeMs: number): void {
    const newest = this.newest;
    for (const [i, place] of this.places.entries()) {
      if (place === undefined || place.sequence === newest) continue;
      if (place.supersededMs >= beforeMs) return; // those behind it came later, but for a newest that was passed over
      this.places[i] = undefined;
      this.remember(place.sequence);
    }
  }
}

Deno.test("GroupRing.expire() lets those who follow a group have the rest of it, and cuts what nobody reads", () => {
  const { ring, pool } = newRing(8);
  const [followed, unread] = [ring.add(1, 0)!, ring.add(2, 0)!];
  const cursor = { slot: -1, pump() {} };
  followed.attach(cursor);
  put(ring, 3, 0);
  ring.expire(1000);
  assert.deepEqual([followed.state, unread.state], ["open", "cut"]);
  assert.deepEqual(kept(ring), [3]);
  const writer = new GroupWriter(followed, LIMITS);
  writer.frame(0, counting(10));
  writer.finish();
  assert.equal(followed.state, "complete");
  followed.detach(cursor);
  assert.equal(pool.stats.inUse, 1);
});

Deno.test("GroupRing knows the sequences of its last eight rings, and takes none that is older", () => {
  const { ring } = newRing(4);
  for (let sequence = 0; sequence < 1000; sequence += 2) assert.ok(put(ring, sequence));
  const newest = ring.newest!.sequence;
  const rings = (count: number) => 2 * count * ring.capacity;
  for (let sequence = 0; sequence <= newest; sequence += 2) {
    assert.equal(ring.add(sequence, 0), undefined, `${sequence} was here`);
  }
  assert.ok(ring.add(newest - rings(8) + 1, 0), "one that never came is still taken");
  assert.equal(ring.add(newest - rings(18) + 1, 0), undefined, "nobody knows whether it came");
});

Deno.test("GroupRing does what a naive list does, whatever happens", () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ ahead: fc.integer({ min: -6, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ ageMs: fc.nat(30) }) },
    { weight: 1, arbitrary: fc.record({ retain: fc.nat() }) },
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.array(step, { maxLength: 200 }),
      (capacity, steps) => {
        const { ring, pool } = newRing(capacity);
        const model = new NaiveRing(capacity);
        const retained: Subgroup[] = [];
        let now = 0;
        let highest = 5;
        for (const step of steps) {
          now += 3;
          if ("ahead" in step) {
            const sequence = Math.max(0, highest + step.ahead);
            const group = put(ring, sequence, now);
            assert.equal(group !== undefined, model.add(sequence, now), `group ${sequence}`);
            if (group !== undefined) highest = Math.max(highest, sequence);
          } else if ("ageMs" in step) {
            ring.expire(now - step.ageMs);
            model.expire(now - step.ageMs);
          } else if (ring.size > 0) {
            const group = ring.since(0)[step.retain % ring.size]!.first;
            group.retain();
            retained.push(group);
          }
          assert.deepEqual(kept(ring), model.sequences);
          assert.equal(ring.newest?.sequence ?? -1, model.newest);
          const all = ring.since(0).map(({ first }) => first);
          for (const group of [...retained, ...all]) {
            assert.deepEqual([...bytesOf(group)], [0, 10, ...counting(10, group.sequence)]);
          }
        }
        for (const group of retained) group.release();
        assert.equal(pool.stats.inUse, ring.size);
        ring.clear();
        assert.equal(pool.stats.inUse, 0);
      },
    ),
    { numRuns: 300 },
  );
});
