/// <reference lib="dom" />
/** A camera's pictures as encoded frames, by WebCodecs. */
import { hexOf, type VideoRendition } from "./hang_writer.ts";
import { Anchor, wallClockUs } from "./wall_clock.ts";

export interface VideoOptions {
  readonly track: MediaStreamTrack;
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  /** Bits per second. */
  readonly bitrate: number;
  readonly onDescribed: (rendition: VideoRendition, timestampUs: number) => void;
  readonly onFrame: (data: Uint8Array, timestampUs: number, keyframe: boolean) => void;
  readonly onFailed: (reason: string) => void;
}

/** What newer browsers have and TypeScript does not know yet. */
declare const MediaStreamTrackProcessor:
  | (new (init: { readonly track: MediaStreamTrack }) => {
    readonly readable: ReadableStream<VideoFrame>;
  })
  | undefined;

/** Every group begins with a keyframe; a viewer who joins waits for the next one at most this long. */
const KEYFRAME_EVERY_US = 2_000_000;
/** Frames that wait for the encoder; with more, the next one is left out. */
const MAX_WAITING = 3;
/** Preferred first: what most devices decode in hardware. Constrained Baseline, level 4.0 for 1080p30. */
const CODECS = ["avc1.42e028", "vp09.00.40.08", "vp8", "av01.0.08M.08"];

/** The first codec this browser encodes at such a size. @returns `undefined` when there is none. */
export async function videoConfig(
  { width, height, framesPerSecond, bitrate }: Omit<VideoOptions, "track">,
): Promise<VideoEncoderConfig | undefined> {
  if (typeof VideoEncoder !== "function") return undefined;
  for (const codec of CODECS) {
    const config: VideoEncoderConfig = {
      codec,
      width,
      height,
      bitrate,
      framerate: framesPerSecond,
      latencyMode: "realtime",
      ...(codec.startsWith("avc1") && { avc: { format: "avc" } }),
    };
    const { supported } = await VideoEncoder.isConfigSupported(config).catch(() => ({
      supported: false,
    }));
    if (supported) return config;
  }
  return undefined;
}

/**
 * Encodes a track until it is stopped.
 * @returns Stops it.
 */
export function encodeVideo(config: VideoEncoderConfig, options: VideoOptions): () => void {
  const { track, framesPerSecond, bitrate, onDescribed, onFrame, onFailed } = options;
  const stop = new AbortController();
  const anchor = new Anchor();
  let keyframeUs = -Infinity;
  const encoder = new VideoEncoder({
    output(chunk, metadata) {
      const decoder = metadata?.decoderConfig;
      if (decoder !== undefined) {
        onDescribed({
          codec: decoder.codec,
          ...(decoder.description && { description: hexOf(decoder.description) }),
          codedWidth: decoder.codedWidth ?? config.width,
          codedHeight: decoder.codedHeight ?? config.height,
          framerate: framesPerSecond,
          bitrate,
        }, chunk.timestamp);
      }
      const data = new Uint8Array(chunk.byteLength);
      chunk.copyTo(data);
      onFrame(data, chunk.timestamp, chunk.type === "key");
    },
    error: (error) => stop.signal.aborted || onFailed(error.message),
  });
  encoder.configure(config);

  const encode = (frame: VideoFrame) => {
    const timestamp = anchor.place(frame.timestamp);
    if (!stop.signal.aborted && encoder.encodeQueueSize < MAX_WAITING) {
      const keyFrame = timestamp - keyframeUs >= KEYFRAME_EVERY_US;
      if (keyFrame) keyframeUs = timestamp;
      const timed = new VideoFrame(frame, { timestamp });
      encoder.encode(timed, { keyFrame });
      timed.close();
    }
    frame.close();
  };
  readFrames(track, encode, stop.signal).catch((error) => {
    if (!stop.signal.aborted) onFailed(error instanceof Error ? error.message : String(error));
  });
  return () => {
    stop.abort();
    if (encoder.state !== "closed") encoder.close();
  };
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

/** The way of browsers without a track processor: the frames a `<video>` shows. */
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
