/**
 * A mirror of a group ring in shared memory. Other threads read the same groups without a lock and without a message per
 * group.
 *
 * A slot shows the first subgroup of its group. Further ones go by message (`server/threads/`); moq-lite has none.
 *
 * The frames are in shared slabs already. The mirror adds a control block: which slot has which group, and where its bytes
 * are. The generation of a slot is even while it has a group, and odd while it has none. It changes before the memory of the
 * group is lent again. So a reader copies, checks the generation again, and keeps the copy only if it is the same. While a
 * slot has a group, its fields only grow. Each is written before the field that makes a reader look at it.
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
import type { Marks } from "./record_writer.ts";
import { LAYOUTS, type SubgroupHead, WHOLE_GROUP } from "./subgroup_head.ts";

/** What a reader in another thread needs. Post it there; later arenas come by {@link FramePool.onArena}. */
export interface SharedRingDescriptor {
  readonly control: SharedArrayBuffer;
  /** By index; `undefined` for arenas that went back. */
  readonly arenas: readonly (SharedArrayBuffer | undefined)[];
}

/** A group of the mirror: its first subgroup. It is not retained: it may give way at any moment, and then reads fail. */
export interface SharedGroup {
  readonly slot: number;
  readonly generation: number;
  readonly sequence: number;
  readonly startFrame: number;
}

/** Why nothing was read: the group gave way, or its arena has not been posted here yet. */
export type SharedReadFailure = "lagged" | "no-arena";

/** Some bytes of a group. */
export interface SharedRead {
  /** A copy for the reader; empty when there is nothing more yet. */
  readonly bytes: Uint8Array;
  /** "open" if more may follow `bytes`; otherwise how the group ended behind them. */
  readonly state: GroupState;
}

/** What was copied of a subgroup. */
export interface SharedCopy {
  /** How many bytes. */
  readonly length: number;
  /** "open" if more may follow; otherwise how the subgroup ended behind these bytes. */
  readonly state: GroupState;
}

/** Where some bytes of a group are. */
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
  /** Id of the newest whole object plus 1. */
  lastHigh: 12,
  lastLow: 13,
  /** From here on: arena, offset, end of each segment. */
  table: 14,
} as const;
const SEGMENT_WORDS = 3;
const SLOT_WORDS = SLOT.table + MAX_SEGMENTS * SEGMENT_WORDS;
const STATES = ["open", "complete", "cut"] as const satisfies readonly GroupState[];
const WORD = 0x1_0000_0000;

