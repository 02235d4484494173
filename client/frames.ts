/**
 * Reads the frames of a group as they come in.
 *
 * @module
 */
import { FrameWalk } from "../relay/group/frame_layout.ts";
import type { GroupCursor, Subgroup } from "../relay/group/group.ts";
import { QumoError } from "../base/errors.ts";
import { Bell, type WaitOptions } from "../base/bell.ts";

/** One frame. */
export interface Frame {
  /** In the track's timescale; milliseconds unless the track says otherwise. */
  readonly timestamp: number;
  /** A copy that belongs to the caller. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** A group was cut before its end. Frames that were read are right; the rest is lost. */
export class GroupCut extends QumoError {
  /** Stable, for logs and programs. */
  readonly code = "QUMO_GROUP_CUT";
  /** Names the group by its number, `sequence`. */
  constructor(readonly sequence: number) {
    super(`Cannot read group ${sequence} to its end: it was cut short`);
  }
}

/** A group that comes in. Read it to its end or close it: it keeps memory until then. */
export class GroupReader implements Disposable {
  /** Its number. */
  readonly sequence: number;
  /** Index of the first frame. Above 0 if the publisher sent only the rest of the group. */
  readonly startFrame: number;
  readonly #group: Subgroup;
  readonly #cursor: GroupCursor = {
    slot: -1,
    pump: () => this.#bell.ring(),
    evicted: () => this.#evicted(),
  };
  #position = 0;
  readonly #walk = new FrameWalk();
  /** The frame that is being read, and how much of it is here. The next call continues one that was aborted. */
  #partial: { readonly payload: Uint8Array<ArrayBuffer>; at: number } | undefined;
  readonly #bell = new Bell();
  #closed = false;
  #lost = false;

  /** @internal */
  constructor(group: Subgroup) {
    this.#group = group;
    this.sequence = group.sequence;
    this.startFrame = group.startFrame;
    group.attach(this.#cursor);
  }

  /** The next frame, or `undefined` behind the last one. @throws {GroupCut} @throws The signal's reason. */
  async frame(options: WaitOptions = {}): Promise<Frame | undefined> {
    const { signal } = options;
    if (this.#partial === undefined && (this.#closed || !await this.#available(signal))) {
      const cut = this.#lost || !this.#closed && this.#group.state === "cut";
      this.close();
      if (cut) throw new GroupCut(this.sequence);
      return undefined;
    }
    const partial = this.#partial ??= this.#head();
    const { payload } = partial;
    while (partial.at < payload.length) {
      if (!await this.#available(signal)) {
        this.close();
        throw new GroupCut(this.sequence);
      }
      const slice = this.#group.slice(this.#position);
      const room = payload.length - partial.at;
      const piece = slice.length > room ? slice.subarray(0, room) : slice;
      payload.set(piece, partial.at);
      partial.at += piece.length;
      this.#position += piece.length;
    }
    this.#partial = undefined;
    return { timestamp: this.#walk.timestamp, payload };
  }

  /** Every frame, to the end. @throws {GroupCut} */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Frame> {
    try {
      for (;;) {
        const frame = await this.frame();
        if (frame === undefined) return;
        yield frame;
      }
    } finally {
      this.close();
    }
  }

  /** Releases the group. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#lost = false;
    this.#partial = undefined;
    this.#group.detach(this.#cursor);
    this.#bell.ring();
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** The memory is needed elsewhere: the unread rest is lost. */
  #evicted(): void {
    if (this.#closed || this.#group.state === "complete" && this.#position === this.#group.bytes) {
      return;
    }
    this.close();
    this.#lost = true;
  }

  /** Begins a frame. Its head is committed as a whole and lies in one slab. */
  #head() {
    this.#position += this.#walk.head(this.#group.slice(this.#position), 0);
    return { payload: new Uint8Array(this.#walk.size), at: 0 };
  }

  /** Waits for more bytes. @returns false when none will come. */
  async #available(signal: AbortSignal | undefined): Promise<boolean> {
    const group = this.#group;
    while (group.bytes <= this.#position) {
      if (group.state !== "open" || this.#closed) return false;
      await this.#bell.wait(signal);
    }
    return !this.#lost;
  }
}
