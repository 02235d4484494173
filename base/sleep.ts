import type { Clock } from "./clock.ts";

/** A timer that is set for longer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Waits for `ms` milliseconds; with Infinity until the signal aborts. Ends early, without throwing, when the signal aborts.
 * Never rejects.
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
    let cancel: () => void;
    const wait = (leftMs: number) => {
      const next = leftMs > LONGEST_TIMER_MS ? () => wait(leftMs - LONGEST_TIMER_MS) : over;
      cancel = clock.after(Math.min(leftMs, LONGEST_TIMER_MS), next);
    };
    wait(ms);
    signal?.addEventListener("abort", over, { once: true });
  });
}

const TIMERS: Pick<Clock, "after"> = {
  after(delayMs, callback) {
    const id = setTimeout(callback, delayMs);
    return () => clearTimeout(id);
  },
};
