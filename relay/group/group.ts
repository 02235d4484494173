/**
 * A group and its subgroups. A subgroup is what one stream carries: records in a named layout. It grows until its publisher
 * ends it, and any number of cursors read it meanwhile. A group of moq-lite has one subgroup. A protocol with objects may send
 * several, in any order.
 *
 * The records of a subgroup lie one after another in slabs, as they go out to readers of its layout. A reader that is k
 * records behind writes one contiguous slice. If the publisher cuts a subgroup, it may end inside a record.
 *
 * Memory: the ring and every reader retain the group. The slabs of all its subgroups go back to the pool with the last
 * release.
 *
 * @module
 */
import type { FramePool, Slab } from "./frame_pool.ts";
import { type SubgroupHead, WHOLE_GROUP } from "./subgroup_head.ts";

/** Something that follows a subgroup as it grows. */
export interface GroupCursor {
  /** Its place among the subgroup's cursors, kept by the subgroup; -1 while it follows none. */
  slot: number;
  /** Called when bytes were added or the subgroup has ended; must not throw. */
  pump(): void;
  /** The memory is needed: the unread rest is lost. Must not throw. */
  evicted?(): void;
}

/** Keeps groups for later readers. */
export interface GroupKeeper {
  /** The broadcast they belong to. */
  readonly owner: string;
  /** Stops keeping a group. Harmless when it is not kept. */
  forget(group: Group): void;
  /** All subgroups that have come have ended. More may come. */
  ended(group: Group): void;
}

/** A copy of a group in another layout, or whatever else follows all its subgroups. Its methods must not throw. */
export interface GroupCopy {
  /** Bytes of its slabs. */
  readonly heldBytes: number;
  /** One more subgroup has come. */
  opened(subgroup: Subgroup): void;
  /** No further subgroup is waited for, or what it had to know of the track is known now. */
  resume(): void;
  /** The memory is needed: its readers lose the unread rest. */
  evict(): void;
}

/** Follows a subgroup for readers in other threads. It is on the media path: it must be fast and not throw or allocate. */
export interface SubgroupObserver {
  /** Bytes were shown to readers, or the subgroup has ended. */
  changed(subgroup: Subgroup): void;
}

/** open: more may come. complete: the publisher ended it. cut: the rest is lost. */
export type GroupState = "open" | "complete" | "cut";

/** Most slabs in one subgroup. Each is at least as large as all before it, so no real group comes near. */
export const MAX_SEGMENTS = 16;
/** Most subgroups in one group: as many as a peer may have streams open by default. */
export const MAX_SUBGROUPS = 1000;
/** A frame's head (two varints) never straddles two slabs. */
const HEAD_ROOM = 16;

export class Group {
  /** The subgroup that came first, and those that came after it, in that order. */
  readonly first: Subgroup;
  others: readonly Subgroup[] = NO_SUBGROUPS;
  /** The same group in other layouts, while somebody reads it. */
  copies: readonly GroupCopy[] = NO_COPIES;
  /** Who keeps it, or kept it. */
  keeper: GroupKeeper | undefined;
  /** Its memory was needed elsewhere. */
  isEvicted = false;
  #supersededAtMs = Infinity;
  /** Bytes of the records in layouts other than "frames". Who writes one counts it here. */
  recordBytes = 0;
  #settled = false;
  #refs = 1;
  /** Of its subgroups: how many are open, whether one was cut, and whether one starts or ends the group. */
  #open = 0;
  #cut = false;
  #starts = false;
  #ends = false;
  /** Its subgroups by number, once it has several: the newest of each. */
  #byId: Map<number, Subgroup> | undefined;

  /**
   * @param head Of its first subgroup, as the two that follow.
   * @param startFrame As {@link Subgroup.startFrame}.
   * @param sizeHint Bytes it will take, as far as known.
   * @param copyOf The group that this one is a copy of, in part or in another layout. It ages as that one does.
   */
  constructor(
    readonly pool: FramePool,
    readonly sequence: number,
    readonly openedAtMs: number,
    head: SubgroupHead = WHOLE_GROUP,
    startFrame = 0,
    sizeHint = 0,
    readonly copyOf?: Group,
  ) {
    this.first = new Subgroup(this, head, startFrame, sizeHint);
    this.#count(this.first);
  }

