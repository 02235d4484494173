/** Writes ISO BMFF boxes (ISO 14496-12): the pieces a fragmented MP4 is made of. */

import { concat } from "../../base/bytes.ts";

/** A part of a box: bytes, or a whole box. */
type BoxPart = Uint8Array | string;

const TEXT = new TextEncoder();

/** One box of a four-character type. */
export function box(type: string, ...parts: readonly BoxPart[]): Uint8Array<ArrayBuffer> {
  const body = parts.map((part) => typeof part === "string" ? TEXT.encode(part) : part);
  const size = body.reduce((sum, part) => sum + part.length, 8);
  return concat([u32(size), TEXT.encode(type), ...body]);
}

/** A box with version and flags. */
export function fullBox(
  type: string,
  version: number,
  flags: number,
  ...parts: readonly BoxPart[]
) {
  return box(type, u32(version * 2 ** 24 + flags), ...parts);
}

export function u8(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}

export function u16(...values: readonly number[]): Uint8Array {
  return numbers(values, 2, (view, at, value) => view.setUint16(at, value));
}

export function u32(...values: readonly number[]): Uint8Array {
  return numbers(values, 4, (view, at, value) => view.setUint32(at, value));
}

/** Whole numbers up to 2^53 - 1. */
export function u64(...values: readonly number[]): Uint8Array {
  return numbers(values, 8, (view, at, value) => view.setBigUint64(at, BigInt(value)));
}

export function zeros(bytes: number): Uint8Array {
  return new Uint8Array(bytes);
}

function numbers(
  values: readonly number[],
  width: number,
  put: (view: DataView, at: number, value: number) => void,
): Uint8Array {
  const bytes = new Uint8Array(values.length * width);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => put(view, i * width, value));
  return bytes;
}
