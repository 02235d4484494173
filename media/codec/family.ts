/**
 * What follows from the name of a codec, as WebCodecs registers it.
 *
 * @module
 */
import type { MediaTrack } from "../mp4/media_track.ts";

type Described = Pick<MediaTrack, "codec" | "description">;

/** H.264 and H.265: NAL units, and frames that may be shown in another order than they are decoded in. */
export function hasNalUnits(codec: string): boolean {
  return /^(avc|hvc|hev)/.test(codec);
}

/** Whether NAL units stand behind start codes, and the parameter sets in the keyframes. */
export function isAnnexB({ codec, description }: Described): boolean {
  return description === undefined && hasNalUnits(codec);
}

export function isAac(codec: string): boolean {
  return codec.startsWith("mp4a.40");
}
