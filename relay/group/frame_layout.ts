/**
 * The layout "frames": for each frame the zigzag difference of its timestamp to the one before (to 0 for the first), the size
 * of its payload, and the payload. These are the bytes of moq-lite 05 and later, so they go out as they are.
 *
 * No other file reads or writes the heads of kept frames. Frames of a peer are read by its protocol, with the checks that they
 * need.
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

/** Writes a head at the start of `into`, which must have room for it. @returns How many bytes it has. */
export function writeHead(into: Uint8Array, sinceLast: number, size: number): number {
  return putVarint(into, putVarint(into, 0, zigzag(sinceLast)), size);
}

/** A position in kept bytes: behind a head, or inside a payload. */
export class FrameWalk {
  /** Absolute timestamp and payload bytes of the frame whose head was read last. */
  timestamp = 0;
  size = 0;
  /** How many of its payload bytes are left; 0 between frames. */
  left = 0;
  /** Where its size began in the bytes that were read. */
  sizeAt = 0;

  /** Reads the head at `at`. @returns The offset behind it, or `at` when `bytes` do not have all of it. */
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

/** Whether a frame ends exactly at `position`. It walks from the beginning, so use it rarely. */
export function isFrameBoundary(group: Subgroup, position: number): boolean {
  const walk = new FrameWalk();
  let at = 0;
  while (at < position) at += walk.head(group.slice(at), 0) + walk.left;
  return at === position;
}
