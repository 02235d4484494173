/** At most this many frames are shown before an earlier one. Real streams have fewer. */
const MAX_DEPTH = 16;

/**
 * Decode times for frames that come in decode order and have presentation times only. The n-th frame is decoded when the n-th
 * frame in presentation order is shown, minus the length of the frames that may be shown before an earlier one.
 */
export class DecodeClock {
  /** Presentation times that no frame has as its decode time yet, ascending. */
  readonly #waiting: number[] = [];
  #depth: number;
  #last = -Infinity;

  /** @param depth How many frames may be shown before an earlier one, as far as known. Grows when there are more. */
  constructor(depth = 0) {
    this.#depth = depth;
  }

  /** The decode time of the next frame; always later than the one before it, whatever the unit. */
  next(timestamp: number, frameLength: number): number {
    const waiting = this.#waiting;
    if (timestamp < this.#last && this.#depth < MAX_DEPTH) this.#depth++;
    let at = waiting.length;
    while (at > 0 && waiting[at - 1]! > timestamp) at--;
    waiting.splice(at, 0, timestamp);
    const time = waiting.length > this.#depth
      ? waiting.shift()!
      : waiting[0]! - (this.#depth - waiting.length + 1) * frameLength;
    this.#last = Math.max(time, this.#last === -Infinity ? time : this.#last + 1);
    return this.#last;
  }

  /** Decode time of the next frame, if it is known already. @param timestamp Its presentation time, if known. */
  upcoming(timestamp?: number): number | undefined {
    const [earliest] = this.#waiting;
    if (this.#waiting.length < this.#depth) return undefined;
    if (earliest === undefined) return timestamp;
    return timestamp === undefined ? earliest : Math.min(earliest, timestamp);
  }
}
