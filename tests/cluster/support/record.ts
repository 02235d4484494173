/**
 * Which groups and frames one viewer got of a numbered track, and what is wrong with them.
 *
 * @module
 */

/** The beginning of each frame of a numbered track. */
export const NUMBER_BYTES = 8;

/** What a frame says of itself. */
export interface FrameNumber {
  readonly group: number;
  /** Its place in the group, from 0. */
  readonly frame: number;
  /** Whether its group ends with it. */
  readonly last: boolean;
}

export function putNumber(to: DataView, { group, frame, last }: FrameNumber): void {
  to.setUint32(0, group);
  to.setUint16(4, frame);
  to.setUint8(6, last ? 1 : 0);
}

export const numberOf = (from: DataView): FrameNumber => ({
  group: from.getUint32(0),
  frame: from.getUint16(4),
  last: from.getUint8(6) === 1,
});

interface Seen {
  frames: number;
  whole: boolean;
}

/** Most sentences that are kept: the first ones say what went wrong. */
const MAX_PROBLEMS = 20;

/** The list of one viewer. */
export class Record {
  readonly #groups = new Map<number, Seen>();
  readonly #problems: string[] = [];
  #first = Infinity;
  #newest = -1;

  /** The first group of which something came; Infinity before. */
  get first(): number {
    return this.#first;
  }

  /** The newest group of which something came; -1 before. */
  get newest(): number {
    return this.#newest;
  }

  /** A frame has arrived, in a group of this sequence. */
  frame(sequence: number, { group, frame, last }: FrameNumber): void {
    if (group !== sequence) this.#wrong(`group ${sequence} has a frame of group ${group}`);
    const seen = this.#groups.get(group) ?? { frames: 0, whole: false };
    this.#groups.set(group, seen);
    this.#first = Math.min(this.#first, group);
    this.#newest = Math.max(this.#newest, group);
    if (frame < seen.frames) return this.#wrong(`frame ${frame} of group ${group} came again`);
    if (frame > seen.frames) {
      this.#wrong(`frame ${frame} of group ${group} came after ${seen.frames} frames`);
    }
    seen.frames = frame + 1;
    seen.whole = last;
  }

  /** Whether every group from the first to `to` has come whole. @param torn So many may have come without their end. */
  has(to: number, torn = 0): boolean {
    return this.#groups.size > 0 && this.#lacking(to, torn).length === 0;
  }

  /** What is wrong up to `to`: missing, cut off, repeated, out of place. @param torn As in {@link has}. */
  problems(to: number, torn = 0): readonly string[] {
    if (this.#groups.size === 0) return ["nothing came"];
    return [...this.#problems, ...this.#lacking(to, torn)];
  }

  #lacking(to: number, torn: number): string[] {
    const lacking: string[] = [];
    let left = torn;
    for (let group = this.#first; group <= to; group++) {
      const seen = this.#groups.get(group);
      if (seen === undefined) lacking.push(`group ${group} is missing`);
      else if (!seen.whole && left-- <= 0) {
        lacking.push(`group ${group} ends after ${seen.frames} frames`);
      }
    }
    return lacking;
  }

  #wrong(what: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(what);
  }
}
