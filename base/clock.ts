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
  /** Calls back once, `delayMs` from now. @returns Cancels the call; does nothing after it. */
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

/** A clock for tests: it moves only when {@link advance} is called. */
export class ManualClock implements Clock {
  #now = 0;
  #due: { atMs: number; callback: () => void }[] = [];

  now(): number {
    return this.#now;
  }
  wallMs(): number {
    return 1_700_000_000_000 + this.#now;
  }
  after(delayMs: number, callback: () => void): () => void {
    const entry = { atMs: this.#now + delayMs, callback };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((e) => e !== entry);
    };
  }
  /** Moves forward by `ms`, and makes the calls that are due until then, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#due.filter((e) => e.atMs <= end).sort((a, b) => a.atMs - b.atMs)[0];
      if (!next) break;
      this.#due = this.#due.filter((e) => e !== next);
      this.#now = next.atMs;
      next.callback();
    }
    this.#now = end;
  }
}
