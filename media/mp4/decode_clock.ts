/** Frames that may overtake each other; deeper nesting does not occur. */
const MAX_DEPTH = 16;

/**
 * Decode times for frames that come in decode order with nothing but presentation times: the n-th frame is decoded when the
 * n-th in the order of presentation is shown, less as many frames as overtake each other.
 */
export class DecodeClock {
  /** Presentation times that are no decode time yet, ascending. */
  readonly #waiting: number[] = [];
  #depth: number;
  #last = -Infinity;

  /** @param depth How many frames overtake each other, as far as known; grows when more do. */
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

  /** When the frame behind those so far will be decoded, if that is known already. @param timestamp When it is shown. */
  upcoming(timestamp?: number): number | undefined {
    const [earliest] = this.#waiting;
    if (this.#waiting.length < this.#depth) return undefined;
    if (earliest === undefined) return timestamp;
    return timestamp === undefined ? earliest : Math.min(earliest, timestamp);
  }
}
