/**
 * Puts groups in order of sequence. A missing group is awaited for a limited time.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { GroupReader } from "./frames.ts";

export interface OrderingOptions {
  readonly clock: Clock;
  /** How long a later group waits for a missing one, in milliseconds. Called for each group that comes. */
  readonly waitMs: () => number;
  readonly deliver: (group: GroupReader) => void;
}

interface Early {
  readonly group: GroupReader;
  /** When it goes out whatever is missing before it. */
  readonly dueMs: number;
}

export class Ordering {
  /** Groups that did not come in time, as far as known. */
  skipped = 0;
  readonly #options: OrderingOptions;
  readonly #early = new Map<number, Early>();
  #next: number | undefined;
  #cancel: (() => void) | undefined;

  constructor(options: OrderingOptions) {
    this.#options = options;
  }

  /**
   * Takes a group that has come.
   * @param start No lower group will come; counts with the first group.
   */
  push(group: GroupReader, start: number): void {
    this.#next ??= start;
    if (group.sequence < this.#next) return group.close(); // later ones are out already
    const { clock, waitMs } = this.#options;
    this.#early.set(group.sequence, { group, dueMs: clock.now() + waitMs() });
    this.#go();
  }

  /** Lower groups are not wanted any more. */
  skipTo(sequence: number): void {
    if (this.#next === undefined || sequence <= this.#next) return;
    this.#next = sequence;
    for (const [number, { group }] of this.#early) {
      if (number < sequence && this.#early.delete(number)) group.close();
    }
    this.#go();
  }

  /** Nothing more will come: hands out the waiting groups. */
  flush(): void {
    while (this.#early.size > 0) this.#skip();
  }

  /** Releases the waiting groups. */
  close(): void {
    this.#cancel?.();
    for (const { group } of this.#early.values()) group.close();
    this.#early.clear();
  }

  /** Hands out the groups that are next, then those that have waited long enough. */
  #go(): void {
    const now = this.#options.clock.now();
    for (;;) {
      this.#drain();
      let dueMs = Infinity;
      for (const early of this.#early.values()) dueMs = Math.min(dueMs, early.dueMs);
      if (dueMs > now) return this.#wakeAt(dueMs);
      this.#skip();
    }
  }

  #drain(): void {
    for (let early; (early = this.#early.get(this.#next!)) !== undefined;) {
      this.#early.delete(this.#next!);
      this.#next!++;
      this.#options.deliver(early.group);
    }
  }

  /** Gives up the missing groups before the lowest one that is here. */
  #skip(): void {
    const lowest = Math.min(...this.#early.keys());
    this.skipped += lowest - this.#next!;
    this.#next = lowest;
    this.#drain();
  }

  #wakeAt(dueMs: number): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (dueMs === Infinity) return;
    const { clock } = this.#options;
    this.#cancel = clock.after(dueMs - clock.now(), () => this.#go());
  }
}
