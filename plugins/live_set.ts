/**
 * Every broadcast that is wanted, for as long as each is live. What goes wrong with one is told, and the others go on.
 *
 * @module
 */
import { reasonOf } from "../base/errors.ts";
import { Backoff } from "../base/backoff.ts";
import type { PluginContext } from "./plugin.ts";
import { ofBroadcast, StatusLines } from "./status_lines.ts";
import { sleep } from "../base/sleep.ts";
import { LiveMedia } from "../media/broadcast/live_media.ts";

/** How soon a broadcast that failed is tried again. */
const PAUSE = { minMs: 1000, maxMs: 60_000 } as const;

/**
 * @param signal Aborts when the work has to end at once, its own failure or not.
 * @param tell Says in the status how this broadcast stands; `undefined` takes it back.
 */
export type LiveWork = (
  live: LiveMedia,
  signal: AbortSignal,
  tell: (text: string | undefined) => void,
) => Promise<void>;

export interface LiveSetOptions {
  wanted(path: string): boolean;
  /** Only what is announced at and below this path is heard of. */
  readonly prefix?: string;
  /** So many are worked on at one time; those beyond wait. */
  readonly maxBroadcasts: number;
  /** Whether a failure is everybody's: it ends all. Otherwise the broadcast is tried again alone. */
  everyones(error: unknown): boolean;
  /** Where it is said what is amiss. */
  readonly lines: StatusLines;
  /** The status while there is none. */
  readonly idle?: string;
}

/**
 * Works on each life of each broadcast that is wanted, side by side; two lives of one broadcast one after the other.
 *
 * @returns When the instance has to end, or its client is over, and all work has ended.
 * @throws What the first work failed with that is everybody's, once the others have ended too.
 */
export async function eachBroadcast(
  ctx: PluginContext,
  options: LiveSetOptions,
  work: LiveWork,
): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([ctx.signal, over.signal]);
  const set = new LiveSet(ctx, options, signal, work);
  const failed = Promise.withResolvers<never>();
  set.onfailed = failed.reject;
  using news = ctx.client.announced(options.prefix ?? "");
  const stop = () => news.close();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const listening = (async () => {
    for await (const { path, active } of news) {
      if (!options.wanted(path)) continue;
      if (active) set.came(path);
      else set.went(path);
    }
  })();
  try {
    set.tell();
    await Promise.race([listening, failed.promise]);
  } finally {
    over.abort();
    signal.removeEventListener("abort", stop);
    failed.promise.catch(() => {});
    await listening.catch(() => {});
    await set.settled();
  }
  await set.failure;
}

/** From its announcement until it is gone. */
interface Life {
  readonly end: AbortController;
  /** Nothing is left to do, although it is still there. */
  done: boolean;
}

/** The broadcasts there are, each with what runs for it. */
class LiveSet {
  onfailed: (error: unknown) => void = () => {};
  /** Rejects with what was everybody's failure. */
  failure: Promise<void> = Promise.resolve();
  readonly #ctx: PluginContext;
  readonly #options: LiveSetOptions;
  readonly #signal: AbortSignal;
  readonly #work: LiveWork;
  readonly #lives = new Map<string, Life>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #waiting = new Set<string>();
  /** Renditions of each broadcast that are not carried. */
  readonly #leftOut = new Map<string, number>();

  constructor(
    ctx: PluginContext,
    options: LiveSetOptions,
    signal: AbortSignal,
    work: LiveWork,
  ) {
    this.#ctx = ctx;
    this.#options = options;
    this.#signal = signal;
    this.#work = work;
  }

  /** A broadcast is there, or there anew. */
  came(path: string): void {
    this.#lives.get(path)?.end.abort();
    this.#lives.set(path, { end: new AbortController(), done: false });
    if (!this.#running.has(path)) this.#waiting.add(path);
    this.#fill();
  }

  went(path: string): void {
    this.#lives.get(path)?.end.abort();
    this.#lives.delete(path);
    this.#waiting.delete(path);
    this.tell();
  }

  async settled(): Promise<void> {
    for (const { end } of this.#lives.values()) end.abort();
    await Promise.all(this.#running.values());
  }

  /** Says in the status, and counts, what is not served. */
  tell(): void {
    const { maxBroadcasts, lines, idle } = this.#options;
    const waiting = this.#waiting.size;
    const text = waiting > 0
      ? `${waiting} more than max_broadcasts (${maxBroadcasts}) wait`
      : undefined;
    lines.set("", this.#lives.size === 0 ? idle : text);
    this.#ctx.stats.notServed = this.#leftOut.values().reduce((sum, n) => sum + n, waiting);
  }

  /** Starts what has not begun, as far as there is room. */
  #fill(): void {
    for (const path of this.#waiting) {
      if (this.#signal.aborted || this.#running.size >= this.#options.maxBroadcasts) break;
      this.#waiting.delete(path);
      const running = this.#run(path).catch((error) => {
        if (this.#signal.aborted) return;
        this.failure = Promise.reject(error);
        this.failure.catch(() => {}); // told when all have ended
        this.onfailed(error);
      }).finally(() => {
        this.#running.delete(path);
        this.#forget(path);
        // It may have come again just now.
        if (this.#lives.get(path)?.done === false) this.#waiting.add(path);
        this.#fill();
      });
      this.#running.set(path, running);
    }
    this.tell();
  }

  #forget(path: string): void {
    this.#options.lines.set(path, undefined);
    this.#left(path, 0);
  }

  #left(path: string, count: number): void {
    if (count > 0) this.#leftOut.set(path, count);
    else this.#leftOut.delete(path);
    const text = ofBroadcast(path, `${count} renditions of its catalog are not served`);
    this.#options.lines.set(`${path}\0`, count > 0 ? text : undefined);
    this.tell();
  }

  /** All lives of a broadcast, one after another. */
  async #run(path: string): Promise<void> {
    const { client, log, stats, clock } = this.#ctx;
    const { lines } = this.#options;
    const backoff = new Backoff(PAUSE);
    const tell = (text: string | undefined) =>
      lines.set(path, text === undefined ? undefined : ofBroadcast(path, text));
    let loggedLeft = 0;
    for (let life; (life = this.#lives.get(path)) !== undefined && !life.done;) {
      if (this.#signal.aborted) return;
      const startedMs = clock.now();
      const gone = AbortSignal.any([life.end.signal, this.#signal]);
      const onleftout = (count: number) => {
        if (count > 0 && loggedLeft === 0) {
          log.warn("renditions of a broadcast are not served", { broadcast: path, count });
        }
        loggedLeft ||= count;
        this.#left(path, count);
      };
      try {
        await this.#work(
          new LiveMedia(client, path, { signal: gone, log, onleftout }),
          this.#signal,
          tell,
        );
        // It has ended before it was gone, or its catalog has: what comes next is news.
        life.done = true;
        this.#forget(path);
      } catch (error) {
        if (this.#signal.aborted) return;
        if (this.#options.everyones(error)) throw error;
        stats.errors++;
        log.warn("a broadcast failed", { broadcast: path, reason: reasonOf(error) });
        tell(reasonOf(error));
        backoff.ended(clock.now() - startedMs);
        await sleep(backoff.next(), gone);
      }
    }
  }
}
