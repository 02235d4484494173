/**
 * The renditions of one broadcast cut into segments, all at the same times.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { MediaError } from "../media_error.ts";
import type { MediaFrame, Rendition } from "../rendition.ts";
import { Cuts, leaderOf, Segmenter, type SegmentOutput } from "./segmenter.ts";

/** Our clock and the publisher's may differ by this before dates are set anew. */
const DRIFT_MS = 10_000;

/** When a broadcast's time was zero, in milliseconds since 1970, as its frames tell it. */
export class Epoch {
  ms = Infinity;

  /** The frame that was least late tells best; when a clock was set anew, what was before tells nothing any more. */
  see(timestampUs: number, wallMs: number): void {
    const ms = wallMs - timestampUs / 1000;
    if (ms < this.ms || ms - this.ms > DRIFT_MS) this.ms = ms;
  }
}

export interface BroadcastSegmenterOptions<O> {
  readonly targetMs: number;
  readonly partMs: number;
  /** Of one segment of one rendition. */
  readonly maxBytes: number;
  readonly epoch: Epoch;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where the segments of a rendition go. */
  outputOf(rendition: Rendition): O;
}

export class BroadcastSegmenter<O extends SegmentOutput> {
  /** Of the renditions that are carried, by name. */
  readonly outputs = new Map<string, O>();
  readonly #segmenters = new Map<string, Segmenter>();
  readonly #options: BroadcastSegmenterOptions<O>;

  /** Renditions that have no place in an MP4 are left out, and logged. */
  constructor(renditions: readonly Rendition[], options: BroadcastSegmenterOptions<O>) {
    this.#options = options;
    const cuts = new Cuts();
    const leader = leaderOf(renditions);
    for (const rendition of renditions) {
      const { name } = rendition;
      const output = options.outputOf(rendition);
      try {
        const cutting = { ...options, cuts, leads: rendition === leader };
        this.#segmenters.set(name, new Segmenter(rendition, cutting, output));
        this.outputs.set(name, output);
      } catch (error) {
        if (!(error instanceof MediaError)) throw error;
        options.log.warn("a rendition is left out", { rendition: name, reason: reasonOf(error) });
      }
    }
  }

  /** @returns Whether the frame was taken; `undefined` when its rendition is not carried. */
  push({ name }: Rendition, frame: MediaFrame): boolean | undefined {
    const { epoch, clock } = this.#options;
    epoch.see(frame.timestampUs, clock.wallMs());
    return this.#segmenters.get(name)?.push(frame, clock.now());
  }

  /** Gives out the last segments. */
  end(): void {
    for (const segmenter of this.#segmenters.values()) segmenter.end();
  }
}
