/**
 * QUIC variable-length integers (RFC 9000 §16) as numbers, for group and frame heads on the media path. Other code reads
 * them through `cursor.ts`.
 *
 * @module
 */

/** The largest integer a varint may hold here: numbers stay exact up to 2^53-1. */
export const MAX_VARINT = Number.MAX_SAFE_INTEGER;

/** Bytes needed for `value`. */
export function varintSize(value: number | bigint): 1 | 2 | 4 | 8 {
  return value < 0x40 ? 1 : value < 0x4000 ? 2 : value < 0x4000_0000 ? 4 : 8;
}

/** Bytes of the varint whose first byte is `first`. */
export function varintWidth(first: number): 1 | 2 | 4 | 8 {
  return (1 << (first >> 6)) as 1 | 2 | 4 | 8;
}

/** Writes `value` at `at` and returns the offset behind it. The caller has made room. */
export function putVarint(into: Uint8Array, at: number, value: number): number {
  if (value < 0x40) {
    into[at] = value;
    return at + 1;
  }
  if (value < 0x4000) {
    into[at] = 0x40 | (value >> 8);
    into[at + 1] = value & 0xff;
    return at + 2;
  }
  if (value < 0x4000_0000) {
    into[at] = 0x80 | (value >>> 24);
    into[at + 1] = (value >>> 16) & 0xff;
    into[at + 2] = (value >>> 8) & 0xff;
    into[at + 3] = value & 0xff;
    return at + 4;
  }
  const high = Math.floor(value / 0x1_0000_0000);
  const low = value >>> 0;
  into[at] = 0xc0 | (high >>> 24);
  into[at + 1] = (high >>> 16) & 0xff;
  into[at + 2] = (high >>> 8) & 0xff;
  into[at + 3] = high & 0xff;
  into[at + 4] = low >>> 24;
  into[at + 5] = (low >>> 16) & 0xff;
  into[at + 6] = (low >>> 8) & 0xff;
  into[at + 7] = low & 0xff;
  return at + 8;
}

/** Reads the varint at `at`. It must be complete: check with {@link varintWidth} first. A value above {@link MAX_VARINT} is rounded. */
export function getVarint(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  let value = first & 0x3f;
  const end = at + (1 << (first >> 6));
  for (let i = at + 1; i < end; i++) value = value * 256 + bytes[i]!;
  return value;
}

/** A way to write integers of variable length. There are two: QUIC's, and the one of moq-transport from draft 17 on. */
export interface Varints {
  /** The largest number there is a way to write. */
  readonly max: bigint;
  /** Bytes needed for a number. */
  size(value: number | bigint): number;
  /** Bytes of the varint that begins with `first`; 0 when none begins so. */
  width(first: number): number;
  /** The bits of the first byte that say there are so many bytes. */
  prefix(size: number): number;
  /** Writes a number up to {@link MAX_VARINT}; returns the offset behind it. The caller has made room. */
  put(into: Uint8Array, at: number, value: number): number;
  /** Reads a varint that is whole. Above {@link MAX_VARINT} it is rounded. */
  get(bytes: Uint8Array, at: number): number;
}

/** RFC 9000 §16. */
export const QUIC_VARINTS: Varints = {
  max: (1n << 62n) - 1n,
  size: varintSize,
  width: varintWidth,
  prefix: (size) => Math.log2(size) << 6,
  put: putVarint,
  get: getVarint,
};

/** Zigzag: small differences of either sign become small numbers. Exact within ±2^52. */
export function zigzag(delta: number): number {
  return delta >= 0 ? delta * 2 : -delta * 2 - 1;
}

/** The inverse of {@link zigzag}. */
export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
