/**
 * The media of an RTMP publisher as an FLV file, which ffmpeg reads from a pipe.
 *
 * @see Adobe Flash Video File Format 10.1, annex E.
 * @module
 */

/** The header of a file with audio and video, and the size of the tag before the first. */
export const FLV_HEADER = Uint8Array.of(0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0);

const HEAD_BYTES = 11;

/** A tag: type, length, time, payload, and its size at the end. */
export function flvTag(
  type: number,
  timestampMs: number,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const tag = new Uint8Array(HEAD_BYTES + payload.length + 4);
  const view = new DataView(tag.buffer);
  view.setUint32(0, payload.length);
  tag[0] = type;
  view.setUint32(4, (timestampMs << 8) | (timestampMs >>> 24));
  tag.set(payload, HEAD_BYTES);
  view.setUint32(HEAD_BYTES + payload.length, HEAD_BYTES + payload.length);
  return tag;
}
