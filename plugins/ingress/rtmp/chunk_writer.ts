import type { RtmpMessage } from "./message.ts";

/** The size of chunks until a side changes it. Ours never does: its answers are short. */
const CHUNK_BYTES = 128;

/** A message in chunks of a chunk stream from 2 to 63, each with a whole header (RTMP 1.0, section 5.3.1). */
export function chunksOf(
  chunkStream: number,
  { type, streamId, timestampMs, payload }: RtmpMessage,
): Uint8Array<ArrayBuffer> {
  const chunks = Math.max(1, Math.ceil(payload.length / CHUNK_BYTES));
  const out = new Uint8Array(12 + payload.length + chunks - 1);
  const view = new DataView(out.buffer);
  out[0] = chunkStream;
  // What follows overwrites the first byte of both.
  view.setUint32(0, Math.min(timestampMs, 0xfffffe));
  out[0] = chunkStream;
  view.setUint32(3, payload.length);
  out[3] = Math.min(timestampMs, 0xfffffe) & 0xff;
  out[7] = type;
  view.setUint32(8, streamId, true);
  for (let from = 0, at = 12; from < payload.length; from += CHUNK_BYTES) {
    if (from > 0) out[at++] = 0xc0 | chunkStream;
    const part = payload.subarray(from, from + CHUNK_BYTES);
    out.set(part, at);
    at += part.length;
  }
  return out;
}
