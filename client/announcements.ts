/**
 * What a peer announces, as an async iterable.
 *
 * @module
 */
import type { AnnounceEvent, Origin, Watch } from "../relay/origin.ts";

/** News of one broadcast. */
export interface BroadcastNews {
  readonly path: string;
  /** False when it is gone. */
  readonly active: boolean;
  /** Hop ids the broadcast came through, its publisher first. Empty when it is gone. */
  readonly hops: readonly bigint[];
}

/** A running watch. Iterate over it; leaving the loop closes it. */
export class Announcements implements Disposable {
  readonly #news: BroadcastNews[] = [];
  readonly #watch: Watch;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(origin: Origin, prefix: string) {
    this.#watch = origin.watch({ prefix }, (event) => this.#hear(event));
  }

  /** The next news, or `undefined` after {@link close}. */
  async next(): Promise<BroadcastNews | undefined> {
    while (this.#news.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
    return this.#news.shift();
  }

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

  close(): void {
    this.#closed = true;
    this.#watch.close();
    this.#wake?.();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #hear(event: AnnounceEvent): void {
    this.#news.push({
      path: event.path,
      active: event.kind !== "ended",
      hops: event.route?.hops ?? [],
    });
    this.#wake?.();
  }
}
