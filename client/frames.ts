/**
 * Reads the frames of a group as they come in.
 *
 * @module
 */
import { FrameWalk } from "../relay/group/frame_layout.ts";
import type { Subgroup } from "../relay/group/group.ts";
import { QumoError } from "../base/errors.ts";
import type { WaitOptions } from "../base/bell.ts";
import { Following } from "./following.ts";

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
  readonly #place: Following;
  readonly #walk = new FrameWalk();
  /** The frame that is being read, and how much of it is here. The next call continues one that was aborted. */
  #partial: { readonly payload: Uint8Array<ArrayBuffer>; at: number } | undefined;

  /** @internal */
  constructor(group: Subgroup) {
    this.#place = new Following(group);
    this.sequence = group.sequence;
    this.startFrame = group.startFrame;
  }

  /** The next frame, or `undefined` behind the last one. @throws {GroupCut} @throws The signal's reason. */
  async frame(options: WaitOptions = {}): Promise<Frame | undefined> {
    const { signal } = options;
    const place = this.#place;
    if (this.#partial === undefined && (place.closed || !await place.available(signal))) {
      const cut = place.wasCut;
      this.close();
      if (cut) throw new GroupCut(this.sequence);
      return undefined;
    }
    const partial = this.#partial ??= this.#head();
    const { payload } = partial;
    while (partial.at < payload.length) {
      if (!await place.available(signal)) {
        this.close();
        throw new GroupCut(this.sequence);
      }
      partial.at += place.read(payload, partial.at);
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
    if (this.#place.close()) this.#partial = undefined;
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Begins a frame. Its head is committed as a whole and lies in one slab. */
  #head() {
    this.#place.position += this.#walk.head(this.#place.slice, 0);
    return { payload: new Uint8Array(this.#walk.size), at: 0 };
  }
}
