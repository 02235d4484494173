/**
 * Works on every broadcast that is wanted, for as long as each is live. What goes wrong with one is told, and the others go
 * on.
 *
 * @module
 */
import { reasonOf } from "../base/errors.ts";
import { Backoff } from "../base/backoff.ts";
import type { PluginContext } from "./plugin.ts";
import { ofBroadcast, StatusLines } from "./status_lines.ts";
import { sleep } from "../base/sleep.ts";
import { LiveMedia } from "../media/broadcast/live_media.ts";

/** Pauses before a broadcast that failed is tried again. */
const PAUSE = { minMs: 1000, maxMs: 60_000 } as const;
/** A broadcast that gave no catalog and no frame for so long leaves its place to one that waits. */
export const SILENT_MS = 10_000;

/**
 * Works on one life of a broadcast.
 * @param signal Aborts when the work has to end at once, because of its own failure or another's.
 * @param tell Says in the status how this broadcast stands; `undefined` takes that back.
 */
export type LiveWork = (
  live: LiveMedia,
  signal: AbortSignal,
  tell: (text: string | undefined) => void,
) => Promise<void>;

export interface LiveSetOptions {
  wanted(path: string): boolean;
  /** Only announcements at and below this path are read. */
  readonly prefix?: string;
  /** So many broadcasts are worked on at one time; the others wait. */
  readonly maxBroadcasts: number;
  /** Whether a failure concerns all broadcasts: it ends the work. Default: none does, the broadcast is tried again. */
  readonly everyones?: (error: unknown) => boolean;
  /** Takes what there is to say. Default: the status shows that and nothing else. */
  readonly lines?: StatusLines;
  /** The status while there is no broadcast. */
  readonly idle?: string;
}

/**
 * Works on all wanted broadcasts side by side, and on two lives of one broadcast one after the other.
 *
 * @returns When the instance has to end, or its client is closed, and all work has ended.
 * @throws The first failure that concerns all broadcasts, once all work has ended.
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

/** One life of a broadcast: from its announcement until it is gone. */
interface Life {
  readonly end: AbortController;
  /** Nothing is left to do, although it is still announced. */
  done: boolean;
}

/** The place of a broadcast that is worked on. */
interface Place {
  /** Aborts when another broadcast gets the place. */
  readonly end: AbortController;
  /** When its last catalog or frame came, by the clock. */
  heardAtMs: number;
  /** Frames that the work has not dealt with yet: its own slowness is no silence. */
  held: number;
  /** Until the place is free. */
  over: Promise<void>;
}

/** The broadcasts that are announced, with the work on each. */
class LiveSet {
  onfailed: (error: unknown) => void = () => {};
  /** Rejects with the failure that concerned all broadcasts. */
  failure: Promise<void> = Promise.resolve();
  readonly #ctx: PluginContext;
  readonly #options: LiveSetOptions;
  readonly #lines: StatusLines;
  readonly #signal: AbortSignal;
  readonly #work: LiveWork;
  readonly #lives = new Map<string, Life>();
  readonly #places = new Map<string, Place>();
  /** First come, first served. */
  readonly #waiting = new Set<string>();
  /** Renditions of each broadcast that are not carried. */
  readonly #leftOut = new Map<string, number>();
  #stopLooking: (() => void) | undefined;

  constructor(
    ctx: PluginContext,
    options: LiveSetOptions,
    signal: AbortSignal,
    work: LiveWork,
  ) {
    this.#ctx = ctx;
    this.#options = options;
    this.#lines = options.lines ?? new StatusLines(ctx.status);
    this.#signal = signal;
    this.#work = work;
  }

