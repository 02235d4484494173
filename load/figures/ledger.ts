/** The outcome of the groups of one subscription. */
export interface GroupCounts {
  /** Groups that came, whole or not. */
  seen: number;
  /** Groups of which nothing came: between others, or before the end. */
  lost: number;
  /** Streams of groups that had come before. */
  repeated: number;
  /** Groups whose stream ended before their last frame. */
  cut: number;
}

const State = { absent: 0, open: 1, whole: 2, cut: 3 } as const;
type State = typeof State[keyof typeof State];

const FIRST_BYTES = 64;

/** The groups of one subscription: a byte each, from the first that came. */
export class Ledger {
  #base = -1;
  #newest = -1;
  #states = new Uint8Array(FIRST_BYTES);
  #repeated = 0;

  /** The newest group of which something came, or -1. */
  get newest(): number {
    return this.#newest;
  }

  /** A group's stream has begun. */
  begin(sequence: number): void {
    if (this.#base === -1) this.#base = sequence;
    if (sequence < this.#base) this.#extendDown(sequence);
    const at = sequence - this.#base;
    if (at >= this.#states.length) this.#grow(at + 1);
    if (sequence > this.#newest) this.#newest = sequence;
    if (this.#states[at] !== State.absent) this.#repeated++;
    else this.#states[at] = State.open;
  }

  /** The stream of a group has ended. A whole group stays whole when a repeated stream of it is cut. */
  end(sequence: number, whole: boolean): void {
    const at = sequence - this.#base;
    if (this.#states[at] !== State.whole) this.#states[at] = whole ? State.whole : State.cut;
  }

  /**
   * Judges all groups from the first that came up to `last`, inclusive. A stream that has not ended by now counts as cut.
   * @param last The last published group if it is known, otherwise the newest that came. Newer ones are not judged.
   */
  judge(last: number = this.#newest): GroupCounts {
    const counts: GroupCounts = { seen: 0, lost: 0, repeated: this.#repeated, cut: 0 };
    if (this.#base === -1) return counts;
    for (let sequence = this.#base; sequence <= last; sequence++) {
      const state = this.#states[sequence - this.#base] ?? State.absent;
      if (state === State.absent) counts.lost++;
      else counts.seen++;
      if (state === State.open || state === State.cut) counts.cut++;
    }
    return counts;
  }

  /** Whether every group from the first that came up to `last` has ended. */
  settled(last: number): boolean {
    if (this.#base === -1 || this.#newest < last) return false;
    for (let sequence = this.#base; sequence <= last; sequence++) {
      if (this.#states[sequence - this.#base]! < State.whole) return false;
    }
    return true;
  }

  #grow(length: number): void {
    const states = new Uint8Array(Math.max(length, this.#states.length * 2));
    states.set(this.#states);
    this.#states = states;
  }

  /** An older group came after a newer one: streams overtake each other. */
  #extendDown(base: number): void {
    const states = new Uint8Array(this.#states.length + this.#base - base);
    states.set(this.#states, this.#base - base);
    this.#states = states;
    this.#base = base;
  }
}
