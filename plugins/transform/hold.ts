import type { CarriedFrame } from "./carry.ts";

/** Frames are held back for at most this long when ffmpeg gives no video. */
const MAX_HOLD_MS = 500;

interface Held {
  readonly track: string;
  readonly frame: CarriedFrame;
  readonly cameMs: number;
}

/**
 * Holds frames that are not encoded back until the video of their time has been encoded. What is shown together leaves
 * together, so players need no deeper buffer than for the input.
 */
export class Hold {
  readonly #held: Held[] = [];
  readonly #give: (track: string, frame: CarriedFrame) => void;
  /** The newest timestamp of each encoded track. */
  readonly #shownUs: Map<string, number>;

  /** @param encoded The tracks that frames wait for. */
  constructor(
    encoded: readonly string[],
    give: (track: string, frame: CarriedFrame) => void,
  ) {
    this.#shownUs = new Map(encoded.map((track) => [track, -Infinity]));
    this.#give = give;
  }

  add(track: string, frame: CarriedFrame, nowMs: number): void {
    this.#held.push({ track, frame, cameMs: nowMs });
    this.#release(nowMs);
  }

  /** A frame of an encoded track was published. If timestamps are set back, frames leave by their age. */
  shown(track: string, timestampUs: number, nowMs: number): void {
    this.#shownUs.set(track, timestampUs);
    this.#release(nowMs);
  }

  /** Gives out all frames. */
  flush(): void {
    for (const { track, frame } of this.#held.splice(0)) this.#give(track, frame);
  }

  #release(nowMs: number): void {
    const untilUs = Math.min(...this.#shownUs.values());
    let due = 0;
    while (due < this.#held.length) {
      const { frame, cameMs } = this.#held[due]!;
      if (frame.timestampUs > untilUs && nowMs - cameMs < MAX_HOLD_MS) break;
      due++;
    }
    for (const { track, frame } of this.#held.splice(0, due)) this.#give(track, frame);
  }
}
