/**
 * A group: an ordered run of frames, growing until its publisher ends it, read by any number of cursors while it grows.
 *
 * Frames lie one after another in slabs, in the bytes of the newest wire format (zigzag timestamp delta, size, payload:
 * moq-lite-05 and -06), so a reader that is k frames behind writes one contiguous slice. What was cut short by its
 * publisher ends in the middle of a frame or without `complete`.
 *
 * Memory: a group belongs to its ring and to whoever has it retained; its slabs go back to the pool with the last release.
 *
 * @module
 */
import type { FramePool, Holder, Slab } from "./frame_pool.ts";

/** Something that follows a group as it grows. */
export interface GroupCursor {
  /** Its place among the group's cursors, kept by the group; -1 while it follows none. */
  slot: number;
  /** Called when bytes were added or the group has ended; must not throw. */
  pump(): void;
  /** Its memory is needed: what has not been read of it is lost. Must not throw. */
  evicted?(): void;
}

/** Who keeps a group for those to come. */
export interface GroupKeeper {
  /** The broadcast it belongs to. */
  readonly owner: string;
  /** Keeps it no longer, whichever it is. Harmless when it is not kept. */
  forget(group: Group): void;
}

/** Follows a group for readers elsewhere. Called on the media path: must be quick, must not throw or allocate. */
export interface GroupObserver {
  /** Bytes were shown to readers, or the group has ended. */
  changed(group: Group): void;
}

/** open: more may come. complete: the publisher ended it. cut: the rest is lost. */
export type GroupState = "open" | "complete" | "cut";

/** Most slabs in one group. Each is at least as large as all before it, so no real group comes near. */
export const MAX_SEGMENTS = 16;
/** A frame's head (two varints) never straddles two slabs. */
const HEAD_ROOM = 16;

export class Group implements Holder {
  state: GroupState = "open";
  /** Bytes that readers may see. */
  bytes = 0;
  /** Frames that are whole. */
  frames = 0;
  /** Payload bytes of the frame that is being written, and how many of them are still to come; 0 between frames. */
  frameBytes = 0;
  missingBytes = 0;
  /** Timestamp of the newest frame, in the track's timescale; the next delta counts from it. */
  lastTimestamp = 0;
  readonly segments: Slab[] = [];
  /** Where each segment ends, counted from the group's start. The last one grows. */
  readonly ends: number[] = [];
  readonly cursors: GroupCursor[] = [];
  /** When a newer group came: from then on it ages. Infinity while it is the newest. */
  supersededAtMs = Infinity;
  /** Called once, when the group has ended; for whoever keeps it until then. */
  onEnd: (() => void) | undefined;
  /** Whoever keeps or has kept it. */
  keeper: GroupKeeper | undefined;
  /** Its memory was asked back. */
  isEvicted = false;
  /** Who follows this group, and the number it knows it by. */
  observer: GroupObserver | undefined;
  observedAs = -1;

  #pool: FramePool;
  #refs = 1;
  #written = 0;
  #sizeHint: number;
  #sliceFrom = -1;
  #sliceEnd = -1;
  #slice: Uint8Array | undefined;

  constructor(
    pool: FramePool,
    readonly sequence: number,
    readonly startFrame: number,
    readonly openedAtMs: number,
    sizeHint = 0,
  ) {
    this.#pool = pool;
    this.#sizeHint = sizeHint;
  }

  /** Keeps the bytes alive until {@link Group.release}. */
  retain(): void {
    this.#refs++;
  }

