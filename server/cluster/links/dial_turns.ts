/**
 * How many nodes are dialed at once. A directory may name thousands that do not answer, and each dial has a socket and half a
 * megabyte as long as it lasts.
 *
 * @module
 */
import { type Clock, systemClock } from "../../../base/clock.ts";

/** Dials under way. */
export const MOST_DIALS = 32;
/** A dial that fails has its turn for so long, so that nodes that refuse at once are not dialed by the thousand. */
const FAILED_MS = 500;

/** Its users take turns. */
export class DialTurns {
  readonly #clock: Clock;
  #free = MOST_DIALS;
  /** Who had a link before goes first: nodes that never answer hold up nobody who did. */
  readonly #waiting = { again: new Set<() => void>(), first: new Set<() => void>() };

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /**
   * Dials when it is its turn.
   * @param again Whether this node was linked before.
   * @throws What `dial` throws, or the reason of the signal.
   */
  async take<T>(again: boolean, dial: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const startedMs = await this.#turn(again, signal);
    try {
      const dialed = await dial();
      this.#next();
      return dialed;
    } catch (error) {
      const leftMs = signal.aborted ? 0 : startedMs + FAILED_MS - this.#clock.now();
      if (leftMs <= 0) this.#next();
      else this.#clock.after(leftMs, () => this.#next());
      throw error;
    }
  }

  /** @returns When it began. */
  async #turn(again: boolean, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return this.#clock.now();
    }
    const queue = this.#waiting[again ? "again" : "first"];
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      if (queue.delete(resolve)) reject(signal.reason);
    };
    queue.add(resolve);
    signal.addEventListener("abort", leave);
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
    return this.#clock.now();
  }

  #next(): void {
    const { again, first } = this.#waiting;
    const queue = again.size > 0 ? again : first;
    const [next] = queue;
    if (next === undefined) return void this.#free++;
    queue.delete(next);
    next();
  }
}
