/**
 * Writes frames into a subgroup, by timestamp and size. A frame may come in pieces. `commit` shows readers what has come, so a
 * large frame is on its way to viewers before its end has arrived. `record_writer.ts` writes the records of other layouts.
 *
 * @module
 */
import { GroupTooLarge } from "../errors.ts";
import { headBytes, writeHead } from "./frame_layout.ts";
import type { Subgroup } from "./group.ts";

/** Counts frames that came in, for a track or for the relay. */
export interface IngressCounter {
  framesIn: number;
  bytesIn: number;
}

export interface GroupLimits {
  /** Most bytes one group may hold, heads included. */
  readonly maxGroupBytes: number;
  /** Most payload bytes of one frame. Default: no limit of its own. */
  readonly maxFrameBytes?: number;
}

export class GroupWriter {
  /** Frames and bytes that a continued subgroup has already. They are skipped when they come again. */
  #skipFrames: number;
  #skipBytes = 0;
  #frameLeft = 0;
  #leftToOthers = false;
  /** What it writes for. */
  from: unknown;

  /**
   * @param startFrame Index of the first frame that will be written. Frames that the subgroup has already are skipped. In
   *   layouts other than "frames" it is the start of the subgroup.
   */
  constructor(
    readonly subgroup: Subgroup,
    readonly limits: GroupLimits,
    readonly counters: readonly IngressCounter[] = [],
    startFrame = subgroup.startFrame,
  ) {
    this.#skipFrames = subgroup.startFrame + subgroup.frames - startFrame;
  }

  /** Payload bytes that are missing from the record that was begun. */
  get frameLeft(): number {
    return this.#frameLeft;
  }

  /** Whether it still takes records. If not, stop its stream. */
  get open(): boolean {
    return this.subgroup.state === "open" && !this.#leftToOthers;
  }

  /** Leaves the subgroup to another writer. Later calls of this one have no effect. */
  leave(): void {
    this.#leftToOthers = true;
  }

  /** Adds a whole frame and shows it. @throws {GroupTooLarge} */
  frame(timestamp: number, payload: Uint8Array): void {
    this.begin(timestamp, payload.length);
    this.payload(payload);
    this.commit();
  }

  /**
   * Begins a frame of `size` payload bytes. Dropped when the subgroup is not open any more.
   * @param timestamp In the track's timescale, absolute.
   * @throws {GroupTooLarge}
   */
  begin(timestamp: number, size: number): void {
    const to = this.subgroup;
    if (!this.next(size)) return;
    if (to.missingBytes > 0) {
      // Another size is another frame: the one that readers have begun cannot be completed.
      if (size !== to.frameBytes) return this.cut();
      this.#skipBytes = Math.min(size, to.frameBytes - to.missingBytes);
      return;
    }
    const sinceLast = timestamp - to.lastTimestamp;
    this.checkSize(headBytes(sinceLast, size), size);
    if (!to.room(true)) throw this.tooLarge(to.written);
    to.advance(writeHead(to.tail(), sinceLast, size));
    to.lastTimestamp = timestamp;
    this.begun(size, 0);
  }

  /** Adds payload of the record that was begun. @returns How many bytes belonged to it. @throws {GroupTooLarge} */
  payload(bytes: Uint8Array): number {
    const to = this.subgroup;
    const n = Math.min(bytes.length, this.#frameLeft);
    this.#frameLeft -= n;
    const skip = Math.min(n, this.#skipBytes);
    this.#skipBytes -= skip;
    let from = skip;
    while (from < n && to.missingBytes > 0 && this.open) {
      if (!to.room(false)) throw this.tooLarge(to.written);
      const wrote = to.append(bytes.subarray(from, n));
      from += wrote;
      to.missingBytes -= wrote;
      if (to.missingBytes === 0) this.#frameDone();
    }
    return n;
  }

  /** Shows readers what was added, and wakes them. */
  commit(): void {
    if (!this.#leftToOthers) this.subgroup.commit();
  }

  /** Ends the subgroup in order. If it stops inside a record, it is cut. */
  finish(): void {
    const { wholeBytes, written } = this.subgroup;
    if (!this.#leftToOthers) this.subgroup.end(wholeBytes < written ? "cut" : "complete");
  }

  /** Ends the subgroup before its time. */
  cut(): void {
    if (!this.#leftToOthers) this.subgroup.end("cut");
  }

  /** A record comes. @returns Whether it is to be written. @internal */
  next(size: number): boolean {
    this.#frameLeft = size;
    if (!this.open) return false;
    if (this.#skipFrames <= 0) return true;
    this.#skipFrames--;
    this.#skipBytes = size;
    return false;
  }

  /** The head of a record is written. @param skip Payload bytes that are here already. @internal */
  begun(size: number, skip: number): void {
    const to = this.subgroup;
    this.#skipBytes = skip;
    to.frameBytes = size;
    to.missingBytes = size - skip;
    if (size === skip) this.#frameDone();
  }

  /** @throws {GroupTooLarge} @internal */
  checkSize(head: number, size: number): void {
    const { maxFrameBytes } = this.limits;
    const to = this.subgroup;
    if (maxFrameBytes !== undefined && size > maxFrameBytes) {
      throw new GroupTooLarge(to.sequence, size, maxFrameBytes, "frame");
    }
    const bytes = to.group.written + head + size;
    if (bytes > this.limits.maxGroupBytes) throw this.tooLarge(bytes);
  }

  /** @internal */
  tooLarge(bytes: number): GroupTooLarge {
    return new GroupTooLarge(this.subgroup.sequence, bytes, this.limits.maxGroupBytes);
  }

  #frameDone(): void {
    const to = this.subgroup;
    to.frames++;
    to.wholeBytes = to.written;
    for (const counter of this.counters) {
      counter.framesIn++;
      counter.bytesIn += to.frameBytes;
    }
  }
}
