/// <reference lib="dom" />

/**
 * The time of day in microseconds since 1970, even and never set back. Frames bear it, so that whoever has the same time
 * can tell how late they are.
 */
export function wallClockUs(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}

/**
 * Puts the times of a source onto the time of day: moved by as much as the first one was late, and anew when the two have
 * run apart.
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
