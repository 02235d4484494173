/// <reference lib="dom" />
/** A camera's pictures as encoded frames, by WebCodecs. */
import { reasonOf } from "../../../base/errors.ts";
import { EncoderLoad } from "./encoder_load.ts";
import type { DescribedVideo } from "../hang_writer.ts";
import type { Quality } from "./quality_ladder.ts";
import { Anchor, wallClockUs } from "./wall_clock.ts";

export interface VideoOptions {
  readonly track: MediaStreamTrack;
  readonly framesPerSecond: number;
  readonly onDescribed: (index: number, described: DescribedVideo, timestampUs: number) => void;
  readonly onFrame: (
    index: number,
    data: Uint8Array,
    timestampUs: number,
    keyframe: boolean,
  ) => void;
  /** A quality is given up, the others go on. */
  readonly onDropped: (index: number, why: DropReason, timestampUs: number) => void;
  readonly onFailed: (reason: string) => void;
}

/** "slow": this device cannot encode that much. Otherwise the encoder's own words. */
export type DropReason = "slow" | { readonly error: string };

/** What newer browsers have and TypeScript does not know yet. */
declare const MediaStreamTrackProcessor:
  | (new (init: { readonly track: MediaStreamTrack }) => {
    readonly readable: ReadableStream<VideoFrame>;
  })
  | undefined;

/** Every group begins with a keyframe; a viewer who joins waits for the next one at most this long. */
const KEYFRAME_EVERY_US = 2_000_000;
/** The most frames that wait for the encoder. With more, the next one is dropped. */
const MAX_WAITING = 3;
/** Preferred first: what most devices decode in hardware. Constrained Baseline, level 4.0 for 1080p30. */
const CODECS = ["avc1.42e028", "vp09.00.40.08", "vp8", "av01.0.08M.08"];

/**
 * The first codec in which this browser encodes all qualities; if there is none, the first for the best quality alone.
 * @returns One for each quality that is possible, best first; empty when there is none.
 */
export async function videoConfigs(
  qualities: readonly Quality[],
  framesPerSecond: number,
): Promise<VideoEncoderConfig[]> {
  if (typeof VideoEncoder !== "function") return [];
  for (const wanted of [qualities, qualities.slice(0, 1)]) {
    for (const codec of CODECS) {
      const configs = wanted.map((quality) => configOf(codec, quality, framesPerSecond));
      const answers = await Promise.all(
        configs.map((config) => VideoEncoder.isConfigSupported(config).catch(() => undefined)),
      );
      if (answers.every((answer) => answer?.supported)) return configs;
    }
  }
  return [];
}

function configOf(codec: string, quality: Quality, framesPerSecond: number): VideoEncoderConfig {
  return {
    codec,
    ...quality,
    framerate: framesPerSecond,
    latencyMode: "realtime",
    ...(codec.startsWith("avc1") && { avc: { format: "avc" } }),
  };
}

/** One quality on its way. */
interface Rung {
  readonly index: number;
  readonly encoder: VideoEncoder;
  readonly load: EncoderLoad;
}

/**
 * Encodes a track in every quality until it is stopped. The encoders scale the picture. All qualities have their keyframes at
 * the same frames, so that a viewer can change at each.
 *
 * @param configs Of {@link videoConfigs}.
 * @returns Stops it.
 */
export function encodeVideo(
  configs: readonly VideoEncoderConfig[],
  options: VideoOptions,
): () => void {
  const { track, onDropped, onFailed } = options;
  const stop = new AbortController();
  const anchor = new Anchor();
  let keyframeUs = -Infinity;
  let nowUs = 0;
  let rungs: readonly Rung[] = [];
  const drop = (index: number, why: DropReason) => {
    const rung = rungs.find((rung) => rung.index === index);
    if (rung === undefined || stop.signal.aborted) return;
    if (rungs.length === 1) {
      if (why !== "slow") onFailed(why.error);
      return;
    }
    rungs = rungs.filter((other) => other !== rung);
    if (rung.encoder.state !== "closed") rung.encoder.close();
    for (const { load } of rungs) load.reset();
    onDropped(index, why, nowUs);
  };
  rungs = configs.map((config, index) => ({
    index,
    encoder: encoderOf(config, index, options, (error) => drop(index, { error })),
    load: new EncoderLoad(),
  }));

  const encode = (frame: VideoFrame) => {
    if (stop.signal.aborted) return frame.close();
    const timestamp = nowUs = anchor.place(frame.timestamp);
    const keyFrame = timestamp - keyframeUs >= KEYFRAME_EVERY_US;
    if (keyFrame) keyframeUs = timestamp;
    const timed = new VideoFrame(frame, { timestamp });
    let behind = false;
    for (const { encoder, load } of rungs) {
      if (encoder.state !== "configured") continue;
      // A keyframe is one in every quality.
      const taken = keyFrame || encoder.encodeQueueSize < MAX_WAITING;
      if (taken) encoder.encode(timed, { keyFrame });
      if (load.frame(taken, timestamp)) behind = true;
    }
    timed.close();
    frame.close();
    // Whichever encoder is behind, the best quality takes most of the power.
    if (behind) drop(rungs[0]!.index, "slow");
  };
  readFrames(track, encode, stop.signal).catch((error) => {
    if (!stop.signal.aborted) onFailed(reasonOf(error));
  });
  return () => {
    stop.abort();
    for (const { encoder } of rungs) if (encoder.state !== "closed") encoder.close();
  };
}

function encoderOf(
  config: VideoEncoderConfig,
  index: number,
  { framesPerSecond, onDescribed, onFrame }: VideoOptions,
  onError: (reason: string) => void,
): VideoEncoder {
  const encoder = new VideoEncoder({
    output(chunk, metadata) {
      const decoder = metadata?.decoderConfig;
      if (decoder !== undefined) {
        onDescribed(index, {
          codec: decoder.codec,
          ...(decoder.description && { description: bytesOf(decoder.description) }),
          width: decoder.codedWidth ?? config.width,
          height: decoder.codedHeight ?? config.height,
          framerate: framesPerSecond,
          bitrate: config.bitrate!,
        }, chunk.timestamp);
      }
      const data = new Uint8Array(chunk.byteLength);
      chunk.copyTo(data);
      onFrame(index, data, chunk.timestamp, chunk.type === "key");
    },
    error: (error) => onError(error.message),
  });
  encoder.configure(config);
  return encoder;
}

function bytesOf(source: AllowSharedBufferSource): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}

async function readFrames(
  track: MediaStreamTrack,
  take: (frame: VideoFrame) => void,
  signal: AbortSignal,
): Promise<void> {
  if (typeof MediaStreamTrackProcessor !== "function") return readByElement(track, take, signal);
  const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
  signal.addEventListener("abort", () => void reader.cancel().catch(() => {}), { once: true });
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    take(value);
  }
}

/** For browsers without a track processor: takes the frames that a `<video>` shows. */
async function readByElement(
  track: MediaStreamTrack,
  take: (frame: VideoFrame) => void,
  signal: AbortSignal,
): Promise<void> {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  await video.play();
  const next = () => {
    if (signal.aborted) return video.pause();
    take(new VideoFrame(video, { timestamp: wallClockUs() }));
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
}
