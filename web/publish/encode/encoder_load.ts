/** Whether an encoder keeps up: the share of frames that had to be left out. */

const WINDOW_US = 4_000_000;
const MAX_SKIPPED = 0.3;
/** A window with fewer frames than this says nothing. */
const MIN_FRAMES = 20;

export class EncoderLoad {
  #beganUs: number | undefined;
  #frames = 0;
  #skipped = 0;

  /**
   * Counts one frame of the source.
   *
   * @param taken Whether the encoder had room for it.
   * @returns Whether the encoder was behind over the last four seconds. It says so once for each such window.
   */
  frame(taken: boolean, timestampUs: number): boolean {
    this.#beganUs ??= timestampUs;
    this.#frames++;
    if (!taken) this.#skipped++;
    if (timestampUs - this.#beganUs < WINDOW_US) return false;
    const behind = this.#frames >= MIN_FRAMES && this.#skipped > this.#frames * MAX_SKIPPED;
    this.reset();
    return behind;
  }

  /** Begins a new window with the next frame. */
  reset(): void {
    this.#beganUs = undefined;
    this.#frames = 0;
    this.#skipped = 0;
  }
}
