/**
 * The layout "frames", in which a group keeps its frames: the zigzag difference to the timestamp before (0 at first), the
 * payload's size, the payload. These are the bytes of the newest moq-lite (05 and later), so they go out as they are.
 *
 * Nobody else reads or writes the heads that are kept. What a peer sends is read where its protocol is, with all the checks
 * that it needs; kept bytes are our own.
 *
 * @module
 */
import {
  getVarint,
  putVarint,
  unzigzag,
  varintSize,
  varintWidth,
  zigzag,
} from "../../wire/varint.ts";
import type { Subgroup } from "./group.ts";

/** Bytes of a head. @param sinceLast Difference to the timestamp before. */
export function headBytes(sinceLast: number, size: number): number {
  return varintSize(zigzag(sinceLast)) + varintSize(size);
}

/** Writes a head at the start of `into`, which has room for it. @returns Its bytes. */
export function writeHead(into: Uint8Array, sinceLast: number, size: number): number {
  return putVarint(into, putVarint(into, 0, zigzag(sinceLast)), size);
}

/** Where a run of kept bytes is read: behind a head, or in the middle of a payload. */
export class FrameWalk {
  /** The frame whose head was read last: its timestamp, absolute, and its payload bytes. */
  timestamp = 0;
  size = 0;
  /** How many of these have not been passed yet; 0 between frames. */
  left = 0;
  /** Where its size began in what was read. */
  sizeAt = 0;

  /** Reads the head at `at`. @returns The offset behind it, or `at` where it does not stand whole in `bytes`. */
  head(bytes: Uint8Array, at: number): number {
    const end = bytes.length;
    if (at >= end) return at;
    const sizeAt = at + varintWidth(bytes[at]!);
    if (sizeAt >= end) return at;
    const behind = sizeAt + varintWidth(bytes[sizeAt]!);
    if (behind > end) return at;
    this.timestamp += unzigzag(getVarint(bytes, at));
    this.sizeAt = sizeAt;
    this.left = this.size = getVarint(bytes, sizeAt);
    return behind;
  }
}

/** Whether a frame of the group ends exactly at `position`. Walks the group: for rare moments only. */
export function isFrameBoundary(group: Subgroup, position: number): boolean {
  const walk = new FrameWalk();
  let at = 0;
  while (at < position) at += walk.head(group.slice(at), 0) + walk.left;
  return at === position;
}
