/**
 * The mirror of a group ring in shared memory, so that other threads read the same groups without a lock and without a
 * message per group.
 *
 * A slot shows the first subgroup of its group. Those that come after it are told by message (`server/threads/`): moq-lite has
 * none.
 *
 * The frames lie in shared slabs already. The mirror adds a control block that says which slot holds which group and where
 * its bytes lie. A slot's generation is even while it holds a group and odd while it does not; it moves on before a group's
 * memory is lent again, so a reader copies, looks at the generation once more, and keeps the copy only if it has not moved.
 * While a slot holds a group its fields only grow, each written before the one that lets a reader look at it.
 *
 * @module
 */
import type { FramePool } from "./frame_pool.ts";
import {
  type Group,
  type GroupState,
  MAX_SEGMENTS,
  type Subgroup,
  type SubgroupObserver,
} from "./group.ts";
import type { RingObserver } from "./group_ring.ts";
import type { Marks } from "./group_writer.ts";
import { LAYOUTS, type SubgroupHead, WHOLE_GROUP } from "./subgroup_head.ts";

/** What a reader in another thread needs: post it there. Later arenas follow by {@link FramePool.onArena}. */
export interface SharedRingDescriptor {
  readonly control: SharedArrayBuffer;
  /** By index; gaps are arenas that were handed back. */
  readonly arenas: readonly (SharedArrayBuffer | undefined)[];
}

/** A group as found in the mirror: its first subgroup. Holds nothing: it may be gone at any moment, and reading then says so. */
export interface SharedGroup {
  readonly slot: number;
  readonly generation: number;
  readonly sequence: number;
  readonly startFrame: number;
}

/** Why nothing was read: the group has given way, or its arena has not been posted here yet. */
export type SharedReadFailure = "lagged" | "no-arena";

/** Some bytes of a group. */
export interface SharedRead {
  /** The reader's own copy; empty when there is nothing more yet. */
  readonly bytes: Uint8Array;
  /** "open" as long as more may follow `bytes`; otherwise how the group ended right behind them. */
  readonly state: GroupState;
}

/** What was copied of a subgroup. */
export interface SharedCopy {
  /** How many bytes. */
  readonly length: number;
  /** "open" as long as more may follow; otherwise how the subgroup ended right behind them. */
  readonly state: GroupState;
}

/** Where some bytes of a group lie. */
interface Located extends SharedCopy {
  readonly arena: Uint8Array;
  readonly from: number;
}

const HEAD = { changes: 0, waiting: 1, capacity: 2, newest: 3, added: 4 } as const;
const HEAD_WORDS = 5;
const SLOT = {
  generation: 0,
  sequenceHigh: 1,
  sequenceLow: 2,
  state: 3,
  bytes: 4,
  frames: 5,
  startFrame: 6,
  segments: 7,
  wholeBytes: 8,
  /** What the head says, and the subgroup's number. */
  head: 9,
  idHigh: 10,
  idLow: 11,
  /** From here on: arena, offset, end of each segment. */
  table: 12,
} as const;
const SEGMENT_WORDS = 3;
const SLOT_WORDS = SLOT.table + MAX_SEGMENTS * SEGMENT_WORDS;
const STATES = ["open", "complete", "cut"] as const satisfies readonly GroupState[];
const WORD = 0x1_0000_0000;

/** The writer's side: the ring's observer (see {@link GroupRing.observe}). The ring's capacity must be the same. */
export class SharedRing implements RingObserver, SubgroupObserver {
  readonly control: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  /** The highest sequence here. */
  #newest = -1;

  constructor(capacity: number) {
    this.control = new SharedArrayBuffer(4 * (HEAD_WORDS + capacity * SLOT_WORDS));
    this.#words = new Int32Array(this.control);
    this.#words[HEAD.capacity] = capacity;
    this.#words[HEAD.newest] = -1;
    for (let slot = 0; slot < capacity; slot++) this.#words[at(slot)] = 1;
  }

