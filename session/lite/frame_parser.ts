/**
 * Writes the frames of one group stream into a group. The bytes come in pieces of any size.
 *
 * @module
 */
import type { GroupWriter } from "../../relay/group/group_writer.ts";
import { ProtocolViolation } from "../../wire/errors.ts";
import { getVarint, MAX_VARINT, unzigzag, varintWidth } from "../../wire/varint.ts";

/** The largest timestamp that every relay on the way can write too. Nanoseconds since 1970 reach it in 2043. */
export const MAX_TIMESTAMP = 2 ** 61 - 2 ** 9;

/** Two varints of 8 bytes: the longest head a frame can have. */
const MAX_HEAD = 16;

export class FrameParser {
  readonly #writer: GroupWriter;
  readonly #timestamps: boolean;
  readonly #stamp: () => number;
  readonly #head = new Uint8Array(MAX_HEAD);
  #headLength = 0;
  /**
   * The timestamp is the sum of both. The second is always exact. Above 2^53 the first is rounded once for each group:
   * nanoseconds since 1970 to a multiple of 256, and so are the differences between frames.
   */
  #base = 0;
  #offset = 0;

  /**
   * @param timestamps Whether a zigzag delta precedes each size (05+).
   * @param stamp Makes the timestamp of a frame if the version carries none.
   */
  constructor(writer: GroupWriter, timestamps: boolean, stamp: () => number) {
    this.#writer = writer;
    this.#timestamps = timestamps;
    this.#stamp = stamp;
  }

  /** Whether the bytes so far end at the end of a frame. */
  get atBoundary(): boolean {
    return this.#headLength === 0 && this.#writer.frameLeft === 0;
  }

  /** Takes the next bytes and shows their frames to the readers. @throws {ProtocolViolation} @throws {GroupTooLarge} */
  push(chunk: Uint8Array): void {
    const writer = this.#writer;
    let at = 0;
    for (;;) {
      if (writer.frameLeft > 0) {
        at += writer.payload(at === 0 ? chunk : chunk.subarray(at));
        if (writer.frameLeft > 0) break;
      }
      if (at === chunk.length) break;
      at = this.#readHead(chunk, at);
    }
    writer.commit();
  }

  /** @returns The offset behind the head, or the chunk's length when more is needed. */
  #readHead(chunk: Uint8Array, from: number): number {
    if (this.#headLength === 0) {
      const whole = this.#begin(chunk, from, chunk.length);
      if (whole > 0) return whole;
    }
    let at = from;
    while (at < chunk.length) {
      this.#head[this.#headLength++] = chunk[at++]!;
      if (this.#begin(this.#head, 0, this.#headLength) > 0) {
        this.#headLength = 0;
        return at;
      }
    }
    return at;
  }

  /** Begins a frame if its head stands whole in `bytes`. @returns The offset behind it, or 0. */
  #begin(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    let delta = 0;
    if (this.#timestamps) {
      if (at >= end || at + varintWidth(bytes[at]!) > end) return 0;
      delta = getVarint(bytes, at);
      at += varintWidth(bytes[at]!);
    }
    if (at >= end || at + varintWidth(bytes[at]!) > end) return 0;
    const size = getVarint(bytes, at);
    if (size > MAX_VARINT) throw new ProtocolViolation("FRAME", "size above 2^53-1");
    // Rounding loses the sign of a number of 8 bytes: it is the last bit before the size.
    if (delta > MAX_VARINT) this.#leap(delta, bytes[at - 1]! % 2 === 1);
    else this.#offset += unzigzag(delta);
    at += varintWidth(bytes[at]!);
    const timestamp = this.#timestamps ? this.#base + this.#offset : this.#stamp();
    if (!(timestamp >= 0 && timestamp <= MAX_TIMESTAMP)) {
      throw new ProtocolViolation("FRAME", `timestamp ${timestamp} is out of range`);
    }
    this.#writer.begin(timestamp, size);
    return at;
  }

  /** A delta above 2^53, as a rule that of a group's first frame. */
  #leap(delta: number, back: boolean): void {
    if (back) throw new ProtocolViolation("FRAME", "timestamp far below the one before it");
    this.#base += this.#offset + delta / 2;
    this.#offset = 0;
  }
}
