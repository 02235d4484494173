/**
 * The queue of a hook. It is bounded, and sends the events of one broadcast one after another. Events that cancel each other
 * while they wait are forgotten. So a peer that announces and leaves all the time makes no more work than one that seldom
 * does.
 *
 * @module
 */
import { type HookEvent, opposites } from "./event.ts";

/** Pause between two events of a broadcast. */
export const PAUSE_MS = 1000;
/** Most events of one broadcast that wait. Only ends of recordings can be that many. */
const MAX_PER_BROADCAST = 16;

export type Accepted = "waits" | "coalesced" | "full";

export class Waiting {
  readonly #max: number;
  /** By broadcast. The one that waits longest comes first. */
  readonly #byBroadcast = new Map<string, HookEvent[]>();
  readonly #busy = new Set<string>();
  /** Broadcasts in their pause. The value is when their next event may begin. */
  readonly #pausing = new Map<string, number>();
  #count = 0;

  /** @param max Most events over all broadcasts. */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#count;
  }

  /**
   * Adds an event. "coalesced": the event, or it and the one that it cancels, need not be sent. The receiver still gets the
   * two kinds in turn.
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

  /** The next event, if one may be sent now. Its broadcast is busy until {@link done}. */
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

  /** Says that an event from {@link next} was sent or given up. */
  done(broadcast: string, nowMs: number): void {
    this.#busy.delete(broadcast);
    this.#pausing.set(broadcast, nowMs + PAUSE_MS);
  }

  /** When the first broadcast in its pause may go on. `undefined` when none waits. */
  nextMs(): number | undefined {
    let soonest: number | undefined;
    for (const [broadcast, readyMs] of this.#pausing) {
      if (!this.#byBroadcast.has(broadcast) || this.#busy.has(broadcast)) continue;
      if (soonest === undefined || readyMs < soonest) soonest = readyMs;
    }
    return soonest;
  }

  /** Ends all pauses: the hook is closing. */
  hurry(): void {
    this.#pausing.clear();
  }

  /** Forgets all waiting events. @returns How many they were. */
  clear(): number {
    const count = this.#count;
    this.#byBroadcast.clear();
    this.#count = 0;
    return count;
  }
}