  /** The subgroup of a new group that no ring keeps. The caller releases it. */
  static alone(
    pool: FramePool,
    sequence: number,
    openedAtMs: number,
    { head, startFrame, copyOf }: AloneOptions = {},
  ): Subgroup {
    return new Group(pool, sequence, openedAtMs, head, startFrame, 0, copyOf).first;
  }

  /**
   * Opens one more subgroup. Its size is unknown, so it takes memory as it grows. Objects may go on with one that has ended:
   * their publisher has paused. They are a subgroup of the same number.
   * @returns `undefined` when it has that one, has too many, or is here in another layout: then another source has the same
   *   group, and it would come twice.
   */
  open(head: SubgroupHead = WHOLE_GROUP, startFrame = 0): Subgroup | undefined {
    const byId = this.#byId ??= new Map([[this.first.head.id, this.first]]);
    const known = byId.get(head.id);
    if (known !== undefined && !isBehind(known, head, startFrame)) return undefined;
    if (this.others.length + 1 === MAX_SUBGROUPS) return undefined;
    if (this.first.head.layout !== head.layout) return undefined;
    const subgroup = new Subgroup(this, head, startFrame, 0);
    byId.set(head.id, subgroup);
    if (this.others === NO_SUBGROUPS) this.others = [subgroup];
    else (this.others as Subgroup[]).push(subgroup);
    this.#count(subgroup);
    for (const copy of this.copies) copy.opened(subgroup);
    return subgroup;
  }

