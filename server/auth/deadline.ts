import type { Clock } from "../../base/clock.ts";

/** Longest single wait. A timer has at most 2^31 ms, and the wall clock may be changed. */
const STEP_MS = 60_000;

/** Calls back once when the wall clock reaches a moment. @returns Cancels it. */
export function callAt(clock: Clock, atMs: number, callback: () => void): () => void {
  let cancel = () => {};
  const wait = () => {
    const leftMs = atMs - clock.wallMs();
    if (leftMs <= 0) return callback();
    cancel = clock.after(Math.min(leftMs, STEP_MS), wait);
  };
  // Not before this returns: the caller needs the function that cancels it.
  cancel = clock.after(Math.min(Math.max(0, atMs - clock.wallMs()), STEP_MS), wait);
  return () => cancel();
}
