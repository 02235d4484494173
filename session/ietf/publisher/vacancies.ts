import type { Clock } from "../../../base/clock.ts";

/** How long to wait for what a request collides with. */
const VACANT_MS = 200;
/** Most requests of a session that wait so. */
const MAX_WAITING = 100;

/**
 * Lets a request wait a moment for one that it collides with. A peer may take a request back and make the same one again at
 * once: what it has taken back is not gone yet, and on streams of their own the two may overtake each other.
 */
export class Vacancies {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A request is over. */
  changed(): void {
    for (const check of this.#waiting) check();
  }

  /** Waits until `isFree`, or until it has taken too long. Ask again then: others may wait as well. */
  async wait(isFree: () => boolean): Promise<void> {
    if (this.#waiting.size >= MAX_WAITING) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = () => {
      if (isFree()) resolve();
    };
    this.#waiting.add(check);
    const cancel = this.#clock.after(VACANT_MS, resolve);
    await promise;
    cancel();
    this.#waiting.delete(check);
  }
}
