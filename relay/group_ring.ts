/**
 * The groups of one track that are kept: a fixed number of slots, filled in order of arrival, the oldest giving way.
 * The group with the highest sequence always stays, so a late joiner starts at once.
 *
 * @module
 */
import type { FramePool } from "./frame_pool.ts";
import { Group } from "./group.ts";

/** Told of every change, so that a mirror in shared memory can follow (see `shared_ring.ts`). */
export interface RingObserver {
  added(slot: number, group: Group): void;
  evicted(slot: number, group: Group): void;
}

export class GroupRing {
  readonly #slots: (Group | undefined)[];
  readonly #bySequence = new Map<number, number>();
  #next = 0;
  /** At or before the slot of the oldest arrival that is kept. */
  #oldest = 0;
  #newest: Group | undefined;
  #sizeHint = 0;
  /** Groups that gave way to newer ones. */
  evicted = 0;

  /**
   * @param capacity Groups kept, at least 1.
   */
  constructor(
    readonly pool: FramePool,
    readonly capacity: number,
    readonly observer?: RingObserver,
  ) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`Cannot make a ring of ${capacity} groups: at least 1 is needed`);
    }
    this.#slots = new Array<Group | undefined>(capacity).fill(undefined);
  }

  /** The group with the highest sequence. */
  get newest(): Group | undefined {
    return this.#newest;
  }

  /** Groups kept now. */
  get size(): number {
    return this.#bySequence.size;
  }

  /** The group of this sequence, if it is still kept. */
  get(sequence: number): Group | undefined {
    const slot = this.#bySequence.get(sequence);
    return slot === undefined ? undefined : this.#slots[slot];
  }

  /**
   * Opens a group. The caller writes into it; the ring owns it.
   * @param now Milliseconds of the same clock for every call.
   * @returns `undefined` when it is here already, or so old that it would push out a newer one.
   */
  add(sequence: number, now: number, startFrame = 0): Group | undefined {
    if (this.#bySequence.has(sequence)) return undefined;
    const newest = this.#newest;
    const isNewest = newest === undefined || sequence > newest.sequence;
    let slot = this.#next;
    if (!isNewest) {
      if (this.#slots[slot] === newest) slot = (slot + 1) % this.capacity;
      const old = this.#slots[slot];
      if (old !== undefined && (old === newest || sequence < old.sequence)) return undefined;
    }
    if (newest !== undefined && newest.written > 0) {
      // A little more than the last group took: the next one like it fits one slab.
      this.#sizeHint = Math.ceil(Math.max(newest.written, this.#sizeHint * 0.9) * 1.05);
    }
    if (this.#slots[slot] !== undefined) {
      this.#evict(slot);
      this.#oldest = (slot + 1) % this.capacity;
    }
    const group = new Group(this.pool, sequence, startFrame, now, this.#sizeHint);
    this.#slots[slot] = group;
    this.#bySequence.set(sequence, slot);
    this.#next = (slot + 1) % this.capacity;
    if (isNewest) this.#newest = group;
    this.observer?.added(slot, group);
    return group;
  }

  /** Kept groups from `from` on, lowest sequence first. */
  since(from: number): Group[] {
    const out: Group[] = [];
    for (const group of this.#slots) {
      if (group !== undefined && group.sequence >= from) out.push(group);
    }
    return out.sort((a, b) => a.sequence - b.sequence);
  }

  /** Forgets the groups that were opened before `openedBeforeMs`, oldest arrival first, but never the newest. */
  expire(openedBeforeMs: number): void {
    while (this.size > 1) {
      const group = this.#slots[this.#oldest];
      if (group !== undefined) {
        if (group === this.#newest || group.openedAtMs >= openedBeforeMs) return;
        this.#evict(this.#oldest);
      }
      this.#oldest = (this.#oldest + 1) % this.capacity;
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#newest = undefined;
    for (let slot = 0; slot < this.capacity; slot++) this.#evict(slot);
  }

  #evict(slot: number): void {
    const group = this.#slots[slot];
    if (group === undefined) return;
    this.#slots[slot] = undefined;
    this.#bySequence.delete(group.sequence);
    this.observer?.evicted(slot, group);
    this.evicted++;
    // One that is still growing has lost its place for good: readers must not take its end for completeness.
    group.end("cut");
    group.release();
  }
}
