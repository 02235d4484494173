/// <reference lib="dom" />
/** A microphone's sound as Opus frames, by an audio worklet and WebCodecs. */
import type { DescribedAudio } from "../hang_writer.ts";
import { Anchor } from "./wall_clock.ts";

export interface AudioOptions {
  readonly track: MediaStreamTrack;
  readonly onDescribed: (described: DescribedAudio, timestampUs: number) => void;
  readonly onFrame: (data: Uint8Array, timestampUs: number) => void;
  readonly onFailed: (reason: string) => void;
}

/** Sound on its way out. */
export interface RunningAudio {
  stop(): void;
}

const RATE_HZ = 48_000;
const CHANNELS = 2;
const BITS_PER_SECOND = 96_000;
/** Samples handed over at a time: 20 ms, a frame of Opus. */
const BLOCK = 960;

/** Runs in the audio thread: gathers blocks of both channels. */
const WORKLET = `registerProcessor("capture", class extends AudioWorkletProcessor {
  #block = new Float32Array(${BLOCK * CHANNELS});
  #filled = 0;
  process([input]) {
    const left = input?.[0];
    if (left === undefined) return true;
    const right = input[1] ?? left;
    for (let i = 0; i < left.length; i++) {
      this.#block[this.#filled] = left[i];
      this.#block[${BLOCK} + this.#filled] = right[i];
      if (++this.#filled < ${BLOCK}) continue;
      this.port.postMessage(this.#block, [this.#block.buffer]);
      this.#block = new Float32Array(${BLOCK * CHANNELS});
      this.#filled = 0;
    }
    return true;
  }
});`;

/** Whether this browser encodes sound. */
export async function canEncodeAudio(): Promise<boolean> {
  if (typeof AudioEncoder !== "function") return false;
  const { supported } = await AudioEncoder.isConfigSupported(CONFIG).catch(() => ({
    supported: false,
  }));
  return supported ?? false;
}

const CONFIG: AudioEncoderConfig = {
  codec: "opus",
  sampleRate: RATE_HZ,
  numberOfChannels: CHANNELS,
  bitrate: BITS_PER_SECOND,
};

/** Encodes a track until it is stopped. */
export async function encodeAudio(options: AudioOptions): Promise<RunningAudio> {
  const { track, onDescribed, onFrame, onFailed } = options;
  let over = false;
  const encoder = new AudioEncoder({
    output(chunk, metadata) {
      const decoder = metadata?.decoderConfig;
      if (decoder !== undefined) {
        const { codec, sampleRate: sampleRateHz, numberOfChannels: channels } = decoder;
        const described = { codec, sampleRateHz, channels, bitrate: BITS_PER_SECOND };
        onDescribed(described, chunk.timestamp);
      }
      const data = new Uint8Array(chunk.byteLength);
      chunk.copyTo(data);
      onFrame(data, chunk.timestamp);
    },
    error: (error) => over || onFailed(error.message),
  });
  encoder.configure(CONFIG);

  const context = new AudioContext({ sampleRate: RATE_HZ, latencyHint: "interactive" });
  const url = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
  await context.audioWorklet.addModule(url).finally(() => URL.revokeObjectURL(url));
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const capture = new AudioWorkletNode(context, "capture", {
    numberOfOutputs: 0,
    channelCount: CHANNELS,
    channelCountMode: "explicit",
  });
  source.connect(capture);
  const anchor = new Anchor();
  let samples = 0;
  capture.port.onmessage = ({ data }: MessageEvent<Float32Array<ArrayBuffer>>) => {
    if (over) return;
    const timestamp = anchor.place(samples / RATE_HZ * 1e6);
    samples += BLOCK;
    const block = new AudioData({
      format: "f32-planar",
      sampleRate: RATE_HZ,
      numberOfFrames: BLOCK,
      numberOfChannels: CHANNELS,
      timestamp,
      data,
    });
    encoder.encode(block);
    block.close();
  };
  return {
    stop() {
      over = true;
      source.disconnect();
      void context.close();
      if (encoder.state !== "closed") encoder.close();
    },
  };
}
