/** A line of things that arrive, read one by one. Ends once; nothing is handed out after that. */
export class Arrivals<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T | undefined) => void)[] = [];
  #ended = false;

  /** Things that arrived and were not taken yet. */
  get length(): number {
    return this.#items.length;
  }

  /** @returns false when the line has ended: the item is not kept. */
  push(item: T): boolean {
    if (this.#ended) return false;
    const next = this.#waiting.shift();
    if (next) next(item);
    else this.#items.push(item);
    return true;
  }

  /** The next item in order of arrival, or `undefined` once the line has ended. */
  next(): Promise<T | undefined> {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift());
    if (this.#ended) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Forgets what was not taken, and returns it for whoever has to dispose of it. */
  end(): T[] {
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting(undefined);
    return this.#items.splice(0);
  }
}
