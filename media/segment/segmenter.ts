/**
 * One rendition cut into CMAF segments and their parts, for HLS.
 *
 * @module
 */
import { Burst } from "../../base/burst.ts";
import { hasNalUnits } from "../codec/family.ts";
import { DecodeClock } from "../mp4/decode_clock.ts";
import { depthOf, FragmentMuxer, frameSecondsOf } from "../mp4/fragment_muxer.ts";
import type { MediaFrame, Rendition } from "../rendition.ts";

/** A longer jump in time begins anew: the playlist has a discontinuity there. */
const JUMP_AHEAD_US = 10_000_000;
const JUMP_BACK_US = 2_000_000;
/** Keyframes come a little early or late, so this share of the target is enough. */
const NEAR_ENOUGH = 0.95;
/** A rendition cuts by itself when the leading one has not cut for this many targets. */
const PATIENCE = 3;
/** A segment without a keyframe is cut here, so memory stays bounded. */
const LONGEST_US = 30_000_000;
/** Rounding of timestamps. */
const SLACK_US = 1000;
const MAX_FRAME_US = 1_000_000;
/** No segment has more frames: memory stays bounded even if times stand still. */
const MAX_FRAMES = 10_000;
/** This many jumps in time may follow each other at once, then one per interval. Frames after further jumps are left out. */
const JUMPS = 8;
const JUMP_EVERY_MS = 5000;

/** A piece of a segment: one `moof` with its `mdat`. */
export interface Part {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly durationUs: number;
  /** When its first frame is shown, on the broadcast's own axis. */
  readonly startUs: number;
  /** A decoder can start here. */
  readonly independent: boolean;
}

/** Receives `init`, parts, `endSegment`, parts, and so on, in this order. */
export interface SegmentOutput {
  /** The header of what follows; again after a jump in time. */
  init(bytes: Uint8Array<ArrayBuffer>): void;
  part(part: Part): void;
  /** The parts since the last call are a segment. */
  endSegment(): void;
}

/** Where the leading rendition was cut. The others follow, so segments with the same number show the same time. */
export class Cuts {
  count = 0;
  atUs = -Infinity;
}

export interface SegmenterOptions {
  /** A segment ends at the first keyframe that is about this long after its beginning. */
  readonly targetMs: number;
  /** Longest part. If it equals the target, each segment is one part. */
  readonly partMs: number;
  /** Shared by the renditions of a broadcast. */
  readonly cuts: Cuts;
  /** Whether it decides about the cuts. */
  readonly leads: boolean;
  /** A segment of this size ends at once, keyframe or not. */
  readonly maxBytes: number;
}

export class Segmenter {
  readonly #rendition: Rendition;
  readonly #options: SegmenterOptions;
  readonly #out: SegmentOutput;
  #muxer: FragmentMuxer;
  #clock: DecodeClock | undefined;
  #begun = false;
  #held: MediaFrame[] = [];
  #partDecodeUs = 0;
  #lastUs = 0;
  #lastDecodeUs = 0;
  #frameUs: number;
  #segmentUs = 0;
  #cutsSeen = 0;
  /** Frames of the segment so far, and their bytes. */
  #frames = 0;
  #bytes = 0;
  readonly #jumps = new Burst(JUMPS, JUMP_EVERY_MS);

  /** @throws {MediaError} The codec has no place in an MP4. */
  constructor(rendition: Rendition, options: SegmenterOptions, out: SegmentOutput) {
    this.#rendition = rendition;
    this.#options = options;
    this.#out = out;
    this.#muxer = new FragmentMuxer([rendition]);
    this.#frameUs = frameSecondsOf(rendition) * 1e6;
  }

