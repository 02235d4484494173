/**
 * How many malformed streams and datagrams a session gets away with: each ends alone, and who goes on sending them is cut
 * off.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";

/** Faults that may come at once. */
export const MAX_FAULTS = 16;
/** After this long one of them is forgotten. */
export const FAULT_FORGOTTEN_MS = 10_000;

/** The faults of one session. */
export class Faults {
  readonly #clock: Clock;
  #count = 0;
  #atMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One more. @returns Whether the session has had too many. */
  add(): boolean {
    const now = this.#clock.now();
    this.#count = Math.max(0, this.#count - (now - this.#atMs) / FAULT_FORGOTTEN_MS) + 1;
    this.#atMs = now;
    return this.#count > MAX_FAULTS;
  }
}
