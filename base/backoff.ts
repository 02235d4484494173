/** How long to wait between attempts. Every time in milliseconds. */
export interface BackoffOptions {
  /** Wait before the first attempt; each further one doubles it. Default 250. */
  readonly minMs?: number | undefined;
  /** Longest wait. Default 10,000. */
  readonly maxMs?: number | undefined;
  /** What held this long starts the waits anew. Default 10,000. */
  readonly stableMs?: number;
  /** Between 0 and 1, for the jitter: an attempt comes after half to all of its wait. Default: random. */
  readonly random?: (() => number) | undefined;
}

/** Waits that double from one attempt to the next, with jitter, until something has held. */
export class Backoff {
  readonly #options: BackoffOptions;
  #nextMs: number;
  /** Attempts since something last held. */
  attempts = 0;

  constructor(options: BackoffOptions = {}) {
    this.#options = options;
    this.#nextMs = options.minMs ?? 250;
  }

  /** What an attempt brought has ended. @param heldMs How long it stood. @returns Whether the waits start anew. */
  ended(heldMs: number): boolean {
    const { minMs = 250, stableMs = 10_000 } = this.#options;
    if (heldMs < stableMs) return false;
    this.#nextMs = minMs;
    this.attempts = 0;
    return true;
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
