/**
 * Events that wait for their turn: bounded, one after another for each broadcast, and what has taken itself back meanwhile
 * is forgotten. A stranger who announces and leaves all the time makes no more work than one who does so now and then.
 *
 * @module
 */
import { type HookEvent, opposites } from "./event.ts";

/** After an event of a broadcast, its next one is not begun for so long. */
export const PAUSE_MS = 1000;
/** Events of one broadcast that wait at most: recordings that end. */
const MAX_PER_BROADCAST = 16;

export type Accepted = "waits" | "coalesced" | "full";

export class Waiting {
  readonly #max: number;
  /** The broadcast that waits longest first. */
  readonly #byBroadcast = new Map<string, HookEvent[]>();
  readonly #busy = new Set<string>();
  /** Broadcasts whose last event was done a moment ago, by when the next may begin. */
  readonly #pausing = new Map<string, number>();
  #count = 0;

  /** @param max Most events, over all broadcasts. */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#count;
  }

  /**
   * Adds an event. "coalesced" when it, or it and the one it takes back, need not be told: the receiver still hears each
   * pair in turn.
   */
  add(event: HookEvent): Accepted {
    const here = this.#byBroadcast.get(event.broadcast) ?? [];
    const at = here.findIndex((other) => opposites(other, event) !== "unrelated");
    if (at >= 0) {
      if (opposites(here[at]!, event) === "opposite") {
        here.splice(at, 1);
        this.#count--;
        if (here.length === 0) this.#byBroadcast.delete(event.broadcast);
      }
      return "coalesced";
    }
    if (this.#count >= this.#max || here.length >= MAX_PER_BROADCAST) return "full";
    here.push(event);
    this.#byBroadcast.set(event.broadcast, here);
    this.#count++;
    return "waits";
  }

  /** The event whose turn it is, if there is one; its broadcast is busy until {@link done}. */
  next(nowMs: number): HookEvent | undefined {
    for (const [broadcast, readyMs] of this.#pausing) {
      if (readyMs <= nowMs) this.#pausing.delete(broadcast);
    }
    for (const [broadcast, events] of this.#byBroadcast) {
      if (this.#busy.has(broadcast) || this.#pausing.has(broadcast)) continue;
      const event = events.shift()!;
      this.#count--;
      this.#byBroadcast.delete(broadcast);
      if (events.length > 0) this.#byBroadcast.set(broadcast, events); // behind the others
      this.#busy.add(broadcast);
      return event;
    }
    return undefined;
  }

  /** An event that {@link next} gave is over. */
  done(broadcast: string, nowMs: number): void {
    this.#busy.delete(broadcast);
    this.#pausing.set(broadcast, nowMs + PAUSE_MS);
  }

  /** When a broadcast that pauses and has events may go on; `undefined` when none waits for that. */
  nextMs(): number | undefined {
    let soonest: number | undefined;
    for (const [broadcast, readyMs] of this.#pausing) {
      if (!this.#byBroadcast.has(broadcast) || this.#busy.has(broadcast)) continue;
      if (soonest === undefined || readyMs < soonest) soonest = readyMs;
    }
    return soonest;
  }

  /** Nothing waits for its broadcast any more: the end has come. */
  hurry(): void {
    this.#pausing.clear();
  }

  /** Forgets what waits. @returns How many events that were. */
  clear(): number {
    const count = this.#count;
    this.#byBroadcast.clear();
    this.#count = 0;
    return count;
  }
}
