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
  const prefixBytes = timestampUs < 2 ** 6
    ? 1
    : timestampUs < 2 ** 14
    ? 2
    : timestampUs < 2 ** 30
    ? 4
    : 8;
  const frame = new Uint8Array(prefixBytes + data.length);
  let rest = timestampUs;
  for (let i = prefixBytes - 1; i >= 0; i--) {
    frame[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  // The two highest bits are free at each of these sizes; they name the size.
  frame[0] = (frame[0] ?? 0) | (Math.log2(prefixBytes) << 6);
  frame.set(data, prefixBytes);
  return frame;
}