  /** What readers elsewhere need. The pool must be the ring's, and shared. */
  descriptor(pool: FramePool): SharedRingDescriptor {
    const arenas = pool.arenas().map((memory) => {
      if (memory === undefined || memory instanceof SharedArrayBuffer) return memory;
      throw new TypeError("Cannot share the frames of a pool that is not in shared memory");
    });
    return { control: this.control, arenas };
  }

  added(slot: number, group: Group): void {
    const words = this.#words;
    const base = at(slot);
    store(words, base + SLOT.sequenceHigh, Math.floor(group.sequence / WORD));
    Atomics.store(words, base + SLOT.sequenceLow, group.sequence | 0);
    const { first } = group;
    store(words, base + SLOT.startFrame, first.startFrame);
    store(words, base + SLOT.head, headWord(first.head));
    store(words, base + SLOT.idHigh, Math.floor(first.head.id / WORD));
    store(words, base + SLOT.idLow, first.head.id | 0);
    Atomics.store(words, base + SLOT.segments, 0);
    Atomics.store(words, base + SLOT.frames, 0);
    Atomics.store(words, base + SLOT.bytes, 0);
    store(words, base + SLOT.wholeBytes, 0);
    Atomics.store(words, base + SLOT.state, 0);
    Atomics.add(words, base + SLOT.generation, 1);
    first.observer = this;
    first.observedAs = slot;
    if (group.sequence > this.#newest) {
      this.#newest = group.sequence;
      Atomics.store(words, HEAD.newest, slot);
    }
    Atomics.add(words, HEAD.added, 1);
    this.#announce();
  }