/** The side of the writer: an observer of the ring (see {@link GroupRing.observe}) with the same capacity. */
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

  /** What readers in other threads need. @param pool The pool of the ring; it must be shared. */
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
    store(words, base + SLOT.lastHigh, 0);
    store(words, base + SLOT.lastLow, 0);
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
    if (group.sequence === this.#newest) { // only when the ring is cleared, or has one slot
      this.#newest = -1;
      Atomics.store(this.#words, HEAD.newest, -1);
    }
    // A read-modify-write is a fence: nobody may see the next bytes in these slabs before it.
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
    // A reader of frames finds their ends by itself.
    if (subgroup.head !== WHOLE_GROUP) {
      const last = subgroup.lastId + 1;
      store(words, base + SLOT.lastHigh, Math.floor(last / WORD));
      store(words, base + SLOT.lastLow, last | 0);
      store(words, base + SLOT.wholeBytes, subgroup.wholeBytes);
    }
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

/** The side of a reader, in any thread. It never blocks the writer and retains no group. */
export class SharedRingReader {
  readonly capacity: number;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #arenas: (Uint8Array | undefined)[] = [];

  constructor(descriptor: SharedRingDescriptor) {
    this.#words = new Int32Array(descriptor.control);
    this.capacity = this.#words[HEAD.capacity]!;
    descriptor.arenas.forEach((memory, index) => this.setArena(index, memory));
  }

  /** An arena that came later; `undefined` when it went back. */
  setArena(index: number, memory: SharedArrayBuffer | undefined): void {
    this.#arenas[index] = memory && new Uint8Array(memory);
  }

  /** Number of changes, modulo 2^32. Take it before reading, and give it to {@link SharedRingReader.wait}. */
  get changes(): number {
    return Atomics.load(this.#words, HEAD.changes);
  }

  /** Number of groups that were added, modulo 2^32. */
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
      // It gave way in between. Unless the writer is not done with that, there is a newer one.
      if (Atomics.load(this.#words, HEAD.newest) === slot) return undefined;
    }
  }

  /** The group of this sequence, if it is kept. Looks at every slot. */
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

  /** The head of its first subgroup. */
  head(group: SharedGroup): SubgroupHead | "lagged" {
    const words = this.#words;
    const base = at(group.slot);
    const word = Atomics.load(words, base + SLOT.head);
    const high = Atomics.load(words, base + SLOT.idHigh);
    const low = Atomics.load(words, base + SLOT.idLow) >>> 0;
    return this.#isCurrent(group) ? headOf(word, high * WORD + low) : "lagged";
  }

  /** How far its records are whole: it may be behind bytes that were read before. Not kept for frames. */
  marks(group: SharedGroup): Marks | "lagged" {
    const words = this.#words;
    const base = at(group.slot);
    const wholeBytes = Atomics.load(words, base + SLOT.wholeBytes);
    const frames = Atomics.load(words, base + SLOT.frames);
    const high = Atomics.load(words, base + SLOT.lastHigh);
    const low = Atomics.load(words, base + SLOT.lastLow) >>> 0;
    if (!this.#isCurrent(group)) return "lagged";
    return { wholeBytes, frames, lastId: high * WORD + low - 1 };
  }

  /** How many frames of a group are whole. */
  frames(group: SharedGroup): number | "lagged" {
    const frames = Atomics.load(this.#words, at(group.slot) + SLOT.frames);
    return this.#isCurrent(group) ? frames : "lagged";
  }

  /**
   * Copies the bytes of a group from `position`, as far as they are contiguous.
   * @param limit At most this many bytes; no limit when absent.
   */
  read(group: SharedGroup, position: number, limit = Infinity): SharedRead | SharedReadFailure {
    const found = this.#locate(group, position, limit);
    if (typeof found === "string") return found;
    const bytes = found.length === 0 ? EMPTY : new Uint8Array(found.length);
    return this.#copy(group, found, bytes) ? { bytes, state: found.state } : "lagged";
  }

  /**
   * As {@link SharedRingReader.read}, into memory of the caller.
   * @returns What was copied; the state is the one behind it.
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
    // The state first: if the group has ended by now, all its bytes are here.
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
      // The fields read so far may be of two groups. Check that before they are used.
      if (!this.#isCurrent(group)) return "lagged";
      const arena = this.#arenas[index];
      if (arena === undefined) return "no-arena";
      const length = end - position;
      return { arena, from: offset + position, length, state: end === total ? state : "open" };
    }
    return this.#isCurrent(group) ? { arena: EMPTY, from: 0, length: 0, state } : "lagged";
  }

  /** @returns Whether all copied bytes were those of the group. */
  #copy(group: SharedGroup, { arena, from, length }: Located, into: Uint8Array): boolean {
    if (length === 0) return true;
    into.set(arena.subarray(from, from + length));
    return this.#isCurrent(group);
  }

  /**
   * Waits for a change after `changes` was taken. Does not keep a process alive by itself.
   * @param timeoutMs Gives up after this time, in milliseconds. Default: never.
   * @returns The number of changes now; the same as before when the time is over.
   */
  async wait(changes: number, timeoutMs = Infinity): Promise<number> {
    const words = this.#words;
    // The writer wakes readers only when one says that it waits: a wake costs more than all the rest.
    Atomics.add(words, HEAD.waiting, 1);
    try {
      const { async, value } = Atomics.waitAsync(words, HEAD.changes, changes, timeoutMs);
      if (async) await value;
    } finally {
      Atomics.sub(words, HEAD.waiting, 1);
    }
    return this.changes;
  }

  /** Ends every wait for this ring. */
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

  /** Adds 0, as a read-modify-write: bytes that were copied before are read before it. */
  #isCurrent({ slot, generation }: SharedGroup): boolean {
    return Atomics.add(this.#words, at(slot) + SLOT.generation, 0) === generation;
  }
}

/** Writes a word if it changes: a read costs next to nothing, an atomic write does not. */
function store(words: Int32Array, at: number, value: number): void {
  if (words[at] !== value) Atomics.store(words, at, value);
}

function at(slot: number): number {
  return HEAD_WORDS + slot * SLOT_WORDS;
}

/** The layout, whether the group ends with the subgroup, what else is said of it, and the priority plus 1; 0 for none. */
function headWord(head: SubgroupHead): number {
  const { layout, endOfGroup, publisherPriority = -1, properties, firstObject } = head;
  return LAYOUTS.indexOf(layout) | Number(endOfGroup) << 8 | saidWord(properties) << 9 |
    saidWord(firstObject) << 11 | (publisherPriority + 1) << 16;
}

/** What may be said or not, in two bits. */
function saidWord(said: boolean | undefined): number {
  return said === undefined ? 0 : said ? 2 : 1;
}

const WHOLE_GROUP_WORD = headWord(WHOLE_GROUP);

function headOf(word: number, id: number): SubgroupHead {
  if (word === WHOLE_GROUP_WORD && id === 0) return WHOLE_GROUP;
  const priority = word >> 16;
  const [properties, firstObject] = [word >> 9 & 3, word >> 11 & 3];
  return {
    id,
    layout: LAYOUTS[word & 0xff]!,
    endOfGroup: (word >> 8 & 1) === 1,
    ...(priority > 0 && { publisherPriority: priority - 1 }),
    ...(properties > 0 && { properties: properties === 2 }),
    ...(firstObject > 0 && { firstObject: firstObject === 2 }),
  };
}

const EMPTY = new Uint8Array(0);
