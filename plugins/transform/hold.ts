import type { CarriedFrame } from "./carry.ts";

/** Without pictures out of ffmpeg the rest is held back for no longer than this. */
const MAX_HOLD_MS = 500;

interface Held {
  readonly track: string;
  readonly frame: CarriedFrame;
  readonly cameMs: number;
}

/**
 * Keeps what is carried as it is back until the picture of its time has been encoded: what is shown together leaves
 * together, so that players need no deeper buffer than for the input.
 */
export class Hold {
  readonly #held: Held[] = [];
  readonly #give: (track: string, frame: CarriedFrame) => void;
  /** Where each track that is encoded has come to. */
  readonly #shownUs: Map<string, number>;

  /** @param encoded The tracks that are waited for. */
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

  /** A picture was published. A clock that was set back holds nothing up for ever: age lets frames go. */
  shown(track: string, timestampUs: number, nowMs: number): void {
    this.#shownUs.set(track, timestampUs);
    this.#release(nowMs);
  }

  /** Lets go of all. */
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