  evicted(slot: number, group: Group): void {
    group.first.observer = undefined;
    if (group.sequence === this.#newest) { // only a ring that is cleared, or has one slot, forgets its newest
      this.#newest = -1;
      Atomics.store(this.#words, HEAD.newest, -1);
    }
    // Read-modify-write, as a fence: the slabs' next bytes must not be seen by anybody before this.
    Atomics.add(this.#words, at(slot) + SLOT.generation, 1);
    this.#announce();
  }

  changed(subgroup: Subgroup): void {
    const words = this.#words;
    const base = at(subgroup.observedAs);
    const { segments, ends } = subgroup;
    const known = words[base + SLOT.segments]!;
    for (let i = Math.max(0, known - 1); i < segments.length; i++) {
      const entry = base + SLOT.table + i * SEGMENT_WORDS;
      if (i >= known) {
        Atomics.store(words, entry, segments[i]!.arena);
        Atomics.store(words, entry + 1, segments[i]!.offset);
      }
      Atomics.store(words, entry + 2, ends[i]!);
    }
    store(words, base + SLOT.segments, segments.length);
    Atomics.store(words, base + SLOT.bytes, subgroup.bytes);
    store(words, base + SLOT.frames, subgroup.frames);
    // A reader of frames sees by itself where one ends.
    if (subgroup.head !== WHOLE_GROUP) store(words, base + SLOT.wholeBytes, subgroup.wholeBytes);
    if (subgroup.state !== "open") {
      Atomics.store(words, base + SLOT.state, subgroup.state === "complete" ? 1 : 2);
    }
    this.#announce();
  }

  #announce(): void {
    Atomics.add(this.#words, HEAD.changes, 1);
    if (Atomics.load(this.#words, HEAD.waiting) > 0) Atomics.notify(this.#words, HEAD.changes);
  }
}

/** The reader's side, in any thread. Never blocks the writer, and holds no group back. */
export class SharedRingReader {
  readonly capacity: number;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #arenas: (Uint8Array | undefined)[] = [];

  constructor(descriptor: SharedRingDescriptor) {
    this.#words = new Int32Array(descriptor.control);
    this.capacity = this.#words[HEAD.capacity]!;
    descriptor.arenas.forEach((memory, index) => this.setArena(index, memory));
  }

  /** An arena that came later, or with `undefined` one that was handed back. */
  setArena(index: number, memory: SharedArrayBuffer | undefined): void {
    this.#arenas[index] = memory && new Uint8Array(memory);
  }

  /** Counts the changes, modulo 2^32. Look at it before reading, then {@link SharedRingReader.wait} from there. */
  get changes(): number {
    return Atomics.load(this.#words, HEAD.changes);
  }

  /** Counts the groups that were added, modulo 2^32. While it stands still there are no new ones. */
  get added(): number {
    return Atomics.load(this.#words, HEAD.added);
  }

  /** The group with the highest sequence. */
  newest(): SharedGroup | undefined {
    for (;;) {
      const slot = Atomics.load(this.#words, HEAD.newest);
      if (slot < 0) return undefined;
      const group = this.#at(slot);
      if (group !== undefined) return group;
      // It gave way between the two looks; unless the writer is in the middle of that, there is a newer one.
      if (Atomics.load(this.#words, HEAD.newest) === slot) return undefined;
    }
  }

  /** The group of this sequence, if it is still kept. Looks at every slot. */
  find(sequence: number): SharedGroup | undefined {
    for (let slot = 0; slot < this.capacity; slot++) {
      const base = at(slot);
      if (Atomics.load(this.#words, base + SLOT.sequenceLow) !== (sequence | 0)) continue;
      const group = this.#at(slot);
      if (group?.sequence === sequence) return group;
    }
    return undefined;
  }

  /** Groups from `from` on, lowest sequence first. */
  since(from: number): SharedGroup[] {
    const out: SharedGroup[] = [];
    for (let slot = 0; slot < this.capacity; slot++) {
      const group = this.#at(slot);
      if (group !== undefined && group.sequence >= from) out.push(group);
    }
    return out.sort((a, b) => a.sequence - b.sequence);
  }

  /** Which subgroup of its group it is. */
  head(group: SharedGroup): SubgroupHead | "lagged" {
    const words = this.#words;
    const base = at(group.slot);
    const word = Atomics.load(words, base + SLOT.head);
    const high = Atomics.load(words, base + SLOT.idHigh);
    const low = Atomics.load(words, base + SLOT.idLow) >>> 0;
    return this.#isCurrent(group) ? headOf(word, high * WORD + low) : "lagged";
  }

  /** How far its records are whole now. What is read after this ends there or behind it. Not told of frames. */
  marks(group: SharedGroup): Marks {
    const words = this.#words;
    const base = at(group.slot);
    const wholeBytes = Atomics.load(words, base + SLOT.wholeBytes);
    return { wholeBytes, frames: Atomics.load(words, base + SLOT.frames) };
  }

  /** Whole frames there are of a group now. */
  frames(group: SharedGroup): number | "lagged" {
    const frames = Atomics.load(this.#words, at(group.slot) + SLOT.frames);
    return this.#isCurrent(group) ? frames : "lagged";
  }

  /**
   * Copies the bytes of a group from `position`, as far as they lie together.
   * @param limit At most this many bytes; no limit when absent.
   */
  read(group: SharedGroup, position: number, limit = Infinity): SharedRead | SharedReadFailure {
    const found = this.#locate(group, position, limit);
    if (typeof found === "string") return found;
    const bytes = found.length === 0 ? EMPTY : new Uint8Array(found.length);
    return this.#copy(group, found, bytes) ? { bytes, state: found.state } : "lagged";
  }

  /**
   * As {@link SharedRingReader.read}, into memory of the caller's: nothing is allocated for the bytes.
   * @returns What was copied; the state is that behind it.
   */
  readInto(
    group: SharedGroup,
    position: number,
    into: Uint8Array,
  ): SharedCopy | SharedReadFailure {
    const found = this.#locate(group, position, into.length);
    if (typeof found === "string") return found;
    return this.#copy(group, found, into) ? found : "lagged";
  }

  #locate(group: SharedGroup, position: number, limit: number): Located | SharedReadFailure {
    const words = this.#words;
    const base = at(group.slot);
    // The state first: a group that has ended when this is read has all its bytes by now.
    const state = STATES[Atomics.load(words, base + SLOT.state)] ?? "open";
    const total = Atomics.load(words, base + SLOT.bytes);
    const count = Atomics.load(words, base + SLOT.segments);
    let start = 0;
    for (let i = 0; i < count && i < MAX_SEGMENTS && position < total; i++) {
      const entry = base + SLOT.table + i * SEGMENT_WORDS;
      const segmentEnd = Atomics.load(words, entry + 2);
      const end = Math.min(segmentEnd, total, position + limit);
      if (position >= Math.min(segmentEnd, total)) {
        start = segmentEnd;
        continue;
      }
      const index = Atomics.load(words, entry);
      const offset = Atomics.load(words, entry + 1) - start;
      // Fields of two groups may be mixed up to here: before they are followed, it has to be certain that they are not.
      if (!this.#isCurrent(group)) return "lagged";
      const arena = this.#arenas[index];
      if (arena === undefined) return "no-arena";
      const length = end - position;
      return { arena, from: offset + position, length, state: end === total ? state : "open" };
    }
    return this.#isCurrent(group) ? { arena: EMPTY, from: 0, length: 0, state } : "lagged";
  }

  /** @returns Whether the bytes were still the group's when the last of them had been copied. */
  #copy(group: SharedGroup, { arena, from, length }: Located, into: Uint8Array): boolean {
    if (length === 0) return true;
    into.set(arena.subarray(from, from + length));
    return this.#isCurrent(group);
  }

  /**
   * Waits until something has changed since `changes` was looked at. Does not keep a process alive by itself.
   * @param timeoutMs Gives up after so many milliseconds; never when absent.
   * @returns The count of changes now; the same when the time ran out.
   */
  async wait(changes: number, timeoutMs = Infinity): Promise<number> {
    const words = this.#words;
    // The writer only wakes when somebody says so first: a wake costs it more than all the rest.
    Atomics.add(words, HEAD.waiting, 1);
    try {
      const { async, value } = Atomics.waitAsync(words, HEAD.changes, changes, timeoutMs);
      if (async) await value;
    } finally {
      Atomics.sub(words, HEAD.waiting, 1);
    }
    return this.changes;
  }

  /** Lets everybody who waits for this ring look again. */
  wake(): void {
    Atomics.notify(this.#words, HEAD.changes);
  }

  #at(slot: number): SharedGroup | undefined {
    const words = this.#words;
    const base = at(slot);
    const generation = Atomics.load(words, base + SLOT.generation);
    if (generation % 2 !== 0) return undefined;
    const high = Atomics.load(words, base + SLOT.sequenceHigh);
    const low = Atomics.load(words, base + SLOT.sequenceLow) >>> 0;
    const startFrame = Atomics.load(words, base + SLOT.startFrame);
    const group = { slot, generation, sequence: high * WORD + low, startFrame };
    return Atomics.load(words, base + SLOT.generation) === generation ? group : undefined;
  }

  /** Adds nothing, but as a read-modify-write: what was copied before this was read before this. */
  #isCurrent({ slot, generation }: SharedGroup): boolean {
    return Atomics.add(this.#words, at(slot) + SLOT.generation, 0) === generation;
  }
}

/** Writes a word of our own where it changes: to look costs next to nothing. */
function store(words: Int32Array, at: number, value: number): void {
  if (words[at] !== value) Atomics.store(words, at, value);
}

function at(slot: number): number {
  return HEAD_WORDS + slot * SLOT_WORDS;
}

/** Layout, whether the group ends with it, and the priority, above which stands 1. */
function headWord({ layout, endOfGroup, publisherPriority = -1 }: SubgroupHead): number {
  return LAYOUTS.indexOf(layout) | Number(endOfGroup) << 8 | (publisherPriority + 1) << 16;
}

const WHOLE_GROUP_WORD = headWord(WHOLE_GROUP);

function headOf(word: number, id: number): SubgroupHead {
  if (word === WHOLE_GROUP_WORD && id === 0) return WHOLE_GROUP;
  const priority = word >> 16;
  return {
    id,
    layout: LAYOUTS[word & 0xff]!,
    endOfGroup: (word >> 8 & 1) === 1,
    ...(priority > 0 && { publisherPriority: priority - 1 }),
  };
}

const EMPTY = new Uint8Array(0);
