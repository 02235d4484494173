/**
 * A hang broadcast in, frames out.
 *
 * @module
 */
import { systemClock } from "../../base/clock.ts";
import { type Logger, silent } from "../../base/logger.ts";
import type { Client } from "../../client/client.ts";
import { GroupCut, type GroupReader } from "../../client/frames.ts";
import { type Subscription, TrackFailed } from "../../client/subscription.ts";
import { normalizePath } from "../../wire/path.ts";
import { CATALOG_TRACK, PRIORITY } from "../hang/catalog.ts";
import { MediaError } from "../media_error.ts";
import { Burst } from "../../base/burst.ts";
import { FrameOpener } from "../hang/frame_opener.ts";
import { sleep } from "../../base/sleep.ts";
import { CatalogVersions, type ReadCatalog } from "../hang/read_catalog.ts";
import type { MediaFrame, Rendition } from "../rendition.ts";

/** How long the last frames of a broadcast may take after it has gone: tracks end by themselves before that. */
const LAST_FRAMES_MS = 2000;
/** A catalog may change so often at once, and then once in a while: whatever follows it begins anew each time. */
const CATALOG_BURST = 20;
const CATALOG_EVERY_MS = 5_000;
/** How often it is logged that a version cannot be read. */
const COMPLAIN_MS = 10_000;

export interface ReadOptions {
  readonly signal?: AbortSignal;
  readonly log?: Logger;
  /** Told with each version of the catalog how many of its renditions are left out. */
  readonly onleftout?: (count: number) => void;
}

export interface FramesOptions {
  readonly signal?: AbortSignal;
  /**
   * How long is waited for what is missing while newer groups are there, in milliseconds; then it is left out. Default
   * 2,000.
   */
  readonly maxLatencyMs?: number;
  /** Told of frames that could not be read, and of groups that were left out. */
  readonly onskipped?: (count: number) => void;
}

/**
 * A broadcast each time it is live: waits until it is announced, and again after it has gone. Leave the loop, or abort the
 * signal, to end; it ends with the client too.
 *
 * ```ts
 * for await (const live of broadcasts(client, "cam", { signal })) {
 *   for await (const renditions of live.catalogs()) { … }
 * }
 * ```
 */
export async function* broadcasts(
  client: Client,
  path: string,
  options: ReadOptions = {},
): AsyncGenerator<LiveMedia, void, undefined> {
  const at = normalizePath(path);
  using news = client.announced(at);
  let live: { media: LiveMedia; end: AbortController } | undefined;
  let came = Promise.withResolvers<void>();
  let over = false;
  const done = () => {
    over = true;
    live?.end.abort();
    came.resolve();
  };
  const listen = (async () => {
    for await (const { path, active } of news) {
      if (path !== at) continue;
      live?.end.abort();
      live = undefined;
      if (!active) continue;
      const end = new AbortController();
      live = { media: new LiveMedia(client, at, { ...options, signal: end.signal }), end };
      came.resolve();
    }
  })().catch(() => {}).finally(done);
  const abort = () => {
    done();
    news.close();
  };
  options.signal?.addEventListener("abort", abort, { once: true });
  if (options.signal?.aborted) abort();
  try {
    for (let last: LiveMedia | undefined; !over;) {
      if (live !== undefined && live.media !== last) {
        last = live.media;
        yield last;
        continue;
      }
      came = Promise.withResolvers();
      if (!over) await came.promise;
    }
  } finally {
    options.signal?.removeEventListener("abort", abort);
    abort();
    await listen;
  }
}

/** One life of a broadcast, from its announcement until it is gone. */
export class LiveMedia {
  readonly #client: Client;
  readonly #log: Logger;
  readonly #onleftout: (count: number) => void;
  /** As it was announced. */
  readonly path: string;
  /** Aborts when the broadcast has gone. What is on its way can still be read, for a moment. */
  readonly gone: AbortSignal;
  readonly #over = new AbortController();

