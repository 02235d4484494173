/**
 * One run of ffmpeg over the frames of a video rendition.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { pipeInput } from "../ffmpeg/input.ts";
import { MediaProcess } from "../ffmpeg/media_process.ts";
import { isDamaged } from "../../media/codec/nal_lengths.ts";
import type { InitEvent, SampleEvent } from "../../media/mp4/media_track.ts";
import { Splitter } from "../../media/mp4/splitter.ts";
import { concat } from "../../base/bytes.ts";
import { FragmentMuxer } from "../../media/mp4/fragment_muxer.ts";
import type { PluginStats } from "../plugin.ts";
import { FrameTimes } from "./frame_times.ts";
import type { AudioRendition, MediaFrame, VideoRendition } from "../../media/rendition.ts";

/** The time of the first frame for ffmpeg, so that earlier decode times are above zero too. */
const LEAD_US = 10_000_000;
/** A frame that is further from the one before it begins another run. */
const MAX_GAP_US = 10_000_000;
const MAX_BACK_US = 1_000_000;

/** Reads frames as they come: without probing, and in one thread, since more threads hold frames back. */
const INPUT = [
  ...["-threads", "1", "-analyzeduration", "0", "-fpsprobesize", "0", "-copyts"],
  ...pipeInput("mp4"),
];
/** Fragments of one frame, with the times of the input. */
const OUTPUT = [
  ...["-map", "0:a:0", "-c:a", "copy"],
  ...["-video_track_timescale", "90000", "-max_interleave_delta", "1", "-f", "mp4", "-movflags"],
  ...["cmaf+separate_moof+delay_moov+skip_trailer+frag_every_frame+frag_discont"],
  ...["-flush_packets", "1", "pipe:1"],
];
/**
 * A silent track beside the video. ffmpeg writes a fragment when the next frame of any track comes: two frames of this track
 * behind each picture save it the wait for the next one.
 */
const TICK: AudioRendition = {
  ...{ kind: "audio", name: "tick", codec: "opus", container: "legacy" },
  ...{ sampleRateHz: 48_000, channels: 1 },
};
const TICK_US = 1000;
/** An Opus frame of silence. */
const TICK_PAYLOAD = Uint8Array.of(0xf8, 0xff, 0xfe);

/** One frame out for each frame in, at the same time. */
export const ONE_FOR_ONE = ["-fps_mode", "passthrough", "-enc_time_base", "-1"] as const;

export interface EncoderOptions {
  readonly source: VideoRendition;
  /** Filters and encoders: the arguments between input and output. */
  readonly args: readonly string[];
  readonly signal: AbortSignal;
  readonly stats: PluginStats;
  readonly clock: Clock;
  /** The tracks of the output, before its first frame. */
  readonly ontracks: (tracks: InitEvent["tracks"]) => void;
  /** A frame of the output. @param trackId As in `ontracks`. */
  readonly onframe: (trackId: number, frame: EncodedFrame) => void;
}

export interface EncodedFrame {
  /** Exactly that of the input, where it is a frame of the input. */
  readonly timestampUs: number;
  readonly keyframe: boolean;
  readonly payload: Uint8Array;
}

/** Takes frames in decode order, from a keyframe on. Its owner finishes or closes it. */
export class Encoder implements AsyncDisposable {
  readonly #options: EncoderOptions;
  readonly #process: MediaProcess;
  readonly #muxer: FragmentMuxer;
  readonly #times = new FrameTimes();
  readonly #reading: Promise<void>;
  #failure: { readonly error: unknown } | undefined;
  #begun = false;
  #baseUs = 0;
  #lastUs = 0;
  #tickUs = 0;
  #tickId: number | undefined;

  /** @throws {MediaError} ffmpeg cannot take the codec. @throws {FfmpegMissing} */
  constructor(options: EncoderOptions) {
    const { source, args, signal, stats } = options;
    this.#options = options;
    this.#muxer = new FragmentMuxer([source, TICK]);
    this.#process = MediaProcess.start({
      args: [...INPUT, ...args, ...OUTPUT],
      input: true,
      signal,
      // A complaint of ffmpeg while it runs is about a frame that it could not decode in full.
      oncomplaint: () => {
        if (!signal.aborted) stats.skipped++;
      },
    });
    this.#reading = this.#read().catch((error) => {
      this.#failure = { error };
      return this.#process.close();
    });
  }

  /** Whether the frame does not follow the last one, so that a new run has to begin with it. */
  breaksAt(frame: MediaFrame): boolean {
    if (!this.#begun || !frame.keyframe) return false;
    const passedUs = frame.timestampUs - this.#lastUs;
    return passedUs > MAX_GAP_US || passedUs < -MAX_BACK_US;
  }

  /**
   * Takes a frame; waits while ffmpeg has no room.
   * @returns False when it is damaged, or cannot begin a run: it is dropped, and the next has to be a keyframe.
   * @throws {FfmpegFailed} @throws The failure of reading its output.
   */
  async feed(frame: MediaFrame): Promise<boolean> {
    const { source, clock } = this.#options;
    if (isDamaged(source, frame.payload)) return false;
    if (!this.#muxer.ready) this.#muxer.learn(source.name, frame);
    if (!this.#muxer.ready) return false;
    const atMs = clock.now();
    const { timestampUs, decodeTimeUs } = frame;
    if (!this.#begun) {
      this.#baseUs = timestampUs - LEAD_US;
      this.#begun = true;
      await this.#write(this.#muxer.init());
    }
    this.#lastUs = timestampUs;
    this.#times.add(timestampUs, atMs);
    const shownUs = timestampUs - this.#baseUs;
    this.#tickUs = Math.max(this.#tickUs, shownUs);
    const picture = this.#muxer.fragment(source.name, [{
      ...frame,
      timestampUs: shownUs,
      ...(decodeTimeUs !== undefined && { decodeTimeUs: decodeTimeUs - this.#baseUs }),
    }]);
    await this.#write(concat([picture, this.#tick(), this.#tick()]));
    return true;
  }

  /** Encodes what is left. @throws {FfmpegFailed} */
  async finish(): Promise<void> {
    await this.#process.endInput();
    await this.#reading;
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#begun && !this.#options.signal.aborted) await this.#process.done();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.close();
    await this.#reading;
  }

  #tick(): Uint8Array {
    this.#tickUs += TICK_US;
    const frame = { keyframe: true, payload: TICK_PAYLOAD, durationUs: TICK_US };
    return this.#muxer.fragment(TICK.name, [{ ...frame, timestampUs: this.#tickUs }]);
  }

  async #write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      await this.#process.write(bytes);
    } catch (error) {
      throw this.#failure?.error ?? error;
    }
  }

  async #read(): Promise<void> {
    const splitter = new Splitter();
    for await (const chunk of this.#process.stdout) {
      for (const event of splitter.push(chunk)) {
        if (event.type === "init") {
          this.#tickId = event.tracks.find(({ kind }) => kind === "audio")?.id;
          this.#options.ontracks(event.tracks);
        } else if (event.type === "sample" && event.trackId !== this.#tickId) this.#give(event);
      }
    }
  }

  #give({ trackId, timestampUs, keyframe, data }: SampleEvent): void {
    const { stats, clock, onframe } = this.#options;
    const shownUs = timestampUs + this.#baseUs;
    const went = this.#times.find(shownUs);
    onframe(trackId, { timestampUs: went?.timestampUs ?? shownUs, keyframe, payload: data });
    if (went !== undefined) stats.latencyMs = clock.now() - went.atMs;
  }
}
