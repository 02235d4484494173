/**
 * Reads a live broadcast, its catalogs and all frames of its renditions, into sinks.
 *
 * @module
 */
import type { MediaCounters } from "../counters.ts";
import { eachCatalog } from "./each_catalog.ts";
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
  const { signal, stats } = options;
  // A catalog without renditions changes nothing.
  const choose = (all: readonly Rendition[]) => all.length === 0 ? undefined : all;
  await eachCatalog(live, { signal, choose, framerate: true }, async (renditions, signal) => {
    const sink = begin(renditions);
    if (sink === undefined) return;
    const failed = new AbortController();
    const until = AbortSignal.any([signal, failed.signal]);
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
    const reading = renditions.map((rendition) =>
      read(rendition).catch((error) => {
        failed.abort();
        throw error;
      })
    );
    const results = await Promise.allSettled(reading);
    await sink.end();
    for (const result of results) if (result.status === "rejected") throw result.reason;
  });
}
