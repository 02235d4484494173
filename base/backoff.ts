/** How long to wait between attempts. Every time in milliseconds. */
export interface BackoffOptions {
  /** The wait before the first attempt. It doubles with each further one. Default 250. */
  readonly minMs?: number | undefined;
  /** Longest wait. Default 10,000. */
  readonly maxMs?: number | undefined;
  /** If a success lasts this long, the waits start again at `minMs`. Default 10,000. */
  readonly stableMs?: number;
  /** A number between 0 and 1 for the jitter: the real wait is half to all of the nominal one. Default: `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** Waits between attempts. They double each time, with jitter, and start again after a lasting success. */
export class Backoff {
  readonly #options: BackoffOptions;
  #nextMs: number;
  /** Attempts since the last lasting success. */
  attempts = 0;

  constructor(options: BackoffOptions = {}) {
    this.#options = options;
    this.#nextMs = options.minMs ?? 250;
  }

  /** Reports the end of a success. @param heldMs How long it lasted. @returns Whether the waits start again. */
  ended(heldMs: number): boolean {
    const { minMs = 250, stableMs = 10_000 } = this.#options;
    if (heldMs < stableMs) return false;
    this.#nextMs = minMs;
    this.attempts = 0;
    return true;
  }

  /** The shortest wait, for an attempt at another place: the next one is not longer for it. */
  shortest(): number {
    const { random = Math.random, minMs = 250 } = this.#options;
    this.attempts++;
    return Math.round(minMs * (0.5 + random() / 2));
  }

  /** The wait before the next attempt, in milliseconds. */
  next(): number {
    const { random = Math.random, maxMs = 10_000 } = this.#options;
    const waitMs = this.#nextMs * (0.5 + random() / 2);
    this.#nextMs = Math.min(this.#nextMs * 2, maxMs);
    this.attempts++;
    return Math.round(waitMs);
  }
}
