import type { MediaTrack } from "../mp4/media_track.ts";

type Described = Pick<MediaTrack, "codec" | "description">;

/**
 * Whether a video frame is damaged. H.264 and H.265 in MP4 are NAL units, each behind its length, and the lengths must add up to
 * the frame. If they do not, the frame would stop a decoder.
 */
export function isDamaged(track: Described, data: Uint8Array): boolean {
  const lengthBytes = lengthBytesOf(track);
  if (lengthBytes === undefined) return false;
  let at = 0;
  while (at + lengthBytes <= data.length) {
    let length = 0;
    for (let i = 0; i < lengthBytes; i++) length = length * 256 + data[at + i]!;
    at += lengthBytes + length;
  }
  return at !== data.length;
}

/** The size of the lengths, from the avcC (ISO 14496-15, 5.3.3.1) or hvcC (8.3.3.1): the last two bits of a byte. */
function lengthBytesOf({ codec, description }: Described): number | undefined {
  if (description === undefined) return undefined;
  if (/^avc[13]/.test(codec)) return ((description[4] ?? 0) & 3) + 1;
  if (/^h(vc|ev)1/.test(codec)) return ((description[21] ?? 0) & 3) + 1;
  return undefined;
}
