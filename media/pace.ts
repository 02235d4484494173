import { sleep } from "../base/sleep.ts";

/** Gives frames out at the speed of their timestamps. */
export class Pace {
  #startedMs: number | undefined;

  /** Waits until the frame's time has come; the first one's is now. A signal that aborts ends the wait. */
  async reach(timestampUs: number, signal?: AbortSignal): Promise<void> {
    this.#startedMs ??= performance.now() - timestampUs / 1000;
    const aheadMs = this.#startedMs + timestampUs / 1000 - performance.now();
    if (aheadMs > 5) await sleep(aheadMs, signal);
  }
}