  /** Lets go; the last one gives the memory back. */
  release(): void {
    if (--this.#refs > 0) return;
    this.#pool.holders.delete(this);
    for (const slab of this.segments) this.#pool.put(slab);
    this.segments.length = 0;
    this.ends.length = 0;
    this.#slice = undefined;
    this.#sliceFrom = -1;
  }

  /** Bytes of its slabs. */
  get heldBytes(): number {
    let bytes = 0;
    for (const slab of this.segments) bytes += slab.bytes.length;
    return bytes;
  }

  /** Gives its memory back: it is cut, kept no longer, and lost for those who have not read it to its end. */
  evict(): void {
    if (this.isEvicted) return;
    this.isEvicted = true;
    this.retain();
    this.keeper?.forget(this);
    this.end("cut");
    for (let i = this.cursors.length - 1; i >= 0; i--) this.cursors[i]?.evicted?.();
    this.release();
  }

  /**
   * The bytes from `position` as far as they lie together; empty when there are none. Readers at the same position share one view.
   * Valid while the group is retained; never write into it.
   */
  slice(position: number): Uint8Array {
    if (this.#sliceFrom === position && this.#sliceEnd === this.bytes) return this.#slice!;
    let start = 0;
    for (let i = 0; i < this.segments.length; i++) {
      const end = Math.min(this.ends[i]!, this.bytes);
      if (position < end) {
        this.#slice = this.segments[i]!.bytes.subarray(position - start, end - start);
        this.#sliceFrom = position;
        this.#sliceEnd = this.bytes;
        return this.#slice;
      }
      start = this.ends[i]!;
    }
    return EMPTY;
  }

  /** Room to write in: at least one byte, `HEAD_ROOM` bytes when `head`. Returns false when the group may not grow any more. */
  room(head: boolean): boolean {
    const last = this.segments.length - 1;
    const need = head ? HEAD_ROOM : 1;
    if (last >= 0 && this.#freeInLast() >= need) return true;
    if (this.segments.length === MAX_SEGMENTS) return false;
    if (last < 0) this.#pool.holders.add(this);
    this.segments.push(this.#pool.get(Math.max(this.#written, this.#sizeHint, HEAD_ROOM)));
    this.ends.push(this.#written);
    return true;
  }

  /** The free rest of the last slab; write into it, then {@link Group.advance}. */
  tail(): Uint8Array {
    const slab = this.segments[this.segments.length - 1]!;
    return slab.bytes.subarray(slab.bytes.length - this.#freeInLast());
  }

  /** Copies as much of `bytes` as the last slab takes. @returns How much that was. */
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

  /** Shows what was written to the readers and wakes them: once per chunk, not per frame. Nothing once it has ended. */
  commit(): void {
    if (this.bytes === this.#written || this.state !== "open") return;
    this.bytes = this.#written;
    this.observer?.changed(this);
    this.wake();
  }

  /** Ends the group. Readers that are not at the end yet go on. */
  end(state: "complete" | "cut"): void {
    if (this.state !== "open") return;
    this.bytes = this.#written;
    this.state = state;
    this.observer?.changed(this);
    this.wake();
    const onEnd = this.onEnd;
    this.onEnd = undefined;
    onEnd?.();
  }

  /** Lets every cursor go on; one may leave while this runs. */
  wake(): void {
    const cursors = this.cursors;
    for (let i = cursors.length - 1; i >= 0; i--) cursors[i]?.pump();
  }

  /** Follows this group from now on; retains it. */
  attach(cursor: GroupCursor): void {
    this.retain();
    cursor.slot = this.cursors.push(cursor) - 1;
  }

  /** Stops following; releases it. Harmless when it does not follow. */
  detach(cursor: GroupCursor): void {
    const at = cursor.slot;
    if (this.cursors[at] !== cursor) return;
    const last = this.cursors.pop()!;
    if (last !== cursor) {
      this.cursors[at] = last;
      last.slot = at;
    }
    cursor.slot = -1;
    this.release();
  }

  #freeInLast(): number {
    const last = this.segments.length - 1;
    if (last < 0) return 0;
    const start = last === 0 ? 0 : this.ends[last - 1]!;
    return this.segments[last]!.bytes.length - (this.#written - start);
  }
}

const EMPTY = new Uint8Array(0);
