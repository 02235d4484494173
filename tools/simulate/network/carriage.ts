/**
 * The network between two ends: what is sent arrives later, in order, or not at all.
 *
 * @module
 */
import type { SimulatedTime } from "../simulated_time.ts";

/** What a network path is like. */
export interface PathQuality {
  /** One way. */
  readonly latencyMs: number;
  /** Up to so much more, for each piece. Default 0. */
  readonly jitterMs?: number;
}

export class Carriage {
  /** When the last piece of each direction arrives: none overtakes it. */
  readonly #lastMs: [number, number] = [0, 0];
  /** What has come to the silent place, in order; absent while it is not silent. */
  #held: (() => void)[] | undefined;
  #over = false;

  constructor(
    readonly time: SimulatedTime,
    readonly random: () => number,
    readonly quality: PathQuality,
  ) {}

  /** Whether nothing arrives now. */
  get silent(): boolean {
    return this.#held !== undefined;
  }

  /** @param way Which of the two directions. */
  send(way: 0 | 1, arrived: () => void): void {
    const { latencyMs, jitterMs = 0 } = this.quality;
    const soonest = this.time.now() + latencyMs + Math.round(this.random() * jitterMs);
    const atMs = Math.max(soonest, this.#lastMs[way]);
    this.#lastMs[way] = atMs;
    this.time.after(atMs - this.time.now(), () => {
      if (this.#over) return;
      if (this.#held === undefined) arrived();
      else this.#held.push(arrived);
    });
  }

  /** Nothing arrives any more. It comes late after {@link mend}. */
  silence(): void {
    this.#held ??= [];
  }

  /** What was held back arrives now: it was sent again. */
  mend(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const arrived of held) if (!this.#over) arrived();
  }

  /** Nothing arrives for ever. */
  end(): void {
    this.#over = true;
    this.#held = undefined;
  }
}
