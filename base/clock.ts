/**
 * Time is passed in: the core has no timers of its own, so a test can run through an hour in a microsecond.
 *
 * @module
 */
export interface Clock {
  /** Milliseconds since some fixed moment. Never runs backwards. */
  now(): number;
  /** Milliseconds since 1970, for timestamps that leave the process. */
  wallMs(): number;
  /** Calls back once, `delayMs` from now. The returned function cancels the call, and does nothing after it. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The time of the machine. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, callback) {
    const id = setTimeout(callback, delayMs);
    unref(id);
    return () => clearTimeout(id);
  },
};

function unref(id: unknown): void {
  const runtime = (globalThis as { Deno?: { unrefTimer?(id: unknown): void } }).Deno;
  runtime?.unrefTimer?.(id);
}
