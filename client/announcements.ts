/**
 * The announcements of a peer, as an async iterable.
 *
 * @module
 */
import { Bell, type WaitOptions } from "../base/bell.ts";
import type { Watch } from "../relay/origin.ts";
import type { BroadcastNews } from "./remote.ts";

export type { BroadcastNews } from "./remote.ts";

/** A running watch. Iterate over it: leaving the loop closes it. It ends with the client. */
export class Announcements implements Disposable {
  readonly #news: BroadcastNews[] = [];
  readonly #close: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #bell = new Bell();
  #closed = false;

  /**
   * @internal
   * @param options.over Fulfils when there will be no more news.
   */
  constructor(
    watching: (listener: (news: BroadcastNews) => void) => Watch,
    options: WaitOptions & { readonly over: Promise<unknown> },
  ) {
    const { signal, over } = options;
    this.#signal = signal;
    const watch = watching((news) => {
      this.#news.push(news);
      this.#bell.ring();
    });
    const aborted = () => this.close();
    this.#close = () => {
      watch.close();
      signal?.removeEventListener("abort", aborted);
    };
    if (signal?.aborted) this.close();
    else signal?.addEventListener("abort", aborted, { once: true });
    void over.then(aborted);
  }

  /**
   * The next news, or `undefined` at the end: the watch was closed, or the client is over.
   * @throws The reason of either signal.
   */
  async next(options: WaitOptions = {}): Promise<BroadcastNews | undefined> {
    for (;;) {
      this.#signal?.throwIfAborted();
      options.signal?.throwIfAborted();
      const news = this.#news.shift();
      if (news !== undefined || this.#closed) return news;
      await this.#bell.wait(options.signal);
    }
  }

  /** All news, until it is closed. @throws The reason of the watch's signal. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<BroadcastNews> {
    try {
      for (;;) {
        const news = await this.next();
        if (news === undefined) return;
        yield news;
      }
    } finally {
      this.close();
    }
  }

  /** Ends the watch. Earlier news can still be read. */
  close(): void {
    this.#closed = true;
    this.#close();
    this.#bell.ring();
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }
}
