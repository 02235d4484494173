/**
 * Fragmented MP4 in, a hang broadcast out.
 *
 * @module
 */
import { type Clock, systemClock } from "../../base/clock.ts";
import { type Logger, silent } from "../../base/logger.ts";
import type { Client } from "../../client/client.ts";
import type { MediaCounters } from "../counters.ts";
import { BroadcastWriter, firstGroupAt } from "./broadcast_writer.ts";
import { HangBroadcast, type HangRecord } from "../hang/hang_broadcast.ts";
import { MediaError } from "../media_error.ts";
import type { MediaEvent } from "../mp4/media_track.ts";
import { Splitter } from "../mp4/splitter.ts";
import { Pace } from "../pace.ts";

export interface MediaPublisherOptions {
  readonly client: Client;
  /** Path of the broadcast. */
  readonly path: string;
  /** Frames, bytes and damage are counted here. */
  readonly stats?: MediaCounters;
  readonly clock?: Clock;
  readonly log?: Logger;
}

export interface StreamOptions {
  /** Ends the stream; not an error. */
  readonly signal?: AbortSignal;
  /** Frames go out at the speed of their timestamps, for input that comes faster. Default false. */
  readonly paced?: boolean;
  /** Called once before the first frame goes out: the broadcast is about to be live. */
  readonly onlive?: () => void;
  /** A video or audio track that cannot be carried ends the stream instead of being left out. Default false. */
  readonly strict?: boolean;
}

/**
 * Publishes streams of fragmented MP4, one after another, as one broadcast. The broadcast is announced with the first frame.
 * Group numbers and frame times continue from one stream to the next, even after {@link withdraw}.
 *
 * A damaged piece is left out and counted in `stats.skipped`; its tracks go on at their next keyframe.
 */
export class MediaPublisher implements Disposable {
  readonly #options: MediaPublisherOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #media: HangBroadcast;
  #writer: BroadcastWriter | undefined;
  #lastFrameAtMs: number | undefined;
  #skippedBefore = 0;

  constructor(options: MediaPublisherOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silent;
    this.#media = new HangBroadcast({ firstGroup: firstGroupAt(this.#clock.wallMs()) });
  }

  /** Whether the broadcast is announced. */
  get live(): boolean {
    return this.#writer !== undefined;
  }

  /** Subscriptions to all tracks together. */
  get subscriptions(): number {
    return this.#writer?.subscriptions ?? 0;
  }

  /**
   * Publishes one stream to its end; the broadcast stays announced. The bytes of `input` are taken over.
   * @returns How many frames there were.
   * @throws {MediaError} It is no fragmented MP4, or none of its tracks can be carried. @throws What `input` fails with.
   */
  async stream(input: ReadableStream<Uint8Array>, options: StreamOptions = {}): Promise<number> {
    const { signal } = options;
    const splitter = new Splitter({ resync: true });
    const pace = options.paced ? new Pace() : undefined;
    this.#continue();
    const reader = input.getReader();
    const abort = () => void reader.cancel().catch(() => {});
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    let frames = 0;
    try {
      for (let read; (read = await reader.read(), !read.done);) {
        for (const event of splitter.push(read.value)) {
          this.#note(event, options.strict ?? false);
          for (const record of this.#media.take(event)) {
            if (pace !== undefined) await pace.reach(record.timestampUs, signal);
            if (signal?.aborted) return frames;
            if (frames++ === 0) options.onlive?.();
            if (signal?.aborted) return frames;
            this.#write(record);
          }
          this.#countSkipped();
        }
      }
      if (!signal?.aborted) this.#finish(splitter);
      return frames;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#writer?.endGroups();
      reader.cancel().catch(() => {});
      reader.releaseLock();
    }
  }

  /** Publishes one event of a stream in another container; the first of each stream is its `init`. */
  push(event: MediaEvent): void {
    if (event.type === "init") this.#continue();
    for (const record of this.#media.take(event)) this.#write(record);
    this.#countSkipped();
  }

  /** Ends groups and tracks in order, and takes the announcement back. The next stream announces the broadcast again. */
  withdraw(): void {
    if (this.#writer === undefined) return;
    this.#writer.withdraw();
    this.#writer = undefined;
    this.#media.forgetCatalog();
  }

  /** Withdraws. */
  [Symbol.dispose](): void {
    this.withdraw();
  }

  /** The next stream begins as long after the last frame as time has passed. */
  #continue(): void {
    const before = this.#lastFrameAtMs;
    const awayMs = before === undefined ? 0 : this.#clock.now() - before;
    this.#media.continueAt({ notBeforeUs: Math.round(this.#media.endUs + awayMs * 1000) });
  }

  #finish(splitter: Splitter): void {
    for (const record of this.#media.end()) this.#write(record);
    try {
      splitter.end();
    } catch (error) {
      // A live source that is cut off leaves its last fragment incomplete. A source that never began is an error.
      if (!(error instanceof MediaError) || !splitter.started) throw error;
      const { stats } = this.#options;
      if (stats !== undefined) stats.skipped++;
    }
  }

  #write(record: HangRecord): void {
    const { stats, client, path } = this.#options;
    this.#writer ??= new BroadcastWriter(client.publish(path));
    this.#writer.write(record);
    this.#lastFrameAtMs = this.#clock.now();
    if (stats === undefined) return;
    stats.framesIn++;
    stats.framesOut++;
    stats.bytesIn += record.payload.length;
    stats.bytesOut += record.payload.length;
  }

  #countSkipped(): void {
    const { stats } = this.#options;
    const { skipped } = this.#media;
    if (skipped === this.#skippedBefore) return;
    if (stats !== undefined) stats.skipped += skipped - this.#skippedBefore;
    this.#skippedBefore = skipped;
  }

  /** @throws {MediaError} A track cannot be carried and has to be. */
  #note(event: MediaEvent, strict: boolean): void {
    if (event.type === "damage") {
      this.#log.debug("media is damaged, going on at the next keyframe", { reason: event.reason });
    } else if (event.type === "init") {
      for (const { id, reason } of event.ignored) {
        if (strict) throw new MediaError(`Cannot carry track ${id}: ${reason}`);
        this.#log.warn("a track is left out", { track: id, reason });
      }
    }
  }
}
