/** The qualities of one picture that a publisher offers. */

export interface Quality {
  readonly width: number;
  readonly height: number;
  /** Bits per second. */
  readonly bitrate: number;
}

/** Lines of the shorter side that smaller qualities have. */
const LINES = [720, 360, 180];
/** A quality has at most this share of the lines of the one above it. A closer one would be no real choice. */
const STEP = 0.7;
const MAX_QUALITIES = 3;
/** Larger pictures need fewer bits for each of their pixels. */
const BITS_PER_PIXEL_EXPONENT = 0.75;

/**
 * A picture as it is captured and up to two smaller ones, best first. All have the same shape, and even sides, which
 * encoders of H.264 ask for.
 */
export function ladder({ width, height, bitrate }: Quality): Quality[] {
  const even = (side: number) => Math.max(2, Math.round(side / 2) * 2);
  const full = { width: width & ~1, height: height & ~1, bitrate };
  const shorter = Math.min(width, height);
  const qualities: Quality[] = [full];
  let lines = shorter;
  for (const next of LINES) {
    if (qualities.length === MAX_QUALITIES || next > lines * STEP) continue;
    lines = next;
    const share = next / shorter;
    qualities.push({
      width: even(width * share),
      height: even(height * share),
      bitrate: Math.round(bitrate * share ** (2 * BITS_PER_PIXEL_EXPONENT) / 1000) * 1000,
    });
  }
  return qualities;
}
