import type { CarriedFrame } from "./carry.ts";

/** Without a picture sound is held back for no longer than this. */
const MAX_HOLD_MS = 500;

interface Held {
  readonly track: string;
  readonly frame: CarriedFrame;
  readonly cameMs: number;
}

/**
 * Keeps sound back until the picture of its time has been encoded: what is shown together leaves together, so that players
 * need no deeper buffer than for the input.
 */
export class AudioHold {
  readonly #held: Held[] = [];
  readonly #give: (track: string, frame: CarriedFrame) => void;
  #shownUs = -Infinity;

  constructor(give: (track: string, frame: CarriedFrame) => void) {
    this.#give = give;
  }

  add(track: string, frame: CarriedFrame, nowMs: number): void {
    this.#held.push({ track, frame, cameMs: nowMs });
    this.#release(nowMs);
  }

  /** A picture was published. */
  shown(timestampUs: number, nowMs: number): void {
    // A clock that was set back holds nothing up for ever: the frames' age lets them go.
    this.#shownUs = timestampUs;
    this.#release(nowMs);
  }

  /** Lets go of all. */
  flush(): void {
    for (const { track, frame } of this.#held.splice(0)) this.#give(track, frame);
  }

  #release(nowMs: number): void {
    let due = 0;
    while (due < this.#held.length) {
      const { frame, cameMs } = this.#held[due]!;
      if (frame.timestampUs > this.#shownUs && nowMs - cameMs < MAX_HOLD_MS) break;
      due++;
    }
    for (const { track, frame } of this.#held.splice(0, due)) this.#give(track, frame);
  }
}
