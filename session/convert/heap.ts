/** Values by rank: the first one is at hand, and one more or less costs little. */
export class Heap<T> {
  readonly #values: T[] = [];
  readonly #isBefore: (a: T, b: T) => boolean;

  /** @param isBefore Whether one value goes before another. That may not change while both are here. */
  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  /** No other goes before it; `undefined` when there is none. */
  get first(): T | undefined {
    return this.#values[0];
  }

  add(value: T): void {
    this.#rise(this.#values.push(value) - 1);
  }

  /** Harmless when it is not here. The first one is found at once. */
  delete(value: T): void {
    const values = this.#values;
    const at = values.indexOf(value);
    if (at < 0) return;
    const last = values.pop()!;
    if (at === values.length) return;
    values[at] = last;
    this.#rise(at);
    this.#sink(at);
  }

  #rise(from: number): void {
    const values = this.#values;
    const value = values[from]!;
    for (let at = from; at > 0;) {
      const above = (at - 1) >> 1;
      if (!this.#isBefore(value, values[above]!)) return;
      values[at] = values[above]!;
      values[above] = value;
      at = above;
    }
  }

  #sink(from: number): void {
    const values = this.#values;
    const value = values[from]!;
    for (let at = from;;) {
      let below = 2 * at + 1;
      if (below >= values.length) return;
      const next = values[below + 1];
      if (next !== undefined && this.#isBefore(next, values[below]!)) below++;
      if (!this.#isBefore(values[below]!, value)) return;
      values[at] = values[below]!;
      values[below] = value;
      at = below;
    }
  }
}
