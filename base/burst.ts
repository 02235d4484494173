/** A rate limit: `count` at once, and then one every `everyMs` milliseconds. */
export class Burst {
  readonly #count: number;
  readonly #everyMs: number;
  /** When the full burst is available again. */
  #dueMs = -Infinity;

  constructor(count: number, everyMs: number) {
    this.#count = count;
    this.#everyMs = everyMs;
  }

  /** @param nowMs From a clock that never runs backwards. @returns Milliseconds until the next one may pass. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#dueMs - nowMs - (this.#count - 1) * this.#everyMs);
  }

  /** Counts one that has passed. */
  took(nowMs: number): void {
    this.#dueMs = Math.max(this.#dueMs, nowMs) + this.#everyMs;
  }
}
