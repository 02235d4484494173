import { AAC_RATES_HZ } from "../codec/aac.ts";
import { hex } from "../codec/hex.ts";
import type { Box } from "./box.ts";

/** A sample entry read as the fields of a WebCodecs configuration. */
export type CodecInfo =
  | {
    readonly kind: "video";
    readonly codec: string;
    readonly description?: Uint8Array;
    readonly width: number;
    readonly height: number;
  }
  | {
    readonly kind: "audio";
    readonly codec: string;
    readonly description?: Uint8Array;
    readonly sampleRateHz: number;
    readonly channels: number;
  };

/** Where the boxes inside a VisualSampleEntry begin (ISO 14496-12, 12.1.3). */
const VISUAL_FIELDS_BYTES = 78;
/** Where the boxes inside an AudioSampleEntry begin, by QuickTime's version of it (12.2.3). */
const AUDIO_FIELDS_BYTES = [28, 44] as const;

/**
 * Reads one entry of an `stsd`. H.264 and H.265 keep their parameter sets out of band or in band as
 * the file has them: with a `description` a decoder reads length-prefixed NAL units in both cases.
 *
 * @returns `undefined` for a codec that has no place in a hang catalog.
 * @throws {MediaError} The entry is damaged.
 */
export function readSampleEntry(entry: Box): CodecInfo | undefined {
  switch (entry.type) {
    case "avc1":
    case "avc3": {
      const avcC = entry.need("avcC", VISUAL_FIELDS_BYTES);
      const codec = `${entry.type}.${hex(avcC.bytes(1, 4))}`;
      return { ...visual(entry), codec, description: avcC.body.slice() };
    }
    case "hvc1":
    case "hev1": {
      const hvcC = entry.need("hvcC", VISUAL_FIELDS_BYTES);
      const codec = `${entry.type}.${hevcProfile(hvcC)}`;
      return { ...visual(entry), codec, description: hvcC.body.slice() };
    }
    case "vp08":
      return { ...visual(entry), codec: "vp8" };
    case "vp09": {
      const vpcC = entry.need("vpcC", VISUAL_FIELDS_BYTES);
      const fields = [vpcC.u8(4), vpcC.u8(5), vpcC.u8(6) >> 4];
      return { ...visual(entry), codec: `vp09.${fields.map(twoDigits).join(".")}` };
    }
    case "av01":
      return {
        ...visual(entry),
        codec: `av01.${av1Profile(entry.need("av1C", VISUAL_FIELDS_BYTES))}`,
      };
    case "mp4a":
      return readMp4a(entry);
    case "Opus": {
      const dOps = entry.need("dOps", audioFields(entry));
      // Opus always decodes at 48 kHz; the rate in dOps is that of the source, for information.
      return { kind: "audio", codec: "opus", sampleRateHz: 48_000, channels: dOps.u8(1) };
    }
    default:
      return undefined;
  }
}

function visual(entry: Box) {
  return { kind: "video" as const, width: entry.u16(24), height: entry.u16(26) };
}

function audioFields(entry: Box): number {
  const bytes = AUDIO_FIELDS_BYTES[entry.u16(8)];
  if (bytes === undefined) throw entry.invalid("its version is not 0 or 1");
  return bytes;
}

/** The part after "hvc1." (ISO 14496-15, annex E.3). */
function hevcProfile(hvcC: Box): string {
  const first = hvcC.u8(1);
  const space = ["", "A", "B", "C"][first >> 6];
  const tier = first & 0x20 ? "H" : "L";
  const constraints = Array.from(hvcC.bytes(6, 12));
  while (constraints.at(-1) === 0) constraints.pop();
  return [
    `${space}${first & 0x1f}`,
    reverseBits(hvcC.u32(2)).toString(16),
    `${tier}${hvcC.u8(12)}`,
    ...constraints.map((byte) => byte.toString(16)),
  ].join(".").toUpperCase();
}

function reverseBits(value: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed = (reversed << 1) | ((value >>> bit) & 1);
  return reversed >>> 0;
}

/** The part after "av01." (AV1-ISOBMFF, section 5). */
function av1Profile(av1C: Box): string {
  const profile = av1C.u8(1) >> 5;
  const level = av1C.u8(1) & 0x1f;
  const flags = av1C.u8(2);
  const tier = flags & 0x80 ? "H" : "M";
  const depth = flags & 0x40 ? (profile === 2 && flags & 0x20 ? 12 : 10) : 8;
  return `${profile}.${twoDigits(level)}${tier}.${twoDigits(depth)}`;
}

function readMp4a(entry: Box): CodecInfo | undefined {
  const at = audioFields(entry);
  const channels = entry.u16(16);
  const sampleRateHz = entry.u32(24) >>> 16;
  const { objectType, config } = readEsds(entry.need("esds", at));
  if (objectType === 0x69 || objectType === 0x6b) {
    return { kind: "audio", codec: "mp3", sampleRateHz, channels };
  }
  if (objectType !== 0x40 || config.length < 2) return undefined;
  const [b0 = 0, b1 = 0] = config;
  const short = b0 >> 3;
  const audioObject = short === 31 ? 32 + (((b0 & 7) << 3) | (b1 >> 5)) : short;
  // The entry's 16.16 field cannot hold 96 kHz, and the channel count of old writers is always 2.
  const rate = short === 31 ? undefined : AAC_RATES_HZ[((b0 & 7) << 1) | (b1 >> 7)];
  const layout = short === 31 ? 0 : (b1 >> 3) & 15;
  return {
    kind: "audio",
    codec: `mp4a.40.${audioObject}`,
    description: config.slice(),
    sampleRateHz: sampleRateHz || rate || 0,
    channels: layout === 0 ? channels : layout === 7 ? 8 : layout,
  };
}

/** Walks the MPEG-4 descriptors down to the decoder's own bytes (ISO 14496-1, 7.2.6). */
function readEsds(esds: Box): { objectType: number; config: Uint8Array } {
  let at = 4;
  const open = (tag: number): number => {
    if (esds.u8(at++) !== tag) throw esds.invalid(`descriptor ${tag} is missing`);
    let length = 0;
    for (let i = 0; i < 4; i++) {
      const byte = esds.u8(at++);
      length = (length << 7) | (byte & 0x7f);
      if (byte < 0x80) break;
    }
    return length;
  };
  open(3);
  const flags = esds.u8(at + 2);
  at += 3;
  if (flags & 0x80) at += 2;
  if (flags & 0x40) at += 1 + esds.u8(at);
  if (flags & 0x20) at += 2;
  const length = open(4);
  const objectType = esds.u8(at);
  at += 13;
  if (length <= 13) return { objectType, config: new Uint8Array() };
  // Anything but the decoder's bytes may follow too (MP3 has none).
  if (esds.u8(at) !== 5) return { objectType, config: new Uint8Array() };
  const bytes = open(5);
  return { objectType, config: esds.bytes(at, at + bytes) };
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
