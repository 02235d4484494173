/**
 * From a rendition to the sample entry of an MP4: the opposite of `read_sample_entry.ts`.
 *
 * @module
 */
import { concat } from "../../base/bytes.ts";
import { aacConfig } from "../codec/aac.ts";
import { familyOf } from "../codec/family.ts";
import { MediaError } from "../media_error.ts";
import { box, fullBox, u16, u32, u8, zeros } from "./mp4_writer.ts";
import type { AudioRendition, Rendition, VideoRendition } from "../rendition.ts";

/** @throws {MediaError} The codec has no place in an MP4, or its catalog entry is not complete. */
export function sampleEntry(rendition: Rendition): Uint8Array {
  return rendition.kind === "video" ? videoEntry(rendition) : audioEntry(rendition);
}

function videoEntry(video: VideoRendition): Uint8Array {
  const [family = ""] = video.codec.split(".");
  switch (family) {
    case "avc1":
    case "avc3":
      return visual(video, family, box("avcC", described(video)));
    case "hvc1":
    case "hev1":
      return visual(video, family, box("hvcC", described(video)));
    case "vp8":
      return visual(video, "vp08", fullBox("vpcC", 1, 0, vpFields(["0", "10", "8"])));
    case "vp09":
      return visual(
        video,
        family,
        fullBox("vpcC", 1, 0, vpFields(video.codec.split(".").slice(1))),
      );
    case "av01":
      return visual(video, family, box("av1C", av1Fields(video.codec)));
    default:
      throw new MediaError(`Cannot write MP4: the video codec ${video.codec} has no place in it`);
  }
}

function audioEntry(audio: AudioRendition): Uint8Array {
  const { codec, sampleRateHz, channels } = audio;
  if (codec === "opus") {
    // No pre-skip: a live stream has no beginning to cut off.
    const dOps = box("dOps", u8(0, channels), u16(0), u32(sampleRateHz), u16(0), u8(0));
    return aural(audio, "Opus", dOps);
  }
  if (codec === "mp3") return aural(audio, "mp4a", esds(0x6b, undefined));
  if (familyOf(codec) === "AAC") {
    return aural(audio, "mp4a", esds(0x40, audio.description ?? audioSpecificConfig(audio)));
  }
  throw new MediaError(`Cannot write MP4: the audio codec ${codec} has no place in it`);
}

function described({ name, codec, description }: VideoRendition): Uint8Array {
  if (description !== undefined) return description;
  throw new MediaError(`Cannot write MP4: track ${name} (${codec}) has no description yet`);
}

/** VisualSampleEntry (ISO 14496-12, 12.1.3). */
function visual(video: VideoRendition, type: string, config: Uint8Array): Uint8Array {
  return box(
    type,
    ...[zeros(6), u16(1), zeros(16), u16(video.width ?? 0, video.height ?? 0)],
    ...[u32(0x480000, 0x480000, 0), u16(1), zeros(32), u16(0x18, 0xffff), config],
  );
}

/** AudioSampleEntry, version 0 (12.2.3). Its rate has 16 bits: a higher rate is in the codec's own box. */
function aural(audio: AudioRendition, type: string, config: Uint8Array): Uint8Array {
  const rate = audio.sampleRateHz > 0xffff ? 0 : audio.sampleRateHz;
  return box(
    type,
    ...[zeros(6), u16(1), zeros(8), u16(audio.channels, 16, 0, 0), u16(rate, 0), config],
  );
}

/** The vpcC after version and flags. Depth, chroma and range share a byte (VP codec ISO media file format, "Syntax"). */
function vpFields(fields: readonly string[]): Uint8Array {
  const number = (at: number, otherwise: number) => Number(fields[at] ?? otherwise);
  const chroma = number(3, 1);
  const packed = (number(2, 8) << 4) | (chroma << 1) | number(7, 0);
  const colours = [number(4, 1), number(5, 1), number(6, 1)];
  return u8(number(0, 0), number(1, 10), packed, ...colours, 0, 0);
}

/** The four bytes of an av1C; the sequence header is in every keyframe (AV1-ISOBMFF, 2.3). */
function av1Fields(codec: string): Uint8Array {
  const [, profile = "0", levelTier = "08M", depth = "08", mono = "0", chroma = "110"] = codec
    .split(".");
  const level = parseInt(levelTier, 10);
  const tier = levelTier.endsWith("H") ? 0x80 : 0;
  const deep = (Number(depth) >= 10 ? 0x40 : 0) | (Number(depth) === 12 ? 0x20 : 0);
  const subsampling = (chroma[0] === "1" ? 8 : 0) | (chroma[1] === "1" ? 4 : 0) |
    (Number(chroma[2] ?? 0) & 3);
  const flags = tier | deep | (mono === "1" ? 0x10 : 0) | subsampling;
  return u8(0x81, (Number(profile) << 5) | (level & 0x1f), flags, 0);
}

/** What an AAC decoder has to know, from the codec string and the rest of the catalog. */
function audioSpecificConfig({ codec, sampleRateHz, channels }: AudioRendition): Uint8Array {
  const config = aacConfig(Number(codec.split(".")[2] ?? 2) || 2, sampleRateHz, channels);
  if (config !== undefined) return config;
  throw new MediaError(
    `Cannot write MP4: AAC at ${sampleRateHz} Hz with ${channels} channels is not known`,
  );
}

/** The descriptors of MPEG-4 (ISO 14496-1, 7.2.6), each with a length of one byte. */
function esds(objectType: number, config: Uint8Array | undefined): Uint8Array {
  const specific = config === undefined ? zeros(0) : descriptor(5, config);
  const decoder = descriptor(4, u8(objectType, 0x15), zeros(11), specific);
  return fullBox("esds", 0, 0, descriptor(3, u16(0), u8(0), decoder, descriptor(6, u8(2))));
}

function descriptor(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(parts);
  return concat([u8(tag, body.length), body]);
}
