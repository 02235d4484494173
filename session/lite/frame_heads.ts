/**
 * The bytes of a group as one version's frames: as they are stored (05+), or without the timestamps (up to 04). The
 * second form is made once for each piece of a group, however many subscribers take it.
 *
 * @module
 */
import type { Group } from "../../relay/group/group.ts";
import { getVarint, varintWidth } from "../../wire/varint.ts";

interface Stripped {
  readonly from: number;
  readonly end: number;
  readonly bytes: Uint8Array;
  /** Payload bytes of the last frame that lie behind this piece. */
  readonly leftAfter: number;
}

/** The newest stripped piece of each group: subscribers that keep up all want this one. */
const stripped = new WeakMap<Group, Stripped>();

export class FrameHeads {
  /** Where in the stored bytes the next piece begins. */
  position = 0;
  #left = 0;
  readonly #timestamps: boolean;

  /** @param timestamps Whether this version's frames carry timestamps. */
  constructor(timestamps: boolean) {
    this.#timestamps = timestamps;
  }

  /** The next piece from {@link position} on; moves on behind it. Shared: never write into it. */
  next(group: Group): Uint8Array {
    const slice = group.slice(this.position);
    if (slice.length === 0) return slice;
    const from = this.position;
    const end = from + slice.length;
    this.position = end;
    if (this.#timestamps) return slice;
    let piece = stripped.get(group);
    if (piece === undefined || piece.from !== from || piece.end !== end) {
      piece = strip(slice, from, this.#left);
      stripped.set(group, piece);
    }
    this.#left = piece.leftAfter;
    return piece.bytes;
  }
}

function strip(slice: Uint8Array, from: number, left: number): Stripped {
  const out = new Uint8Array(slice.length);
  let at = 0;
  let to = 0;
  while (at < slice.length) {
    if (left === 0) {
      at += varintWidth(slice[at]!); // the timestamp
      const width = varintWidth(slice[at]!);
      left = getVarint(slice, at);
      for (let i = 0; i < width; i++) out[to++] = slice[at++]!;
    }
    const n = Math.min(left, slice.length - at);
    out.set(slice.subarray(at, at + n), to);
    at += n;
    to += n;
    left -= n;
  }
  return { from, end: from + slice.length, bytes: out.subarray(0, to), leftAfter: left };
}

/** Whether a frame ends exactly at `position` of the stored bytes. Walks the group: for rare moments only. */
export function isFrameBoundary(group: Group, position: number): boolean {
  let at = 0;
  while (at < position) at = frameEnd(group, at);
  return at === position;
}

/** Where the frame that begins at `position` ends. Its head is whole, its payload may be still to come. */
export function frameEnd(group: Group, position: number): number {
  const slice = group.slice(position);
  const sizeAt = varintWidth(slice[0]!);
  const head = sizeAt + varintWidth(slice[sizeAt]!);
  return position + head + getVarint(slice, sizeAt);
}
