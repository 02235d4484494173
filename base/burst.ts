/** Lets so many things through at once, and then one in a while. */
export class Burst {
  readonly #count: number;
  readonly #everyMs: number;
  /** When all that was let through is made up for. */
  #dueMs = -Infinity;

  constructor(count: number, everyMs: number) {
    this.#count = count;
    this.#everyMs = everyMs;
  }

  /** @param nowMs Of a clock that does not run backwards. @returns How long the next one has to wait. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#dueMs - nowMs - (this.#count - 1) * this.#everyMs);
  }

  /** One was let through. */
  took(nowMs: number): void {
    this.#dueMs = Math.max(this.#dueMs, nowMs) + this.#everyMs;
  }
}
