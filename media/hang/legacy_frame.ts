import { getVarint, putVarint, varintSize, varintWidth } from "../../wire/varint.ts";

/**
 * One frame of hang's "legacy" container: the presentation time as a QUIC varint (RFC 9000,
 * section 16), then the codec's bytes.
 *
 * @param timestampUs Microseconds, an integer from 0 to 2^53 - 1.
 * @throws {RangeError} The time is not such an integer.
 */
export function encodeLegacyFrame(timestampUs: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  if (!Number.isSafeInteger(timestampUs) || timestampUs < 0) {
    throw new RangeError(`A timestamp of ${timestampUs} µs cannot be written as a varint`);
  }
  const prefixBytes = varintSize(timestampUs);
  const frame = new Uint8Array(prefixBytes + data.length);
  putVarint(frame, 0, timestampUs);
  frame.set(data, prefixBytes);
  return frame;
}

/**
 * Reads a frame of hang's "legacy" container.
 *
 * @returns The data as a view. Without data the frame is a marker: the content stops there. `undefined` when the frame is cut
 *   short, or its time is above 2^53 - 1.
 */
export function decodeLegacyFrame<B extends ArrayBufferLike>(
  frame: Uint8Array<B>,
): { readonly timestampUs: number; readonly data: Uint8Array<B> } | undefined {
  const [first] = frame;
  if (first === undefined || varintWidth(first) > frame.length) return undefined;
  const timestampUs = getVarint(frame, 0);
  if (!Number.isSafeInteger(timestampUs)) return undefined;
  return { timestampUs, data: frame.subarray(varintWidth(first)) };
}
