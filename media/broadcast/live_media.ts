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
import { CATALOG_TRACK, PRIORITY } from "../hang/catalog.ts";
import { MediaError } from "../media_error.ts";
import { Burst } from "../../base/burst.ts";
import { FrameOpener } from "../hang/frame_opener.ts";
import { sleep } from "../../base/sleep.ts";
import { CatalogVersions, type ReadCatalog } from "../hang/read_catalog.ts";
import type { MediaFrame, Rendition } from "../rendition.ts";

/** How long the last frames may take after the broadcast has gone. Tracks usually end by themselves before. */
const LAST_FRAMES_MS = 2000;
/** This many changes of a catalog may follow each other at once, then one per interval: readers begin anew each time. */
const CATALOG_BURST = 20;
const CATALOG_EVERY_MS = 5_000;
/** Unreadable versions are logged at most this often. */
const COMPLAIN_MS = 10_000;

export interface ReadOptions {
  readonly signal?: AbortSignal;
  readonly log?: Logger;
  /** Told with each version of the catalog how many of its renditions are left out. */
  readonly onleftout?: (count: number) => void;
  /** Called with true when a frame goes to its reader, and with false when the reader asks for the next. */
  readonly onframe?: (held: boolean) => void;
}

export interface FramesOptions {
  readonly signal?: AbortSignal;
  /**
   * How long a group that stands still is waited for once newer groups are there, in milliseconds. Then its rest is left out.
   * Default 2,000.
   */
  readonly maxLatencyMs?: number;
  /** Told of frames that could not be read, and of groups that were left out. */
  readonly onskipped?: (count: number) => void;
}

/** One life of a broadcast, from its announcement until it is gone. */
export class LiveMedia {
  readonly #client: Client;
  readonly #log: Logger;
  readonly #onleftout: (count: number) => void;
  readonly #onframe: (held: boolean) => void;
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
    this.#onframe = options.onframe ?? (() => {});
    this.path = path;
    this.gone = options.signal ?? new AbortController().signal;
    const gone = () => systemClock.after(LAST_FRAMES_MS, () => this.#over.abort());
    if (this.gone.aborted) gone();
    else this.gone.addEventListener("abort", gone, { once: true });
  }

  /**
   * Yields the renditions of the broadcast, and again when they change. If changes come too fast, it yields the last one. At most
   * {@link MAX_RENDITIONS}. Ends with the broadcast, and at once when there is no catalog.
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

  /** Calls `tell` for each version of the catalog. The version is parsed only when it is read. */
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
   * Yields the frames of one rendition in order. It begins with the newest group, at its keyframe, and goes on with every group
   * after it. If a group breaks off, reading goes on at the next. Ends when the track ends or the broadcast has gone. Memory is
   * bounded: a reader that is too slow loses whole groups.
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
      // The group began before we joined: without its beginning nothing in it can be decoded.
      if (group.startFrame > 0 && rendition.kind === "video") {
        group.close();
        continue;
      }
      const reading = new Impatient(group, maxLatencyMs);
      // A newer group is there: this one is not waited for much longer.
      next.then((later) => later && reading.hurry(), () => {});
      try {
        for (let index = group.startFrame;; index++) {
          const frame = await reading.frame();
          if (frame === undefined) break;
          const opened = opener.open(frame.payload, group.sequence, index);
          if (opened === undefined) {
            onskipped?.(1);
            continue;
          }
          this.#onframe(true);
          try {
            for (const one of opened) yield one;
          } finally {
            this.#onframe(false);
          }
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

/** A track that ended, a track that was lost and an aborted signal are the same: there is no further group. */
async function nextGroup(track: Subscription, signal: AbortSignal) {
  try {
    return await track.group();
  } catch (error) {
    if (signal.aborted || error instanceof TrackFailed) return undefined;
    throw error;
  }
}

/** Reads a group. Gives up when it stands still for too long and newer groups are there. */
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
    // Frames that have arrived are still read.
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
