/**
 * One broadcast as HLS: its renditions cut into segments, and requests that wait for the next piece.
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";
import type { Logger } from "../../../base/logger.ts";
import type { FrameSink } from "../../../media/broadcast/read_into.ts";
import { BroadcastSegmenter, Epoch } from "../../../media/segment/broadcast_segmenter.ts";
import { masterPlaylist } from "../playlist.ts";
import type { PluginContext, PluginStats } from "../../plugin.ts";
import { LEAST_SEGMENTS, Timeline } from "./timeline.ts";
import type { Rendition } from "../../../media/rendition.ts";

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
  #timelines: ReadonlyMap<string, Timeline> = new Map();
  #changed = Promise.withResolvers<void>();
  readonly #epoch = new Epoch();
  #firstSequence: number;

  constructor(
    settings: HlsSettings,
    { clock, log, stats }: Pick<PluginContext, "clock" | "log" | "stats">,
  ) {
    this.#stats = stats;
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    // Addresses are cached: no number may come twice, even if the broadcast is read again later.
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
    const { targetMs, partMs, maxBytes } = this.#settings;
    this.#firstSequence = Math.max(
      this.#firstSequence,
      ...this.#timelines.values().map(({ newest }) => newest.sequence),
    );
    const segmenter = new BroadcastSegmenter(renditions, {
      ...{ targetMs, partMs, epoch: this.#epoch, clock: this.#clock, log: this.#log },
      // Every playlist shows this many segments, and one more is being made.
      maxBytes: maxBytes / renditions.length / (LEAST_SEGMENTS + 1),
      outputOf: (rendition) => this.#timelineOf(rendition, renditions.length),
    });
    if (segmenter.outputs.size === 0) return undefined;
    this.#timelines = segmenter.outputs;
    return {
      frame: (rendition, frame) => {
        if (segmenter.push(rendition, frame) === false) this.#stats.skipped++;
      },
      end: () => segmenter.end(),
    };
  }

  /** Tells players that nothing follows. */
  end(): void {
    for (const timeline of this.#timelines.values()) timeline.ended = true;
    this.#ring();
  }

  /** The broadcast is back, or begins again for new players. */
  resume(): void {
    for (const timeline of this.#timelines.values()) timeline.ended = false;
  }

  /** Waits until `done()` is true, for `timeoutMs` at most. @returns Whether it is. */
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

  /** @param suffix Appended to every address. */
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
      wallMsOf: (timestampUs) => this.#epoch.ms + timestampUs / 1000,
      onchange: () => this.#ring(),
    });
  }

  #ring(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}
