/**
 * Integers of 64 bits, and bytes behind their length, as fields and as steps of larger ones.
 *
 * @module
 */
import { Reader } from "../cursor.ts";
import type { Field } from "../message.ts";
import { MAX_VARINT } from "../varint.ts";

/** An integer of up to 64 bits: a number where it is exact, up to 2^53-1, and a bigint only above. */
export type WideInteger = number | bigint;

/** An integer of up to 64 bits: a type, or a track's alias, which may be a hash. */
export const wide: Field<WideInteger> = {
  write(w, v) {
    if (typeof v === "number") w.varint(v);
    else w.bigVarint(v);
  },
  read(r) {
    const from = unread(r);
    const value = r.roundedVarint();
    return value > MAX_VARINT ? new Reader(from, r.where, r.varints).bigVarint() : value;
  },
};

/** A view of what a reader has not read yet. */
export function unread(r: Reader): Uint8Array {
  return r.bytes.subarray(r.bytes.length - r.left);
}

/** An integer of which only the size matters: what a number does not hold exactly is read as 2^53-1. */
export const capped: Field<number> = {
  write: (w, v) => w.varint(v),
  read: (r) => Math.min(r.roundedVarint(), MAX_VARINT),
};

/** As {@link capped}, behind one more: 0 is absent. */
export const optionalCapped: Field<number | undefined> = {
  write: (w, v) => w.varint(v === undefined ? 0 : v + 1),
  read(r) {
    const v = capped.read(r);
    return v === 0 ? undefined : v - 1;
  },
};

/** Bytes behind their length, copied out. @throws {ProtocolViolation} There are more than `maxBytes`, or not all. */
export function copySized(r: Reader, maxBytes: number): Uint8Array {
  const length = r.varint();
  if (length > maxBytes) throw r.fail(`${length} bytes, at most ${maxBytes} taken`);
  return r.take(length).slice();
}
