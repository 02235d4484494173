/**
 * Reads a live broadcast, its catalogs and all frames of its renditions, into sinks.
 *
 * @module
 */
import type { MediaCounters } from "../counters.ts";
import type { LiveMedia } from "./live_media.ts";
import type { MediaFrame, Rendition } from "../rendition.ts";

/** Receives frames. A returned promise holds the rendition up; a sink that is too slow loses whole groups. */
export interface FrameSink {
  /** The next frame of a rendition, in decode order; the first one is a keyframe. */
  frame(rendition: Rendition, frame: MediaFrame): void | Promise<void>;
  /** No frame follows: the catalog has changed, or the broadcast has gone. Called once. */
  end(): void | Promise<void>;
}

export interface ReadIntoOptions {
  /** Ends it at once. */
  readonly signal: AbortSignal;
  readonly stats: Pick<MediaCounters, "framesIn" | "bytesIn" | "skipped">;
}

/**
 * Reads everything the catalog names into a sink, and into a new one when the catalog changes.
 * @param begin Makes the sink; `undefined` when nothing of this can be used.
 * @returns When the broadcast has gone or the signal aborts. @throws What `begin` or a sink throws.
 */
export async function readInto(
  live: LiveMedia,
  options: ReadIntoOptions,
  begin: (renditions: readonly Rendition[]) => FrameSink | undefined,
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  let current: { readonly key: string; readonly reading: Reading } | undefined;
  try {
    for await (const renditions of live.catalogs({ signal })) {
      const key = keyOf(renditions);
      if (renditions.length === 0 || key === current?.key) continue;
      await current?.reading.stop();
      current = undefined;
      const sink = begin(renditions);
      if (sink === undefined) continue;
      const reading = new Reading(live, renditions, sink, { signal, stats: options.stats }, () => {
        failed.abort();
      });
      current = { key, reading };
    }
  } finally {
    await current?.reading.done;
  }
}

/** Reads the frames of one version of the catalog into its sink. */
class Reading {
  /** Fulfils when the sink has ended. @throws What the sink throws. */
  readonly done: Promise<void>;
  readonly #stop = new AbortController();

  constructor(
    live: LiveMedia,
    renditions: readonly Rendition[],
    sink: FrameSink,
    { signal, stats }: ReadIntoOptions,
    onfailed: () => void,
  ) {
    const until = AbortSignal.any([signal, this.#stop.signal]);
    const onskipped = (count: number) => {
      stats.skipped += count;
    };
    const read = async (rendition: Rendition) => {
      for await (const frame of live.frames(rendition, { signal: until, onskipped })) {
        stats.framesIn++;
        stats.bytesIn += frame.payload.length;
        const full = sink.frame(rendition, frame);
        if (full !== undefined) await full;
      }
    };
    this.done = (async () => {
      const results = await Promise.allSettled(
        renditions.map((rendition) =>
          read(rendition).catch((error) => {
            this.#stop.abort();
            onfailed();
            throw error;
          })
        ),
      );
      await sink.end();
      for (const result of results) if (result.status === "rejected") throw result.reason;
    })();
    this.done.catch(onfailed);
  }

  /** Stops reading. @throws What the sink throws. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.done;
  }
}

/** Two versions of a catalog with the same key have the same file header: bitrate and jitter do not count. */
function keyOf(renditions: readonly Rendition[]): string {
  return JSON.stringify(renditions, (name, value) => {
    if (name === "bitrate" || name === "jitterMs") return undefined;
    return value instanceof Uint8Array ? value.toHex() : value;
  });
}