  /**
   * Takes the next frame, in decode order.
   * @param nowMs Of a clock that does not run backwards.
   * @returns False when it is left out: it is larger than a segment may be, or times jump too often.
   */
  push(frame: MediaFrame, nowMs: number): boolean {
    const { timestampUs, keyframe } = frame;
    if (frame.payload.length > this.#options.maxBytes) return false;
    if (this.#begun) {
      const passedUs = timestampUs - this.#lastUs;
      if (passedUs > JUMP_AHEAD_US || passedUs < -JUMP_BACK_US) {
        if (this.#jumps.waitMs(nowMs) > 0) return false;
        this.#jumps.took(nowMs);
        this.end();
      }
    }
    this.#lastUs = timestampUs;
    if (!this.#begun && !this.#begin(frame)) return true;
    const decodeUs = frame.decodeTimeUs ?? this.#clock?.next(timestampUs, this.#frameUs) ??
      timestampUs;
    const passed = decodeUs - this.#lastDecodeUs;
    if (passed > 0 && passed < MAX_FRAME_US) this.#frameUs = passed;
    this.#lastDecodeUs = decodeUs;
    if (this.#held.length > 0) {
      const full = this.#frames >= MAX_FRAMES ||
        this.#bytes + frame.payload.length > this.#options.maxBytes;
      const cut = full || (keyframe && this.#cutsAt(timestampUs)) ||
        timestampUs - this.#segmentUs > LONGEST_US;
      const partUs = this.#options.partMs * 1000 + SLACK_US;
      if (cut || decodeUs + this.#frameUs - this.#partDecodeUs > partUs) {
        this.#flush(decodeUs, timestampUs);
      }
      if (cut) this.#cut(timestampUs);
    }
    if (this.#held.length === 0) this.#partDecodeUs = decodeUs;
    this.#held.push(frame);
    this.#frames++;
    this.#bytes += frame.payload.length;
    return true;
  }

  /** Delivers the last segment. A further frame begins anew. */
  end(): void {
    if (!this.#begun) return;
    this.#flush(this.#lastDecodeUs + this.#frameUs, undefined);
    this.#endSegment();
    this.#begun = false;
    this.#muxer = new FragmentMuxer([this.#rendition]);
  }

  #begin(frame: MediaFrame): boolean {
    if (!frame.keyframe) return false;
    this.#muxer.learn(this.#rendition.name, frame);
    if (!this.#muxer.ready) return false;
    const reorders = hasNalUnits(this.#rendition.codec);
    this.#clock = reorders ? new DecodeClock(depthOf(this.#rendition)) : undefined;
    this.#begun = true;
    this.#lastDecodeUs = frame.timestampUs;
    this.#out.init(this.#muxer.init());
    this.#segmentUs = frame.timestampUs;
    this.#cutsSeen = this.#options.cuts.count;
    return true;
  }

  #cutsAt(timestampUs: number): boolean {
    const { cuts, leads, targetMs } = this.#options;
    const enoughUs = targetMs * 1000 * (leads ? NEAR_ENOUGH : PATIENCE);
    if (timestampUs - this.#segmentUs >= enoughUs) return true;
    return !leads && cuts.count > this.#cutsSeen && timestampUs >= cuts.atUs;
  }

  #cut(timestampUs: number): void {
    const { cuts, leads } = this.#options;
    this.#endSegment();
    this.#segmentUs = timestampUs;
    if (leads) {
      cuts.count++;
      cuts.atUs = timestampUs;
    }
    this.#cutsSeen = cuts.count;
  }

  #endSegment(): void {
    this.#out.endSegment();
    [this.#frames, this.#bytes] = [0, 0];
  }

  #flush(nextDecodeUs: number, nextTimestampUs: number | undefined): void {
    const [first] = this.#held;
    if (first === undefined) return;
    const bytes = this.#muxer.fragment(this.#rendition.name, this.#held, nextTimestampUs);
    const earliestUs = this.#held.reduce((us, one) => Math.min(us, one.timestampUs), Infinity);
    const durationUs = Math.max(0, nextDecodeUs - this.#partDecodeUs);
    this.#held = [];
    this.#partDecodeUs = nextDecodeUs;
    const independent = first.keyframe || this.#rendition.kind === "audio";
    this.#out.part({ bytes, durationUs, startUs: earliestUs, independent });
  }
}

/** The rendition whose keyframes decide about cuts: the first video, or the first of all. */
export function leaderOf(renditions: readonly Rendition[]): Rendition | undefined {
  return renditions.find(({ kind }) => kind === "video") ?? renditions[0];
}
