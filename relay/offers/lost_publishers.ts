/**
 * The broadcasts that wait for their lost publishers, the one that has waited longest first.
 *
 * @module
 */
import type { Broadcast } from "../broadcast.ts";
import type { Offer } from "./offers.ts";

/**
 * Most broadcasts that wait for a lost publisher at one time, and tracks that publishers have offered one by one. Above it,
 * the one that has waited longest is given up. One session may announce this many by default, so a lost link to another relay
 * keeps all of its broadcasts.
 */
const MAX_LOST = 20_000;

interface Lost {
  readonly offer: Offer;
  /** Stops the time after which it is given up. */
  readonly cancel: () => void;
  /** How much of the limit it takes. */
  readonly weight: number;
}

export class LostPublishers {
  readonly #lost = new Map<Broadcast, Lost>();
  #weight = 0;

  /** @param cancel Stops the time after which it is given up. */
  add(offer: Offer, cancel: () => void): void {
    const { broadcast, route } = offer;
    this.delete(broadcast); // so that the newest are last
    const weight = Math.max(1, route.tracks?.size ?? 0);
    this.#lost.set(broadcast, { offer, cancel, weight });
    this.#weight += weight;
  }

  /** How its publisher has offered a broadcast before it was lost. */
  get(broadcast: Broadcast): Offer | undefined {
    return this.#lost.get(broadcast)?.offer;
  }

  /** It does not wait any more. Harmless when it does not. @returns How its publisher had offered it. */
  delete(broadcast: Broadcast): Offer | undefined {
    const lost = this.#lost.get(broadcast);
    if (lost === undefined) return undefined;
    lost.cancel();
    this.#lost.delete(broadcast);
    this.#weight -= lost.weight;
    return lost.offer;
  }

  /** The one to give up, if there are too many. One alone may stay. */
  get tooMany(): Broadcast | undefined {
    if (this.#weight <= MAX_LOST || this.#lost.size < 2) return undefined;
    const [oldest] = this.#lost.keys();
    return oldest;
  }
}
