/**
 * What follows from the name of a codec, as WebCodecs registers it.
 *
 * @module
 */
import type { MediaTrack } from "../mp4/media_track.ts";

/** What a codec is called in SDP. */
export type CodecFamily = "H264" | "H265" | "VP8" | "VP9" | "AV1" | "OPUS" | "AAC";

/** @returns `undefined` for a codec that is not known here. */
export function familyOf(codec: string): CodecFamily | undefined {
  const name = codec.toLowerCase();
  if (/^avc[13]/.test(name)) return "H264";
  if (/^(hvc|hev)1/.test(name)) return "H265";
  if (/^(vp8|vp08)/.test(name)) return "VP8";
  if (/^(vp9|vp09)/.test(name)) return "VP9";
  if (name.startsWith("av01")) return "AV1";
  if (name === "opus") return "OPUS";
  if (name.startsWith("mp4a.40")) return "AAC";
  return undefined;
}

/** H.264 and H.265: NAL units, and frames that may be shown in another order than they are decoded in. */
export function hasNalUnits(codec: string): boolean {
  const family = familyOf(codec);
  return family === "H264" || family === "H265";
}

/** Whether NAL units have start codes, and the keyframes hold the parameter sets. */
export function isAnnexB({ codec, description }: Pick<MediaTrack, "codec" | "description">) {
  return description === undefined && hasNalUnits(codec);
}

/** Whether each frame of AAC may have a header of its own: no description says what the frames are. */
export function isAdts({ codec, description }: Pick<MediaTrack, "codec" | "description">) {
  return description === undefined && familyOf(codec) === "AAC";
}