  /** @param options.signal Becomes {@link gone}. */
  constructor(client: Client, path: string, options: ReadOptions = {}) {
    this.#client = client;
    this.#log = options.log ?? silent;
    this.#onleftout = options.onleftout ?? (() => {});
    this.path = path;
    this.gone = options.signal ?? new AbortController().signal;
    const gone = () => systemClock.after(LAST_FRAMES_MS, () => this.#over.abort());
    if (this.gone.aborted) gone();
    else this.gone.addEventListener("abort", gone, { once: true });
  }

  /**
   * What the broadcast consists of, and again whenever that changes; of changes that come too fast, or at once, the last. At
   * most {@link MAX_RENDITIONS}. Ends when it is over, and at once when it has no catalog.
   */
  async *catalogs(options: { signal?: AbortSignal } = {}): AsyncGenerator<Rendition[]> {
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#until(options.signal), stop.signal]);
    let newest: CatalogVersions | undefined;
    let came = Promise.withResolvers<void>();
    let over = false;
    const reading = this.#versions(signal, (version) => {
      newest = version;
      came.resolve();
    }).finally(() => {
      over = true;
      came.resolve();
    });
    reading.catch(() => {}); // told below
    const burst = new Burst(CATALOG_BURST, CATALOG_EVERY_MS);
    try {
      while (!over || newest !== undefined) {
        if (newest === undefined) {
          came = Promise.withResolvers();
          await came.promise;
          continue;
        }
        const waitMs = burst.waitMs(systemClock.now());
        if (waitMs > 0) await sleep(waitMs, signal);
        if (signal.aborted) return;
        burst.took(systemClock.now());
        const { renditions, leftOut }: ReadCatalog = newest.read();
        newest = undefined;
        this.#onleftout(leftOut);
        yield renditions;
      }
      await reading;
    } finally {
      stop.abort();
      await reading.catch(() => {});
    }
  }

  /** Tells of each version of the catalog; which one it is shows when it is read. */
  async #versions(signal: AbortSignal, tell: (version: CatalogVersions) => void): Promise<void> {
    const priority = PRIORITY.catalog;
    using track = this.#client.subscribe(this.path, CATALOG_TRACK, { priority, signal });
    let newest = -1;
    let complainedAtMs = -Infinity;
    for await (const group of groupsOf(track, signal)) {
      if (group.sequence < newest) {
        group.close();
        continue;
      }
      newest = group.sequence;
      const versions = new CatalogVersions();
      let first = group.startFrame === 0;
      try {
        for (let frame; (frame = await group.frame({ signal })) !== undefined; first = false) {
          versions.take(frame.payload, first);
          tell(versions);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof MediaError) && !(error instanceof GroupCut)) throw error;
        const nowMs = systemClock.now();
        if (nowMs - complainedAtMs < COMPLAIN_MS) continue;
        complainedAtMs = nowMs;
        this.#log.warn("a version of the catalog is left out", {
          broadcast: this.path,
          reason: error.message,
        });
      } finally {
        group.close();
      }
    }
  }

  /**
   * The frames of one rendition in order, from a keyframe on: of the newest group first, then of every one. A group that
   * breaks off is gone on with at the next. Ends when the track does, or the broadcast has gone. Memory is bounded: who
   * reads too slowly loses whole groups.
   */
  async *frames(rendition: Rendition, options: FramesOptions = {}): AsyncGenerator<MediaFrame> {
    const { maxLatencyMs = 2000, onskipped } = options;
    const signal = this.#until(options.signal);
    const opener = new FrameOpener(rendition);
    using track = this.#client.subscribe(this.path, rendition.name, {
      priority: PRIORITY[rendition.kind],
      ordered: true,
      maxLatencyMs,
      signal,
    });
    let lost = 0;
    let next = nextGroup(track, signal);
    for (;;) {
      const group = await next;
      if (group === undefined) return;
      next = nextGroup(track, signal);
      next.catch(() => {}); // heard below, when its turn has come
      if (track.skipped > lost) onskipped?.(track.skipped - lost);
      lost = track.skipped;
      // Only the end of a group that began before we came: nothing in it can be decoded.
      if (group.startFrame > 0 && rendition.kind === "video") {
        group.close();
        continue;
      }
      const reading = new Impatient(group, maxLatencyMs);
      // Newer media is there: this group may not be waited for much longer.
      next.then((later) => later && reading.hurry(), () => {});
      try {
        for (let index = group.startFrame;; index++) {
          const frame = await reading.frame();
          if (frame === undefined) break;
          const opened = opener.open(frame.payload, group.sequence, index);
          if (opened === undefined) onskipped?.(1);
          else for (const one of opened) yield one;
        }
        if (reading.gaveUp) onskipped?.(1);
      } catch (error) {
        if (!(error instanceof GroupCut)) throw error;
        onskipped?.(1);
      } finally {
        reading.close();
        if (signal.aborted) track.close();
      }
    }
  }

  #until(signal: AbortSignal | undefined): AbortSignal {
    const over = this.#over.signal;
    return signal === undefined ? over : AbortSignal.any([signal, over]);
  }
}

async function* groupsOf(track: Subscription, signal: AbortSignal) {
  for (let group; (group = await nextGroup(track, signal)) !== undefined;) yield group;
}

/** The end of a track, its loss, and ours are one: nothing more comes. */
async function nextGroup(track: Subscription, signal: AbortSignal) {
  try {
    return await track.group();
  } catch (error) {
    if (signal.aborted || error instanceof TrackFailed) return undefined;
    throw error;
  }
}

/** Reads a group, and gives it up when it stands still for too long although newer ones are there. */
class Impatient {
  gaveUp = false;
  readonly #group: GroupReader;
  readonly #maxLatencyMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #late = false;
  #waiting = false;

  constructor(group: GroupReader, maxLatencyMs: number) {
    this.#group = group;
    this.#maxLatencyMs = maxLatencyMs;
  }

  hurry(): void {
    this.#timer ??= setTimeout(() => {
      this.#late = true;
      if (this.#waiting) this.#giveUp();
    }, this.#maxLatencyMs);
  }

  async frame() {
    this.#waiting = true;
    // What has arrived is read all the same.
    const look = this.#late ? setTimeout(() => this.#giveUp(), 0) : undefined;
    try {
      return await this.#group.frame();
    } finally {
      this.#waiting = false;
      clearTimeout(look);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#late = false;
    this.#group.close();
  }

  #giveUp(): void {
    this.gaveUp = true;
    this.#group.close();
  }
}
