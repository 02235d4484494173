/** Sessions that the players of one page share: one for each URL. */

/** What {@link Sessions} keeps. It connects again and again until it is closed. */
export interface Closable {
  close(): void;
}

/** A share in a session. Its owner releases it; the last one to do so closes the session. */
export interface Share<T> {
  readonly session: T;
  /** Idempotent. */
  release(): void;
}

export class Sessions<T extends Closable> {
  readonly #dial: (url: string) => T;
  readonly #open = new Map<string, { readonly session: T; users: number }>();

  /** @param dial Makes a session that is not there yet. */
  constructor(dial: (url: string) => T) {
    this.#dial = dial;
  }

  /** How many sessions are open. */
  get size(): number {
    return this.#open.size;
  }

  /** @param url With the token: players with different tokens never share a session. */
  take(url: string): Share<T> {
    let entry = this.#open.get(url);
    if (entry === undefined) {
      entry = { session: this.#dial(url), users: 0 };
      this.#open.set(url, entry);
    }
    const held = entry;
    held.users++;
    let released = false;
    return {
      session: held.session,
      release: () => {
        if (released) return;
        released = true;
        if (--held.users > 0) return;
        this.#open.delete(url);
        held.session.close();
      },
    };
  }
}
