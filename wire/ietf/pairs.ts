/**
 * Key-value pairs: an integer under an even type, bytes under an odd one. SETUP's options, the parameters up to draft 16,
 * and properties are written so. Spec: draft-ietf-moq-transport-18, "Key-Value-Pair Structure".
 *
 * @module
 */
import { Reader, Writer } from "../cursor.ts";
import type { Profile } from "./profile.ts";
import { wide, type WideInteger } from "./integers.ts";

/** One pair. A number or a bigint stands under an even type, bytes under an odd one. */
export interface Pair {
  readonly type: WideInteger;
  readonly value: WideInteger | Uint8Array;
}

/** Most pairs of one list, and most bytes of one value. */
export const MAX_PAIRS = 64;
export const MAX_PAIR_BYTES = 0xffff;

/** Types of properties that say something of a whole track. */
export const TRACK_PROPERTY = {
  objectTimeoutMs: 0x02,
  maxCacheMs: 0x04,
  subgroupTimeoutMs: 0x06,
  timescale: 0x08,
  immutable: 0x0b,
  publisherPriority: 0x0e,
  groupOrder: 0x22,
  dynamicGroups: 0x30,
} as const;
/** Types of properties of one object. Timestamp and timescale are those of the low overhead container. */
export const OBJECT_PROPERTY = {
  oldTimestamp: 0x06,
  timescale: 0x08,
  immutable: 0x0b,
  timestamp: 0x10,
  priorGroupGap: 0x3c,
  priorObjectGap: 0x3e,
} as const;

/** Whether a relay that does not know a property of this type must not forward the track (18+). */
export function isMandatoryProperty(type: WideInteger): boolean {
  return type >= 0x4000 && type <= 0x7fff;
}

function isOdd(type: WideInteger): boolean {
  return typeof type === "number" ? type % 2 === 1 : (type & 1n) === 1n;
}

/** Narrows a bigint that a number holds exactly. */
function narrow(value: bigint): WideInteger {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** Reads a type: by itself, or as the difference from the one before. @throws {ProtocolViolation} */
export function readType(r: Reader, before: WideInteger, deltas: boolean): WideInteger {
  const read = wide.read(r);
  if (!deltas || before === 0) return read;
  const type = BigInt(before) + BigInt(read);
  if (type > r.varints.max) throw r.fail("a type above the largest integer");
  return narrow(type);
}

/** A value by the parity of its type; bytes are a view. @throws {ProtocolViolation} */
export function readValue(r: Reader, type: WideInteger): WideInteger | Uint8Array {
  if (!isOdd(type)) return wide.read(r);
  const length = r.varint();
  if (length > MAX_PAIR_BYTES) throw r.fail(`a value of ${length} bytes`);
  return r.take(length);
}

/** Reads `count` pairs, or what is left. Bytes are views. @throws {ProtocolViolation} */
export function readPairs(r: Reader, deltas: boolean, count?: number): Pair[] {
  if (count !== undefined && count > MAX_PAIRS) {
    throw r.fail(`${count} pairs, at most ${MAX_PAIRS} allowed`);
  }
  const pairs: Pair[] = [];
  let type: WideInteger = 0;
  while (count === undefined ? r.left > 0 : pairs.length < count) {
    if (pairs.length === MAX_PAIRS) throw r.fail(`more than ${MAX_PAIRS} pairs`);
    type = readType(r, type, deltas);
    pairs.push({ type, value: readValue(r, type) });
  }
  return pairs;
}

/** Writes a type behind the one `before` it. @throws {RangeError} Types have to ascend where they are differences. */
export function writeType(
  w: Writer,
  type: WideInteger,
  before: WideInteger,
  deltas: boolean,
): void {
  if (!deltas) return wide.write(w, type);
  if (type < before) throw new RangeError(`Cannot encode type ${type} behind ${before}`);
  wide.write(
    w,
    typeof type === "number" ? type - Number(before) : narrow(BigInt(type) - BigInt(before)),
  );
}

/** Writes pairs in the order they have. @throws {RangeError} */
export function writePairs(w: Writer, pairs: readonly Pair[], deltas: boolean): void {
  if (pairs.length > MAX_PAIRS) {
    throw new RangeError(`Cannot encode ${pairs.length} pairs: at most ${MAX_PAIRS}`);
  }
  let before: WideInteger = 0;
  for (const { type, value } of pairs) {
    if (isOdd(type) !== value instanceof Uint8Array) {
      throw new RangeError(`Cannot encode type ${type}: bytes stand under odd types`);
    }
    writeType(w, type, before, deltas);
    before = type;
    if (!(value instanceof Uint8Array)) wide.write(w, value);
    else if (value.length > MAX_PAIR_BYTES) {
      throw new RangeError(`Cannot encode a value of ${value.length} bytes`);
    } else w.sized(value);
  }
}

/** Takes the properties of a track or an object apart. Bytes are views. @throws {ProtocolViolation} */
export function decodeProperties(raw: Uint8Array, profile: Profile): Pair[] {
  return readPairs(new Reader(raw, "properties", profile.varints), profile.pairDeltas);
}

/** Puts properties together, for drafts that write them as `profile` does. @throws {RangeError} */
export function encodeProperties(pairs: readonly Pair[], profile: Profile): Uint8Array {
  const w = new Writer(profile.varints);
  writePairs(w, pairs, profile.pairDeltas);
  return w.done();
}
