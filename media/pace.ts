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

/** Waits; ends early, without throwing, when the signal aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const over = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal?.addEventListener("abort", over, { once: true });
  });
}
