import type { Clock } from "../../base/clock.ts";

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
