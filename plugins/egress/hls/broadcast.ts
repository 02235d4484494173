/**
 * One broadcast as HLS: its renditions cut into segments, and who waits for the next piece.
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";
import { reasonOf } from "../../../base/errors.ts";
import type { Logger } from "../../../base/logger.ts";
import type { FrameSink } from "../../../media/broadcast/read_into.ts";
import { MediaError } from "../../../media/media_error.ts";
import { Cuts, leaderOf, Segmenter } from "../../../media/segment/segmenter.ts";
import { masterPlaylist } from "../playlist.ts";
import type { PluginContext, PluginStats } from "../../plugin.ts";
import { LEAST_SEGMENTS, Timeline } from "./timeline.ts";
import type { Rendition } from "../../../media/rendition.ts";

/** Our clock and the publisher's may differ by this before dates are set anew. */
const DRIFT_MS = 10_000;

export interface HlsSettings {
  readonly targetMs: number;
  readonly partMs: number;
  readonly windowMs: number;
  /** Of all renditions together. */
  readonly maxBytes: number;
}

export class HlsBroadcast {
  readonly #settings: HlsSettings;
  readonly #stats: Pick<PluginStats, "skipped">;
  readonly #clock: Clock;
  readonly #log: Logger;
  #timelines = new Map<string, Timeline>();
  #changed = Promise.withResolvers<void>();
  /** What is added to a time of the broadcast to get one since 1970. */
  #epochMs: number | undefined;
  #firstSequence: number;

  constructor(
    settings: HlsSettings,
    { clock, log, stats }: Pick<PluginContext, "clock" | "log" | "stats">,
  ) {
    this.#stats = stats;
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    // Addresses are cached: no number comes twice, also when the broadcast is read anew later.
    this.#firstSequence = Math.floor(clock.wallMs() / 1000);
  }

  /** By the name of the rendition. */
  get timelines(): ReadonlyMap<string, Timeline> {
    return this.#timelines;
  }

  /** Whether every rendition has a whole segment. */
  get ready(): boolean {
    return this.#timelines.size > 0 && this.#timelines.values().every((one) => one.ready);
  }

  /** A new version of the catalog. @returns `undefined` when none of it can be carried. */
  begin(renditions: readonly Rendition[]): FrameSink | undefined {
    const cuts = new Cuts();
    const leader = leaderOf(renditions);
    const segmenters = new Map<string, Segmenter>();
    const timelines = new Map<string, Timeline>();
    const { targetMs, partMs, maxBytes: allBytes } = this.#settings;
    // The newest that every playlist shows, and the one that is being made.
    const maxBytes = allBytes / renditions.length / (LEAST_SEGMENTS + 1);
    this.#firstSequence = Math.max(
      this.#firstSequence,
      ...this.#timelines.values().map(({ newest }) => newest.sequence),
    );
    for (const rendition of renditions) {
      const timeline = this.#timelineOf(rendition, renditions.length);
      const options = { targetMs, partMs, cuts, leads: rendition === leader, maxBytes };
      try {
        segmenters.set(rendition.name, new Segmenter(rendition, options, timeline));
        timelines.set(rendition.name, timeline);
      } catch (error) {
        if (!(error instanceof MediaError)) throw error;
        const { name } = rendition;
        this.#log.warn("a rendition is left out", { rendition: name, reason: reasonOf(error) });
      }
    }
    if (segmenters.size === 0) return undefined;
    this.#timelines = timelines;
    return {
      frame: (rendition, frame) => {
        const offsetMs = this.#clock.wallMs() - frame.timestampUs / 1000;
        const epochMs = this.#epochMs ?? Infinity;
        // The frame that was least late tells best when things were shown.
        if (offsetMs < epochMs || offsetMs - epochMs > DRIFT_MS) this.#epochMs = offsetMs;
        if (segmenters.get(rendition.name)?.push(frame, this.#clock.now()) === false) {
          this.#stats.skipped++;
        }
      },
      end() {
        for (const segmenter of segmenters.values()) segmenter.end();
      },
    };
  }

  /** Nothing follows: players are told. */
  end(): void {
    for (const timeline of this.#timelines.values()) timeline.ended = true;
    this.#ring();
  }

  /** The broadcast is back before it was ended; or it begins again, for new players. */
  resume(): void {
    for (const timeline of this.#timelines.values()) timeline.ended = false;
  }

  /** Waits until something is true, at most so long. @returns Whether it is. */
  async until(done: () => boolean, timeoutMs: number): Promise<boolean> {
    if (done()) return true;
    let late = false;
    const cancel = this.#clock.after(timeoutMs, () => {
      late = true;
      this.#ring();
    });
    try {
      while (!late && !done()) await this.#changed.promise;
      return done();
    } finally {
      cancel();
    }
  }

  /** @param suffix Behind every address. */
  master(suffix: string): string {
    return masterPlaylist(
      [...this.#timelines].filter(([, timeline]) => timeline.ready).map(([name, timeline]) => ({
        rendition: timeline.rendition,
        uri: `${encodeURIComponent(name)}/media.m3u8${suffix}`,
        ...timeline.bitrates,
      })),
    );
  }

  /** @returns `undefined` when there is no such rendition. */
  media(name: string, suffix: string): string | undefined {
    const others = [...this.#timelines].filter(([other]) => other !== name)
      .map(([other, one]) => [`../${encodeURIComponent(other)}/media.m3u8`, one] as const);
    return this.#timelines.get(name)?.playlist(suffix, new Map(others));
  }

  #timelineOf(rendition: Rendition, count: number): Timeline {
    const { targetMs, partMs, windowMs, maxBytes } = this.#settings;
    const before = this.#timelines.get(rendition.name);
    if (before !== undefined) {
      before.rendition = rendition;
      return before;
    }
    return new Timeline(rendition, {
      targetMs,
      partMs,
      windowMs,
      maxBytes: Math.floor(maxBytes / count),
      sequence: this.#firstSequence,
      wallMsOf: (timestampUs) => (this.#epochMs ?? this.#clock.wallMs()) + timestampUs / 1000,
      onchange: () => this.#ring(),
    });
  }

  #ring(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}
