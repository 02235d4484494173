import { sleep } from "../base/sleep.ts";

/** Releases frames at the speed of their timestamps. */
export class Pace {
  #startedMs: number | undefined;

  /** Waits until the frame is due. The first frame is due at once. Aborting the signal ends the wait. */
  async reach(timestampUs: number, signal?: AbortSignal): Promise<void> {
    this.#startedMs ??= performance.now() - timestampUs / 1000;
    const aheadMs = this.#startedMs + timestampUs / 1000 - performance.now();
    if (aheadMs > 5) await sleep(aheadMs, signal);
  }
}