  /** A broadcast was announced, maybe again. */
  came(path: string): void {
    this.#lives.get(path)?.end.abort();
    this.#lives.set(path, { end: new AbortController(), done: false });
    if (!this.#places.has(path)) this.#waiting.add(path);
    this.#fill();
  }

  went(path: string): void {
    this.#lives.get(path)?.end.abort();
    this.#lives.delete(path);
    this.#waiting.delete(path);
    this.tell();
  }

  async settled(): Promise<void> {
    this.#stopLooking?.();
    for (const { end } of this.#lives.values()) end.abort();
    await Promise.all(this.#places.values().map(({ over }) => over));
  }

  /** Says in the status, and counts, what is not served. */
  tell(): void {
    const { maxBroadcasts, idle } = this.#options;
    const waiting = this.#waiting.size;
    const text = waiting > 0
      ? `${waiting} more than max_broadcasts (${maxBroadcasts}) wait`
      : undefined;
    this.#lines.set("", this.#lives.size === 0 ? idle : text);
    this.#ctx.stats.notServed = this.#leftOut.values().reduce((sum, n) => sum + n, waiting);
  }

  /** Gives free places to those that wait. */
  #fill(): void {
    for (const path of this.#waiting) {
      if (this.#signal.aborted || this.#places.size >= this.#options.maxBroadcasts) break;
      this.#waiting.delete(path);
      const place = {
        end: new AbortController(),
        heardAtMs: this.#ctx.clock.now(),
        held: 0,
        over: Promise.resolve(),
      };
      this.#places.set(path, place);
      place.over = this.#run(path, place).catch((error) => {
        if (this.#signal.aborted) return;
        this.failure = Promise.reject(error);
        this.failure.catch(() => {}); // thrown once all work has ended
        this.onfailed(error);
      }).finally(() => {
        this.#places.delete(path);
        this.#forget(path);
        // It may have been announced again just now, or has lost its place.
        if (this.#lives.get(path)?.done === false) this.#waiting.add(path);
        this.#fill();
      });
    }
    this.tell();
    this.#look();
  }

  /** While others wait, takes the places of broadcasts that are silent. */
  #look(): void {
    this.#stopLooking?.();
    this.#stopLooking = undefined;
    const { clock } = this.#ctx;
    let nextMs = Infinity;
    let wanted = this.#waiting.size;
    for (const { end, heardAtMs, held } of this.#places.values()) {
      if (this.#signal.aborted || wanted === 0) return;
      const leftMs = (held > 0 ? 0 : heardAtMs - clock.now()) + SILENT_MS;
      if (leftMs > 0) nextMs = Math.min(nextMs, leftMs);
      else {
        end.abort();
        wanted--;
      }
    }
    if (wanted > 0 && nextMs < Infinity) {
      this.#stopLooking = clock.after(nextMs, () => this.#look());
    }
  }

  #forget(path: string): void {
    this.#lines.set(path, undefined);
    this.#left(path, 0);
  }

  #left(path: string, count: number): void {
    if (count > 0) this.#leftOut.set(path, count);
    else this.#leftOut.delete(path);
    const text = ofBroadcast(path, `${count} renditions of its catalog are not served`);
    this.#lines.set(`${path}\0`, count > 0 ? text : undefined);
    this.tell();
  }

  /** All lives of a broadcast, one after another, for as long as it has its place. */
  async #run(path: string, place: Place): Promise<void> {
    const { client, log, stats, clock } = this.#ctx;
    const backoff = new Backoff(PAUSE);
    const tell = (text: string | undefined) =>
      this.#lines.set(path, text === undefined ? undefined : ofBroadcast(path, text));
    const heard = () => place.heardAtMs = clock.now();
    const onframe = (held: boolean) => {
      place.held += held ? 1 : -1;
      heard();
    };
    let loggedLeft = 0;
    const onleftout = (count: number) => {
      heard();
      if (count > 0 && loggedLeft === 0) {
        log.warn("renditions of a broadcast are not served", { broadcast: path, count });
      }
      loggedLeft ||= count;
      this.#left(path, count);
    };
    for (let life; (life = this.#lives.get(path)) !== undefined && !life.done;) {
      if (this.#signal.aborted || place.end.signal.aborted) return;
      const startedMs = clock.now();
      const gone = AbortSignal.any([life.end.signal, place.end.signal, this.#signal]);
      const live = new LiveMedia(client, path, { signal: gone, log, onleftout, onframe });
      try {
        await this.#work(live, this.#signal, tell);
        if (place.end.signal.aborted) return;
        // It has ended before it was gone, or its catalog has: the next announcement is a new life.
        life.done = true;
        this.#forget(path);
      } catch (error) {
        if (this.#signal.aborted) return;
        if (this.#options.everyones?.(error) === true) throw error;
        stats.errors++;
        log.warn("a broadcast failed", { broadcast: path, reason: reasonOf(error) });
        tell(reasonOf(error));
        backoff.ended(clock.now() - startedMs);
        await sleep(backoff.next(), gone);
      }
    }
  }
}
