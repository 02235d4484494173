/** Most frames within ffmpeg at a time: more than any encoder holds. */
const KEPT = 512;
/** A timestamp of ffmpeg is off by the rounding to its clock, and no more. */
const SLACK_US = 1000;

/** When each frame went into ffmpeg, to recognise it in the output. */
export class FrameTimes {
  readonly #went: { readonly timestampUs: number; readonly atMs: number }[] = [];

  /** @param atMs When it came, by a clock that does not run backwards. */
  add(timestampUs: number, atMs: number): void {
    const went = this.#went;
    // In the order in which they are shown.
    let at = went.length;
    while (at > 0 && went[at - 1]!.timestampUs > timestampUs) at--;
    went.splice(at, 0, { timestampUs, atMs });
    if (went.length > KEPT) went.shift();
  }

  /**
   * The frame that is shown at about this time: its exact time, and when it came. Where there is none (another frame rate),
   * the frame before it tells when that was.
   */
  find(timestampUs: number): { readonly timestampUs: number; readonly atMs: number } | undefined {
    const before = this.#went.findLastIndex((frame) => frame.timestampUs <= timestampUs + SLACK_US);
    const frame = this.#went[before];
    if (frame === undefined) return undefined;
    const same = timestampUs - frame.timestampUs <= SLACK_US;
    return { timestampUs: same ? frame.timestampUs : timestampUs, atMs: frame.atMs };
  }
}
