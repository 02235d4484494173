import type { Clock } from "./clock.ts";

/**
 * Waits for `ms` milliseconds. Ends early, without throwing, when the signal aborts. Never rejects.
 * @param clock The clock to use. Default: the machine's time, with a timer that keeps the process alive.
 */
export function sleep(ms: number, signal?: AbortSignal, clock = TIMERS): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const over = () => {
      cancel();
      signal?.removeEventListener("abort", over);
      resolve();
    };
    const cancel = clock.after(ms, over);
    signal?.addEventListener("abort", over, { once: true });
  });
}

const TIMERS: Pick<Clock, "after"> = {
  after(delayMs, callback) {
    const id = setTimeout(callback, delayMs);
    return () => clearTimeout(id);
  },
};
