import type { Clock } from "../../base/clock.ts";

/** Longest single wait: timers hold 2^31 ms at most, and the wall clock may be set meanwhile. */
const STEP_MS = 60_000;

/** Calls back once when the wall clock reaches a moment. @returns Cancels it. */
export function callAt(clock: Clock, atMs: number, callback: () => void): () => void {
  let cancel = () => {};
  const wait = () => {
    const leftMs = atMs - clock.wallMs();
    if (leftMs <= 0) return callback();
    cancel = clock.after(Math.min(leftMs, STEP_MS), wait);
  };
  // Never before the caller has what cancels it.
  cancel = clock.after(Math.min(Math.max(0, atMs - clock.wallMs()), STEP_MS), wait);
  return () => cancel();
}
