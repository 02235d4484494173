/**
 * Some frames of a group as a group of its own, for the rare reader that asks for frame bounds (06): copied as they come
 * in, the timestamps counted from 0 again. Everybody else reads the shared bytes, and pays nothing for this.
 *
 * @module
 */
import type { FramePool } from "../../relay/group/frame_pool.ts";
import { Group, type GroupCursor } from "../../relay/group/group.ts";
import { GroupWriter } from "../../relay/group/group_writer.ts";
import { getVarint, unzigzag, varintWidth } from "../../wire/varint.ts";

/** Which frames of a group, by their index in it. */
export interface FrameBounds {
  readonly startFrame: number;
  /** Inclusive; to the end of the group when absent. */
  readonly endFrame: number | undefined;
}

/** Whether these bounds leave anything out. */
export function isBounded({ startFrame, endFrame }: FrameBounds): boolean {
  return startFrame > 0 || endFrame !== undefined;
}

/**
 * Copies the frames within `bounds` of a group, those to come too.
 * @returns The copy, retained for the caller, who attaches a reader and releases it. It is cut when the group is, and
 *   given up when its last reader has left.
 */
export function excerpt(source: Group, bounds: FrameBounds, pool: FramePool): Group {
  const startFrame = Math.max(bounds.startFrame, source.startFrame);
  const copy = new Group(pool, source.sequence, startFrame, source.openedAtMs);
  new Excerpt(source, copy, bounds.endFrame ?? Infinity).start();
  return copy;
}

/** The source has the same bounds already. */
const NO_LIMIT = { maxGroupBytes: Infinity };

class Excerpt implements GroupCursor {
  slot = -1;
  #position = 0;
  /** Index of the frame at {@link #position}, or of the one it lies in. */
  #frame: number;
  /** Payload bytes of that frame behind {@link #position}. */
  #left = 0;
  #timestamp = 0;
  #watched = false;
  #done = false;
  readonly #writer: GroupWriter;

  constructor(
    readonly source: Group,
    readonly copy: Group,
    readonly endFrame: number,
  ) {
    this.#frame = source.startFrame;
    this.#writer = new GroupWriter(copy, NO_LIMIT);
  }

  start(): void {
    this.copy.retain();
    this.source.attach(this);
    this.pump();
  }

  pump(): void {
    if (this.#done) return;
    const { source, copy } = this;
    if (copy.cursors.length > 0) this.#watched = true;
    else if (this.#watched) return this.#end("cut");
    while (this.#position < source.bytes && (this.#left > 0 || this.#frame <= this.endFrame)) {
      this.#step(source.slice(this.#position));
    }
    this.#writer.commit();
    if (this.#left === 0 && this.#frame > this.endFrame) this.#end("complete");
    else if (source.state !== "open") this.#end(source.state);
  }

  /** Takes one head, or as much payload as lies together. */
  #step(slice: Uint8Array): void {
    const wanted = this.#frame >= this.copy.startFrame;
    if (this.#left === 0) {
      const sizeAt = varintWidth(slice[0]!);
      this.#timestamp += unzigzag(getVarint(slice, 0));
      this.#left = getVarint(slice, sizeAt);
      this.#position += sizeAt + varintWidth(slice[sizeAt]!);
      if (wanted) this.#writer.begin(this.#timestamp, this.#left);
    } else {
      const piece = slice.subarray(0, this.#left);
      if (wanted) this.#writer.payload(piece);
      this.#position += piece.length;
      this.#left -= piece.length;
    }
    if (this.#left === 0) this.#frame++;
  }

  #end(state: "complete" | "cut"): void {
    this.#done = true;
    if (state === "complete") this.#writer.finish();
    else this.#writer.cut();
    this.source.detach(this);
    this.copy.release();
  }
}
