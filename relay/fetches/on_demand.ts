/**
 * Code that few programs need. It is loaded when it is first asked for, unless the program has given it from the start.
 *
 * @module
 */
export class OnDemand<T extends object> {
  readonly #load: () => Promise<T>;
  #loaded: T | undefined;

  /** @param load Imports it. A failure is passed on, and it is loaded again with the next call. */
  constructor(load: () => Promise<T>) {
    this.#load = load;
  }

  /** Gives it, for a program that has it. */
  provide(loaded: T): void {
    this.#loaded = loaded;
  }

  /** It, or a promise of it while it is not there. */
  get(): T | Promise<T> {
    return this.#loaded ?? this.#load().then((loaded) => this.#loaded ??= loaded);
  }
}