  #count({ startFrame, head }: Subgroup): void {
    this.#open++;
    this.#starts ||= startFrame === 0;
    this.#ends ||= head.endOfGroup;
  }

  /** An object of it has said that it is the last one, where no head of a subgroup has. */
  endsHere(): void {
    this.#ends = true;
  }

  /** All its subgroups, in the order in which they came. */
  get subgroups(): readonly [Subgroup, ...Subgroup[]] {
    return [this.first, ...this.others];
  }

  /** The path of the broadcast whose memory it takes. */
  get owner(): string {
    return (this.keeper ?? this.copyOf?.keeper)?.owner ?? "";
  }

  /** When a newer group came. The group ages from then on. Infinity while it is the newest. */
  get supersededAtMs(): number {
    return this.copyOf === undefined ? this.#supersededAtMs : this.copyOf.supersededAtMs;
  }

  /** A newer group has come. */
  supersede(now: number): void {
    this.#supersededAtMs = now;
    if (this.copies.length > 0) this.settle();
  }

  /** No further subgroup is waited for: a newer group has come, the track has ended, or the group is kept no longer. */
  settle(): void {
    this.#settled = true;
    this.resumeCopies();
  }

  /** Its copies waited for something that is known now. */
  resumeCopies(): void {
    for (const copy of this.copies) copy.resume();
  }

  /** open: one of its subgroups is open. complete: all of them are complete. */
  get state(): GroupState {
    if (this.#open > 0) return "open";
    return this.#cut ? "cut" : "complete";
  }

  /** Whether some subgroup starts with the first frame or object. Otherwise only the rest of the group is here. */
  get fromStart(): boolean {
    return this.#starts;
  }

  /** Whether all its subgroups have ended and no further one is waited for. */
  get isOver(): boolean {
    return this.state !== "open" &&
      (!this.awaitsMore || this.#ends);
  }

  /** Whether further subgroups may come, if one that says that it has the end has overtaken them. */
  get awaitsMore(): boolean {
    return !this.#settled && this.supersededAtMs === Infinity;
  }

  /** Bytes written, of all its subgroups, with those that are missing from records that have begun. */
  get written(): number {
    return this.others.length === 0 ? this.first.written : this.recordBytes;
  }

  /** The highest index of a whole frame, or id of a whole object; -1 while there is none. */
  get lastId(): number {
    if (this.others.length === 0) return this.first.lastId;
    return this.others.reduce((last, { lastId }) => Math.max(last, lastId), this.first.lastId);
  }

  /** Whether one of its subgroups has readers. */
  get isRead(): boolean {
    return this.subgroups.some(({ cursors }) => cursors.length > 0);
  }

  /** Whether its bytes are still here. */
  get isHeld(): boolean {
    return this.#refs > 0;
  }

  /** Keeps the bytes alive until {@link Group.release}. */
  retain(): void {
    this.#refs++;
  }

  /** The last release gives the memory back. Who still writes stops: nobody can read it any more. */
  release(): void {
    if (--this.#refs > 0) return;
    this.end("cut");
    this.pool.holders.delete(this);
    this.first.empty();
    for (const subgroup of this.others) subgroup.empty();
  }

  /** Ends its open subgroups. Readers still read to the end. */
  end(state: "complete" | "cut"): void {
    this.first.end(state);
    for (const subgroup of this.others) subgroup.end(state);
  }

  /** One of its subgroups ends: called before its readers are told. @internal */
  ending(state: GroupState): void {
    this.#open--;
    this.#cut ||= state === "cut";
  }

  /** One of its subgroups has ended. @internal */
  ended(): void {
    if (this.#open === 0) this.keeper?.ended(this);
  }
}

/** Options of a group that no ring keeps. */
interface AloneOptions {
  readonly head?: SubgroupHead;
  readonly startFrame?: number;
  readonly copyOf?: Group;
}

export class Subgroup {
  /** Number of its group. */
  readonly sequence: number;
  state: GroupState = "open";
  /** Bytes that readers may see. */
  bytes = 0;
  /** Where the last whole record ends. A sender that cannot reset its stream can end it there. */
  wholeBytes = 0;
  /** Whole records: frames or objects. */
  frames = 0;
  /** Payload bytes of the record that is being written, and how many are missing. Both 0 between records. */
  frameBytes = 0;
  missingBytes = 0;
  /** Id of the object that is being written or was written last, and of the one before; see {@link Subgroup.lastId}. */
  begunId = -1;
  beforeId = -1;
  /** Timestamp of the newest frame, in the track's timescale; the next delta counts from it. */
  lastTimestamp = 0;
  segments: Slab[] = NO_SLABS;
  /** Where each segment ends, counted from the start. The last one grows. */
  ends: number[] = NO_ENDS;
  readonly cursors: GroupCursor[] = [];
  /** Follows it for readers in other threads, and its number there. */
  observer: SubgroupObserver | undefined;
  observedAs = -1;
  /** Its source was lost, and it was cut for that reason alone. Who reads it may find another source that goes on with it. */
  isLost = false;
  /** Who writes it, where another one may go on with it. */
  writer: { readonly from: unknown; leave(): void } | undefined;

  #written = 0;
  #sizeHint: number;
  #sliceFrom = -1;
  #sliceEnd = -1;
  #slice: Uint8Array | undefined;

  /**
   * @param group It keeps the memory; {@link Group.open} makes this.
   * @param startFrame Index of the first frame, or id of the first object.
   */
  constructor(
    readonly group: Group,
    readonly head: SubgroupHead,
    readonly startFrame: number,
    sizeHint: number,
  ) {
    this.#sizeHint = sizeHint;
    this.sequence = group.sequence;
  }

  /** Index of the newest whole frame, or id of the newest whole object; -1 while there is none. */
  get lastId(): number {
    if (this.head.layout !== "frames") {
      return this.wholeBytes === this.written ? this.begunId : this.beforeId;
    }
    return this.frames === 0 ? -1 : this.startFrame + this.frames - 1;
  }

  /** Keeps the group, and so the bytes, until {@link Subgroup.release}. */
  retain(): void {
    this.group.retain();
  }

  /** Lets go of the group. */
  release(): void {
    this.group.release();
  }

  /** Gives the slabs back with the last release of the group. @internal */
  empty(): void {
    for (const slab of this.segments) this.group.pool.put(slab);
    this.segments = NO_SLABS;
    this.ends = NO_ENDS;
    this.#slice = undefined;
    this.#sliceFrom = -1;
  }

  /**
   * The bytes from `position`, as far as they are contiguous; empty when there are none. Readers at one position share a view.
   * It is valid while the group is retained. Never write into it.
   * @param most Where it ends at the latest. Default: where the bytes end.
   */
  slice(position: number, most: number = this.bytes): Uint8Array {
    if (this.#sliceFrom === position && this.#sliceEnd === most) return this.#slice!;
    let start = 0;
    for (let i = 0; i < this.segments.length; i++) {
      const end = Math.min(this.ends[i]!, most);
      if (position < end) {
        this.#slice = this.segments[i]!.bytes.subarray(position - start, end - start);
        this.#sliceFrom = position;
        this.#sliceEnd = most;
        return this.#slice;
      }
      start = this.ends[i]!;
    }
    return EMPTY;
  }

  /** Makes room for at least one byte, or for `HEAD_ROOM` bytes. @returns false when it may not grow any more. */
  room(head: boolean): boolean {
    const last = this.segments.length - 1;
    const need = head ? HEAD_ROOM : 1;
    if (last >= 0 && this.#freeInLast() >= need) return true;
    if (this.segments.length === MAX_SEGMENTS) return false;
    const { pool } = this.group;
    const slab = pool.get(Math.max(this.#written, this.#sizeHint, HEAD_ROOM));
    if (last < 0) {
      pool.holders.add(this.group);
      this.segments = [slab];
      this.ends = [0];
    } else {
      this.segments.push(slab);
      this.ends.push(this.#written);
    }
    return true;
  }

  /** The free rest of the last slab; write into it, then {@link Subgroup.advance}. */
  tail(): Uint8Array {
    const slab = this.segments[this.segments.length - 1]!;
    return slab.bytes.subarray(slab.bytes.length - this.#freeInLast());
  }

  /** Copies as many of `bytes` as the last slab takes. @returns How many. */
  append(bytes: Uint8Array): number {
    const slab = this.segments[this.segments.length - 1]!;
    const free = this.#freeInLast();
    const n = Math.min(free, bytes.length);
    slab.bytes.set(n === bytes.length ? bytes : bytes.subarray(0, n), slab.bytes.length - free);
    this.advance(n);
    return n;
  }

  advance(bytes: number): void {
    this.#written += bytes;
    this.ends[this.ends.length - 1] = this.#written;
  }

  /** Bytes written, committed or not. */
  get written(): number {
    return this.#written;
  }

  /** Shows readers what was written, and wakes them: once per chunk, not per frame. Harmless when it has ended. */
  commit(): void {
    if (this.bytes === this.#written || this.state !== "open") return;
    this.bytes = this.#written;
    this.observer?.changed(this);
    this.wake();
  }

  /** Ends it. Readers still read to the end. */
  end(state: "complete" | "cut"): void {
    if (this.state !== "open") return;
    this.bytes = this.#written;
    this.state = state;
    this.group.ending(state);
    this.observer?.changed(this);
    this.wake();
    this.group.ended();
  }

  /** Wakes every cursor. Cursors may leave meanwhile. */
  wake(): void {
    const cursors = this.cursors;
    for (let i = cursors.length - 1; i >= 0; i--) cursors[i]?.pump();
  }

  /** Adds a cursor, which retains the group. */
  attach(cursor: GroupCursor): void {
    this.group.retain();
    cursor.slot = this.cursors.push(cursor) - 1;
  }

  /** Removes a cursor, which releases the group. Harmless when it is not attached. */
  detach(cursor: GroupCursor): void {
    const at = cursor.slot;
    if (this.cursors[at] !== cursor) return;
    const last = this.cursors.pop()!;
    if (last !== cursor) {
      this.cursors[at] = last;
      last.slot = at;
    }
    cursor.slot = -1;
    this.group.release();
  }

  #freeInLast(): number {
    const last = this.segments.length - 1;
    if (last < 0) return 0;
    const start = last === 0 ? 0 : this.ends[last - 1]!;
    return this.segments[last]!.bytes.length - (this.#written - start);
  }
}

/** Whether objects from `startFrame` on go on with a subgroup that has ended. */
function isBehind({ state, lastId }: Subgroup, { layout }: SubgroupHead, startFrame: number) {
  return layout !== "frames" && state !== "open" && startFrame > lastId;
}

const EMPTY = new Uint8Array(0);
const NO_COPIES: readonly GroupCopy[] = [];
const NO_SUBGROUPS: readonly Subgroup[] = [];
// Nobody writes into these: with its first slab a subgroup gets lists of its own.
const NO_SLABS: Slab[] = [];
const NO_ENDS: number[] = [];
