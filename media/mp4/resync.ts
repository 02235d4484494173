import type { ByteQueue } from "./byte_queue.ts";

/** Boxes that may stand between fragments; anything else there is damage. */
const BETWEEN = new Set([
  ...["ftyp", "styp", "sidx", "ssix", "emsg", "prft", "moof", "mdat", "moov", "mfra", "free"],
  ...["skip", "uuid", "pdin", "meta"],
]);
/** Longest box that carries no media, in bytes. */
const MAX_SMALL_BYTES = 1 << 20;
/** A "moof" begins with an "mfhd" of 16 bytes (ISO 14496-12, 8.8.5). */
const MARK_BYTES = 16;
const LOOK_BYTES = 64 * 1024;

/** Whether a box header is believable where damage is expected. */
export function isPlausible(type: string, sizeBytes: number): boolean {
  if (!BETWEEN.has(type)) return false;
  return type === "mdat" || sizeBytes <= MAX_SMALL_BYTES;
}

/**
 * Drops bytes up to where the next fragment seems to begin.
 * @returns Whether it was found, and how many bytes were dropped.
 */
export function seekFragment(queue: ByteQueue): { found: boolean; dropped: number } {
  let dropped = 0;
  while (queue.length >= MARK_BYTES) {
    const bytes = queue.peek(Math.min(queue.length, LOOK_BYTES));
    for (let at = 0; at + MARK_BYTES <= bytes.length; at++) {
      if (!isMark(bytes, at)) continue;
      queue.skip(at);
      return { found: true, dropped: dropped + at };
    }
    const passed = bytes.length - MARK_BYTES + 1;
    queue.skip(passed);
    dropped += passed;
  }
  return { found: false, dropped };
}

function isMark(bytes: Uint8Array, at: number): boolean {
  // "mfhd" first: it is rare, so the scan is quick.
  return bytes[at + 12] === 0x6d && bytes[at + 13] === 0x66 && bytes[at + 14] === 0x68 &&
    bytes[at + 15] === 0x64 && bytes[at + 4] === 0x6d && bytes[at + 5] === 0x6f &&
    bytes[at + 6] === 0x6f && bytes[at + 7] === 0x66 && bytes[at + 11] === 16 &&
    bytes[at + 8] === 0 && bytes[at + 9] === 0 && bytes[at + 10] === 0;
}
