/**
 * How many malformed streams and datagrams a session may send. Each of them ends alone; too many of them end the session.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";

/** Faults that may come at once. */
export const MAX_FAULTS = 16;
/** One fault is forgotten after this long. */
export const FAULT_FORGOTTEN_MS = 10_000;

/** The faults of one session. */
export class Faults {
  readonly #clock: Clock;
  #count = 0;
  #atMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one more. @returns Whether there were too many. */
  add(): boolean {
    const now = this.#clock.now();
    this.#count = Math.max(0, this.#count - (now - this.#atMs) / FAULT_FORGOTTEN_MS) + 1;
    this.#atMs = now;
    return this.#count > MAX_FAULTS;
  }
}
