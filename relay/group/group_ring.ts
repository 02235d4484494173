/**
 * The kept groups of one track: a fixed number of slots, filled in order of arrival. The oldest group gives way to a new one.
 * The group with the highest sequence always stays, so that a new reader can start at once.
 *
 * @module
 */
import type { FramePool } from "./frame_pool.ts";
import { Group, type GroupKeeper, type Subgroup } from "./group.ts";
import type { Location } from "../reading.ts";
import type { SubgroupHead } from "./subgroup_head.ts";

/** Told of every change: a mirror in shared memory follows the ring (`shared_ring.ts`). */
export interface RingObserver {
  added(slot: number, group: Group): void;
  /** Called before its memory is released. */
  evicted(slot: number, group: Group): void;
}

/** At least this many ring sizes of sequences are remembered after their groups gave way; at most twice as many. */
const REMEMBERED = 8;

/** As many streams as a peer may have open by default. If it sends the newest first, this many older groups still grow. */
const MAX_GROWING = 1000;

export class GroupRing implements GroupKeeper {
  readonly #slots: (Group | undefined)[];
  readonly #bySequence = new Map<number, number>();
  #next = 0;
  /** At or before the slot of the oldest kept arrival. */
  #oldest = 0;
  #newest: Group | undefined;
  #sizeHint = 0;
  /** Groups that gave way and still grow, by sequence. */
  readonly #growing = new Map<number, Group>();
  /**
   * Sequences that were here, so that readers get no group twice, and the highest one that is forgotten. They are two
   * generations, and the older is forgotten as a whole. Taking the oldest out of one set would cost more each time: V8 walks
   * over all that were taken out before.
   */
  #gone = new Set<number>();
  #goneBefore = new Set<number>();
  /** The highest of each generation. */
  #highest = -1;
  #highestBefore = -1;
  #floor = -1;
  /** The largest object of a newest group that had to go. */
  #largestGone: Location | undefined;
  #observer: RingObserver | undefined;
  /** Groups that gave way to newer ones. */
  evicted = 0;

