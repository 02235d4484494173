/**
 * H.264 and H.265 without a description: NAL units behind start codes, and parameter sets in the stream. MP4 has lengths instead
 * of start codes, and the parameter sets in its header.
 *
 * @module
 */
import { concat } from "../../base/bytes.ts";
import { u16, u32, u8 } from "../mp4/mp4_writer.ts";

/** Parameter sets are at the beginning of a keyframe, within this many bytes. */
export const MAX_HEADER_BYTES = 64 * 1024;
/** Pictures of 8K have 600 slices. A frame of nothing but start codes would cost a hundred times its bytes. */
export const MAX_UNITS = 1024;

/**
 * The NAL units of one access unit, without start codes (ISO 14496-10, annex B). With more than {@link MAX_UNITS}, the
 * last one holds all the rest.
 */
export function splitAnnexB(bytes: Uint8Array): Uint8Array[] {
  const units: Uint8Array[] = [];
  let start = -1;
  let at = 0;
  for (; at + 2 < bytes.length && units.length < MAX_UNITS - 1; at++) {
    if (bytes[at + 2]! > 1) at += 2;
    else if (bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === 1) {
      if (start >= 0) units.push(trimmed(bytes, start, at));
      start = at + 3;
      at += 2;
    }
  }
  if (start >= 0) units.push(trimmed(bytes, start, bytes.length));
  return units.filter((unit) => unit.length > 0);
}

/** Zeros before a start code belong to it. */
function trimmed(bytes: Uint8Array, from: number, to: number): Uint8Array {
  while (to > from && bytes[to - 1] === 0) to--;
  return bytes.subarray(from, to);
}

/** The same units, each behind a start code. */
export function joinAnnexB(units: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concat(units.flatMap((unit) => [START_CODE, unit]));
}

const START_CODE = Uint8Array.of(0, 0, 0, 1);

/** The same units, each behind its length in four bytes. */
export function lengthPrefixed(units: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concat(units.flatMap((unit) => [u32(unit.length), unit]));
}

/**
 * The avcC or hvcC of the parameter sets in a keyframe.
 * @returns `undefined` when they are not all there.
 */
export function describe(codec: string, units: readonly Uint8Array[]): Uint8Array | undefined {
  return codec.startsWith("avc") ? avcC(units) : hvcC(units);
}

function avcC(units: readonly Uint8Array[]): Uint8Array | undefined {
  const of = (type: number) => units.filter((unit) => (unit[0]! & 31) === type);
  const [sps, pps] = [of(7).slice(0, 31), of(8).slice(0, 255)];
  const [first] = sps;
  if (first === undefined || first.length < 4 || pps.length === 0) return undefined;
  return concat([
    u8(1, first[1]!, first[2]!, first[3]!, 0xff, 0xe0 | sps.length),
    ...sps.flatMap((unit) => [u16(unit.length), unit]),
    u8(pps.length),
    ...pps.flatMap((unit) => [u16(unit.length), unit]),
  ]);
}

/** HEVCDecoderConfigurationRecord (ISO 14496-15, 8.3.3.1). */
function hvcC(units: readonly Uint8Array[]): Uint8Array | undefined {
  const of = (type: number) => units.filter((unit) => (unit[0]! >> 1 & 63) === type);
  const sets = [32, 33, 34].map((type) => ({ type, units: of(type) }));
  const sps = sets[1]!.units[0];
  if (sps === undefined || sets.some((set) => set.units.length === 0)) return undefined;
  const raw = withoutEmulation(sps);
  // Two bytes of NAL header, one of ids, then profile, tier and level: 12 bytes (H.265, 7.3.3).
  if (raw.length < 16) return undefined;
  return concat([
    u8(1),
    raw.subarray(3, 15),
    // Segmentation, parallelism and frame rate unknown; 4:2:0 with 8 bits; lengths of four bytes.
    u8(0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0f, sets.length),
    ...sets.flatMap((set) => [
      u8(0x80 | set.type),
      u16(set.units.length),
      ...set.units.flatMap((unit) => [u16(unit.length), unit]),
    ]),
  ]);
}

function withoutEmulation(bytes: Uint8Array): Uint8Array {
  return bytes.filter((byte, i) => !(byte === 3 && i > 1 && !bytes[i - 1] && !bytes[i - 2]));
}
