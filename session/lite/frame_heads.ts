/**
 * The kept bytes of a group as the frames of one version: as they are (05+), or without the timestamps (up to 04). The second
 * form is made once for each piece of a group, for all subscribers.
 *
 * @module
 */
import type { Subgroup } from "../../relay/group/group.ts";
import { FrameWalk } from "../../relay/group/frame_layout.ts";

interface Stripped {
  readonly from: number;
  readonly end: number;
  readonly bytes: Uint8Array;
  /** Payload bytes of the last frame that lie behind this piece. */
  readonly leftAfter: number;
}

/** The newest stripped piece of each group. All subscribers that keep up need the same one. */
const stripped = new WeakMap<Subgroup, Stripped>();

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
  next(group: Subgroup): Uint8Array {
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
  const walk = new FrameWalk();
  walk.left = left;
  let to = 0;
  for (let at = 0; at < slice.length;) {
    // Without the timestamp; the size stands before the payload as it is.
    const behind = walk.left === 0 ? walk.head(slice, at) : at;
    const start = behind === at ? at : walk.sizeAt;
    const n = Math.min(walk.left, slice.length - behind);
    out.set(slice.subarray(start, behind + n), to);
    to += behind + n - start;
    at = behind + n;
    walk.left -= n;
  }
  return { from, end: from + slice.length, bytes: out.subarray(0, to), leftAfter: walk.left };
}