  /**
   * @param capacity Groups kept, at least 1.
   * @param maxGrowing Groups that may still grow after they gave way.
   * @param owner The broadcast they belong to.
   */
  constructor(
    readonly pool: FramePool,
    readonly capacity: number,
    readonly maxGrowing = MAX_GROWING,
    readonly owner = "",
  ) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`Cannot make a ring of ${capacity} groups: at least 1 is needed`);
    }
    this.#slots = new Array<Group | undefined>(capacity).fill(undefined);
  }

  /** Tells `observer` of the kept groups and of every change from now on. It replaces the one before. */
  observe(observer: RingObserver | undefined): void {
    const before = this.#observer;
    this.#observer = observer;
    this.#slots.forEach((group, slot) => {
      if (group === undefined) return;
      before?.evicted(slot, group);
      observer?.added(slot, group);
      const { first } = group;
      if (first.bytes > 0 || first.state !== "open") first.observer?.changed(first);
    });
  }

  /** The group with the highest sequence. */
  get newest(): Group | undefined {
    return this.#newest;
  }

  /** The largest whole object (or frame) there is, or was before its group had to go. */
  get largest(): Location | undefined {
    const gone = this.#largestGone;
    const newest = this.#newest;
    if (newest !== undefined && newest.lastId >= 0) {
      return later({ group: newest.sequence, object: newest.lastId }, gone);
    }
    for (const group of this.since(gone?.group ?? 0).reverse()) {
      const object = group.lastId;
      if (object >= 0) return later({ group: group.sequence, object }, gone);
    }
    return gone;
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
   * Opens a subgroup; the first one opens its group. The caller writes into it, the ring owns the group. A group that is so
   * late that it would replace a newer one is not kept. Only the readers of now get it.
   * @param now Milliseconds of the same clock for every call.
   * @returns `undefined` when the ring has or had the subgroup or its group, or the group has too many subgroups.
   */
  add(sequence: number, now: number, startFrame = 0, head?: SubgroupHead): Subgroup | undefined {
    if (sequence <= this.#floor || this.#wasHere(sequence)) {
      return this.#growing.get(sequence)?.open(head, startFrame);
    }
    const at = this.#bySequence.get(sequence);
    if (at !== undefined) return this.#slots[at]?.open(head, startFrame);
    const newest = this.#newest;
    const isNewest = newest === undefined || sequence > newest.sequence;
    let slot = this.#next;
    if (!isNewest) {
      if (this.#slots[slot] === newest) slot = (slot + 1) % this.capacity;
      const old = this.#slots[slot];
      if (old !== undefined && (old === newest || sequence < old.sequence)) {
        return this.#passOn(this.#make(sequence, startFrame, now, head), now);
      }
    }
    if (newest !== undefined && newest.first.written > 0) {
      // A little more than the last group took, so that a group of this size fits one slab.
      this.#sizeHint = Math.ceil(Math.max(newest.first.written, this.#sizeHint * 0.9) * 1.05);
    }
    const group = this.#make(sequence, startFrame, now, head);
    const old = this.#slots[slot];
    this.#slots[slot] = group;
    this.#bySequence.set(sequence, slot);
    this.#next = (slot + 1) % this.capacity;
    if (isNewest) {
      this.#newest = group;
      newest?.supersede(now);
    } else group.supersede(now);
    if (old !== undefined) {
      this.#oldest = this.#next;
      this.#forget(slot, old);
    }
    this.#observer?.added(slot, group);
    // Last, when the ring is in order again: this wakes readers, which may call the ring.
    if (old !== undefined) this.#letGo(old);
    return group.first;
  }

  /** Whether a group was here, or is older than all that are remembered, and is not kept any more. */
  isGone(sequence: number): boolean {
    return !this.#bySequence.has(sequence) &&
      (sequence <= this.#floor || this.#wasHere(sequence));
  }

  /** Kept groups from `from` on, lowest sequence first. */
  since(from: number): Group[] {
    const out: Group[] = [];
    for (const group of this.#slots) {
      if (group !== undefined && group.sequence >= from) out.push(group);
    }
    return out.sort((a, b) => a.sequence - b.sequence);
  }

  /** Forgets the groups that were superseded before `beforeMs`, oldest arrival first. The newest stays. */
  expire(beforeMs: number): void {
    let passed = 0;
    for (let slot = this.#oldest; this.size > 1 && passed < this.capacity; passed++) {
      const group = this.#slots[slot];
      if (group !== undefined && group !== this.#newest) {
        if (group.supersededAtMs >= beforeMs) return;
        this.#expel(slot, group);
      }
      const next = (slot + 1) % this.capacity;
      if (slot === this.#oldest && this.#slots[slot] === undefined) this.#oldest = next;
      slot = next;
    }
  }

  /** Forgets a group early. @returns false for the newest group and for one that is not kept. */
  drop(group: Group): boolean {
    const slot = this.#bySequence.get(group.sequence);
    if (slot === undefined || this.#slots[slot] !== group || group === this.#newest) return false;
    this.#expel(slot, group);
    return true;
  }

  /** Forgets any group, also the newest: its memory is needed. */
  forget(group: Group): void {
    const slot = this.#bySequence.get(group.sequence);
    if (slot === undefined || this.#slots[slot] !== group) return;
    this.#largestGone = this.largest;
    this.#slots[slot] = undefined;
    if (group === this.#newest) this.#newest = this.since(0).at(-1);
    this.#forget(slot, group);
    group.release();
  }

  /** Releases a group that grew to its end after it gave way. */
  ended(group: Group): void {
    if (this.#growing.size === 0 || this.#growing.get(group.sequence) !== group) return;
    this.#growing.delete(group.sequence);
    group.release();
  }

  /** Groups that gave way and still grow. */
  growing(): Iterable<Group> {
    return this.#growing.values();
  }

  /** Forgets all groups, and which sequences there were. */
  clear(): void {
    this.#newest = undefined;
    for (let slot = 0; slot < this.capacity; slot++) {
      const group = this.#slots[slot];
      if (group === undefined) continue;
      this.#slots[slot] = undefined;
      this.#forget(slot, group);
      cut(group);
    }
    for (const group of [...this.#growing.values()]) group.end("cut");
    this.#gone.clear();
    this.#goneBefore.clear();
    this.#highest = this.#highestBefore = this.#floor = -1;
    this.#largestGone = undefined;
  }

  #make(sequence: number, startFrame: number, now: number, head?: SubgroupHead): Group {
    const group = new Group(this.pool, sequence, now, head, startFrame, this.#sizeHint);
    group.keeper = this;
    return group;
  }

  /** A late group has no slot. It lives until it ends, for its readers. */
  #passOn(group: Group, now: number): Subgroup {
    group.supersede(now);
    this.#remember(group.sequence);
    this.#letGo(group);
    return group.first;
  }

  #wasHere(sequence: number): boolean {
    return this.#gone.has(sequence) || this.#goneBefore.has(sequence);
  }

  #remember(sequence: number): void {
    this.#gone.add(sequence);
    this.#highest = Math.max(this.#highest, sequence);
    if (this.#gone.size < REMEMBERED * this.capacity) return;
    this.#floor = Math.max(this.#floor, this.#highestBefore);
    this.#goneBefore = this.#gone;
    this.#highestBefore = this.#highest;
    this.#gone = new Set();
    this.#highest = -1;
  }

  #expel(slot: number, group: Group): void {
    this.#slots[slot] = undefined;
    this.#forget(slot, group);
    // A reader gets the rest, however late it comes. Without readers the rest is of no use.
    if (group.isRead) this.#letGo(group);
    else cut(group);
  }

  #forget(slot: number, group: Group): void {
    this.#bySequence.delete(group.sequence);
    this.#remember(group.sequence);
    this.evicted++;
    this.#observer?.evicted(slot, group);
  }

  /** Releases a group that gave way. One that still grows is kept until it ends, so that its readers get all of it. */
  #letGo(group: Group): void {
    if (group.state !== "open") return group.release();
    this.#growing.set(group.sequence, group);
    if (this.#growing.size <= this.maxGrowing) return;
    for (const oldest of this.#growing.values()) return oldest.end("cut");
  }
}

/** The later of two locations; one that is not known is the earlier one. */
export function later(a: Location | undefined, b: Location | undefined): Location | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.group > b.group || (a.group === b.group && a.object > b.object) ? a : b;
}

/** Releases a group now. One that still grows is cut, so that nobody takes its end for the real one. */
function cut(group: Group): void {
  group.settle();
  group.end("cut");
  group.release();
}
