/**
 * What is counted over the whole simulation.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Announced, Origin } from "../../relay/origin.ts";

export class Counted {
  /** Announcements told over all links: new ones, updates and ends. */
  messages = 0;
  /** When the routes of any node changed last. */
  changedAtMs = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Routes of some node have changed. */
  changed(): void {
    this.changedAtMs = this.#clock.now();
  }

  /** Counts what sessions tell of an origin, and notes when its routes change. */
  follow(origin: Origin): void {
    const watch = origin.watch.bind(origin);
    origin.watch = (options, listener) =>
      watch(options, (event) => {
        this.messages++;
        listener(event);
      });
    const announce = origin.announce.bind(origin);
    origin.announce = (path, source, announcement) => {
      this.changed();
      const announced = announce(path, source, announcement);
      return announced && this.#followed(announced);
    };
  }

  #followed(announced: Announced): Announced {
    return {
      ...announced,
      update: (next) => {
        this.changed();
        announced.update(next);
      },
      discourage: () => {
        this.changed();
        announced.discourage();
      },
      end: (abrupt) => {
        this.changed();
        announced.end(abrupt);
      },
    };
  }
}
