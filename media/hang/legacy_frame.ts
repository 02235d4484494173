import { putVarint, varintSize } from "../../wire/varint.ts";

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
