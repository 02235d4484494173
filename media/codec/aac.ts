/** The index of a rate is its number in an AudioSpecificConfig. */
export const AAC_RATES_HZ = [
  96_000,
  88_200,
  64_000,
  48_000,
  44_100,
  32_000,
  24_000,
  22_050,
  16_000,
  12_000,
  11_025,
  8_000,
  7_350,
] as const;

/**
 * What an AAC decoder has to know (AudioSpecificConfig, ISO 14496-3, 1.6.2.1).
 * @param object Audio object type: 2 is AAC-LC.
 * @returns `undefined` when there is no number for that rate or layout.
 */
export function aacConfig(
  object: number,
  sampleRateHz: number,
  channels: number,
): Uint8Array | undefined {
  const rate = AAC_RATES_HZ.findIndex((known) => known === sampleRateHz);
  if (rate < 0 || channels < 1 || channels > 8 || channels === 7) return undefined;
  const layout = channels === 8 ? 7 : channels;
  return Uint8Array.of((object << 3) | (rate >> 1), ((rate & 1) << 7) | (layout << 3));
}

/** A frame without its ADTS header (ISO 13818-7, 6.2): seven bytes, or nine with a checksum. */
export function withoutAdts(frame: Uint8Array): Uint8Array {
  if (frame[0] !== 0xff || (frame[1]! & 0xf6) !== 0xf0) return frame;
  return frame.subarray(frame[1]! & 1 ? 7 : 9);
}
