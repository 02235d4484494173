/**
 * How a broadcast notices that its publisher has begun anew: an encoder has restarted, and counts its groups from 0 again. Whoever
 * may get a broadcast from several sources needs this, one after the other or side by side. A page with one session does not
 * load it. `docs/adr/0019` has the rules.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { BroadcastSource } from "../ports.ts";
import { type CheckedSource, GenerationCheck } from "./generation_check.ts";

/** What a broadcast and its feeds ask. */
export interface Renewals {
  /** Checks a source that is to continue a track. @param newest The track's newest group. */
  check(newest: number, source: CheckedSource): GenerationCheck;
  /** Follows the sources of one broadcast. */
  follow(clock: Clock, onAnew: () => void): SourcesFollowed;
}

/**
 * How soon a source offers a broadcast again after its tracks have ended, if its publisher has begun anew. It says both at once,
 * on different streams.
 */
const RENEWED_MS = 2000;

/**
 * Notices a source that has ended tracks, has withdrawn the broadcast and offered it again: there its publisher has begun anew.
 * Without another route the broadcast would have ended in between.
 */
class SourcesFollowed {
  readonly #clock: Clock;
  readonly #onAnew: () => void;
  readonly #withdrawnAtMs = new WeakMap<BroadcastSource, number>();
  /** When one was last offered again soon after it was withdrawn, and when a track last ended in order. */
  #againAtMs = -Infinity;
  #endedAtMs = -Infinity;

  constructor(clock: Clock, onAnew: () => void) {
    this.#clock = clock;
    this.#onAnew = onAnew;
  }

  offered(source: BroadcastSource): void {
    const now = this.#clock.now();
    if (now - (this.#withdrawnAtMs.get(source) ?? -Infinity) > RENEWED_MS) return;
    this.#againAtMs = now;
    this.#look();
  }

  withdrawn(source: BroadcastSource): void {
    this.#withdrawnAtMs.set(source, this.#clock.now());
  }

  /** A track has ended in order. */
  ended(): void {
    this.#endedAtMs = this.#clock.now();
    this.#look();
  }

  /** The broadcast has begun anew. */
  begun(): void {
    this.#endedAtMs = this.#againAtMs = -Infinity;
  }

  #look(): void {
    if (Math.abs(this.#againAtMs - this.#endedAtMs) < RENEWED_MS) this.#onAnew();
  }
}

export type { SourcesFollowed };

export const renewals: Renewals = {
  check: (newest, source) => new GenerationCheck(newest, source),
  follow: (clock, onAnew) => new SourcesFollowed(clock, onAnew),
};
