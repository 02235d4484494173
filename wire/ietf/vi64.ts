/**
 * The integers of variable length that moq-transport writes from draft 17 on: as many bytes follow the first one as it has
 * leading ones. Spec: draft-ietf-moq-transport-18, "Variable-Length Integers".
 *
 * @module
 */
import type { Varints } from "../varint.ts";

/** Bytes needed for `value`. */
export function vi64Size(value: number | bigint): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  if (value < 0x1000_0000) return 4;
  let size = 5;
  for (let end = 2 ** 35; size < 9 && value >= end; end *= 128) size++;
  return size;
}

/** Bytes of the varint whose first byte is `first`. */
export function vi64Width(first: number): number {
  return Math.clz32(~first & 0xff) - 23;
}

/** Writes `value` at `at` in the fewest bytes; returns the offset behind it. */
export function putVi64(into: Uint8Array, at: number, value: number): number {
  return putWide(into, at, value, vi64Size(value));
}

/** The first byte of a varint of `size` bytes, before any bit of the value. */
function prefix(size: number): number {
  return (0xff00 >> (size - 1)) & 0xff;
}

function putWide(into: Uint8Array, at: number, value: number, size: number): number {
  const end = at + size;
  let rest = value;
  for (let i = end - 1; i > at; i--) {
    into[i] = rest & 0xff;
    rest = rest < 0x1_0000_0000 ? rest >>> 8 : Math.floor(rest / 256);
  }
  into[at] = prefix(size) | rest;
  return end;
}

/** Reads the varint at `at`, which must be whole. Above 2^53-1 it is rounded. */
export function getVi64(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return first;
  if (first < 0xc0) return (first & 0x3f) << 8 | bytes[at + 1]!;
  const width = vi64Width(first);
  let value = first & (0xff >> width);
  const end = at + width;
  for (let i = at + 1; i < end; i++) value = value * 256 + bytes[i]!;
  return value;
}

/** From draft 18 on: every length is read, whether or not a shorter one would do. */
export const VI64: Varints = {
  max: (1n << 64n) - 1n,
  size: vi64Size,
  width: vi64Width,
  prefix,
  put: putVi64,
  get: getVi64,
};

/** Draft 17 has no form of seven bytes. */
const size17 = (value: number | bigint) => {
  const size = vi64Size(value);
  return size === 7 ? 8 : size;
};
export const VI64_OF_17: Varints = {
  ...VI64,
  size: size17,
  width(first) {
    const width = vi64Width(first);
    return width === 7 ? 0 : width;
  },
  put: (into, at, value) => putWide(into, at, value, size17(value)),
};
