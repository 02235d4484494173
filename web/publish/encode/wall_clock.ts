/// <reference lib="dom" />

/**
 * The time of day in microseconds since 1970. It never jumps back. Frames carry it, so that a viewer with the same time knows
 * how late they are.
 */
export function wallClockUs(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}

/**
 * Moves the times of a source onto the time of day, by the lateness of its first frame. It measures again when the two clocks
 * have drifted apart.
 */
export class Anchor {
  #offsetUs: number | undefined;

  /** @param sourceUs The source's own time of a frame that came now. */
  place(sourceUs: number, nowUs = wallClockUs()): number {
    const offsetUs = nowUs - sourceUs;
    const drifted = this.#offsetUs === undefined ||
      Math.abs(offsetUs - this.#offsetUs) > MAX_DRIFT_US;
    if (drifted) this.#offsetUs = offsetUs;
    return Math.round(sourceUs + this.#offsetUs!);
  }
}

const MAX_DRIFT_US = 250_000;
