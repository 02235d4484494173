/**
 * Puts frames into a group. A publisher's frame may come in pieces: what is there is shown to readers with the next
 * `commit`, so a large frame is on its way to the viewers before its end has arrived.
 *
 * @module
 */
import { GroupTooLarge } from "../errors.ts";
import { headBytes, writeHead } from "./frame_layout.ts";
import type { Group } from "./group.ts";

/** Counts what came in: a track's own counter, and the relay's. */
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
  /** Frames and bytes that a resumed group has already: a second copy is skipped up to there. */
  #skipFrames: number;
  #skipBytes = 0;
  #frameLeft = 0;
  #leftToOthers = false;

  /**
   * @param startFrame Index of the first frame that will be written; frames the group holds already are skipped.
   */
  constructor(
    readonly group: Group,
    readonly limits: GroupLimits,
    readonly counters: readonly IngressCounter[] = [],
    startFrame = group.startFrame,
  ) {
    this.#skipFrames = group.startFrame + group.frames - startFrame;
  }

  /** Payload bytes still wanted for the frame that was begun. */
  get frameLeft(): number {
    return this.#frameLeft;
  }

  /** Whether the group still takes frames: not once it has ended or given way in its ring. Stop its stream then. */
  get open(): boolean {
    return this.group.state === "open" && !this.#leftToOthers;
  }

  /** Leaves the group as it is to another writer: whatever this one is told from now on is without effect. */
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
   * Begins a frame of `size` payload bytes. What is written to a group that is not open any more is dropped.
   * @param timestamp In the track's timescale, absolute.
   * @throws {GroupTooLarge}
   */
  begin(timestamp: number, size: number): void {
    const group = this.group;
    this.#frameLeft = size;
    if (!this.open) return;
    if (this.#skipFrames > 0) {
      this.#skipFrames--;
      this.#skipBytes = size;
      return;
    }
    if (group.missingBytes > 0) {
      // Another size is another frame: what readers have of this one cannot be completed.
      if (size !== group.frameBytes) return this.cut();
      this.#skipBytes = Math.min(size, group.frameBytes - group.missingBytes);
      return;
    }
    const { maxFrameBytes = Infinity } = this.limits;
    if (size > maxFrameBytes) {
      throw new GroupTooLarge(group.sequence, size, maxFrameBytes, "frame");
    }
    const sinceLast = timestamp - group.lastTimestamp;
    const total = group.written + headBytes(sinceLast, size) + size;
    if (total > this.limits.maxGroupBytes || !group.room(true)) {
      throw new GroupTooLarge(group.sequence, total, this.limits.maxGroupBytes);
    }
    group.advance(writeHead(group.tail(), sinceLast, size));
    group.lastTimestamp = timestamp;
    group.frameBytes = size;
    group.missingBytes = size;
    if (size === 0) this.#frameDone();
  }

  /** Adds payload of the frame that was begun. @returns How many bytes belonged to it. @throws {GroupTooLarge} */
  payload(bytes: Uint8Array): number {
    const group = this.group;
    const n = Math.min(bytes.length, this.#frameLeft);
    this.#frameLeft -= n;
    const skip = Math.min(n, this.#skipBytes);
    this.#skipBytes -= skip;
    let from = skip;
    while (from < n && group.missingBytes > 0 && this.open) {
      if (!group.room(false)) {
        throw new GroupTooLarge(group.sequence, group.written, this.limits.maxGroupBytes);
      }
      const wrote = group.append(bytes.subarray(from, n));
      from += wrote;
      group.missingBytes -= wrote;
      if (group.missingBytes === 0) this.#frameDone();
    }
    return n;
  }

  /** Shows what was added to the readers and wakes them. */
  commit(): void {
    if (!this.#leftToOthers) this.group.commit();
  }

  /** Ends the group in order; one that stops in the middle of a frame is cut instead. */
  finish(): void {
    if (!this.#leftToOthers) this.group.end(this.group.missingBytes > 0 ? "cut" : "complete");
  }

  /** Gives the rest of the group up. */
  cut(): void {
    if (!this.#leftToOthers) this.group.end("cut");
  }

  #frameDone(): void {
    this.group.frames++;
    for (const counter of this.counters) {
      counter.framesIn++;
      counter.bytesIn += this.group.frameBytes;
    }
  }
}
