/** A queue of arrivals, read one by one. After its end nothing is returned. */
export class Arrivals<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T | undefined) => void)[] = [];
  #ended = false;

  /** How many wait. */
  get length(): number {
    return this.#items.length;
  }

  /** @returns false when the queue has ended: the item is not kept. */
  push(item: T): boolean {
    if (this.#ended) return false;
    const next = this.#waiting.shift();
    if (next) next(item);
    else this.#items.push(item);
    return true;
  }

  /** The next item, or `undefined` once the queue has ended. */
  next(): Promise<T | undefined> {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift());
    if (this.#ended) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Ends the queue. @returns The items that wait, for the caller to dispose of. */
  end(): T[] {
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting(undefined);
    return this.#items.splice(0);
  }
}
