/// <reference lib="dom" />
/** A picture and a tone for those without a camera: bars, a clock, and something that moves. */
import { ticker } from "./ticker.ts";

export interface PatternOptions {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  readonly sound: boolean;
}

/** A running test pattern. */
export interface Pattern {
  readonly stream: MediaStream;
  stop(): void;
}

const BARS = ["#e9efee", "#e8c547", "#3fc1c9", "#4caf6d", "#c65bb5", "#d9534f", "#3f5fd0"];
const TONE_HZ = 440;

export function startPattern(options: PatternOptions): Pattern {
  const { width, height, framesPerSecond } = options;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { alpha: false })!;
  let frame = 0;
  draw(context, frame);
  const stopTicking = ticker(1000 / framesPerSecond, () => draw(context, ++frame));
  const stream = canvas.captureStream(framesPerSecond);
  const stopTone = options.sound ? addTone(stream) : () => {};
  return {
    stream,
    stop() {
      stopTicking();
      stopTone();
      for (const track of stream.getTracks()) track.stop();
    },
  };
}

/** A short quiet beep every second. */
function addTone(stream: MediaStream): () => void {
  const context = new AudioContext();
  const out = context.createMediaStreamDestination();
  const tone = new OscillatorNode(context, { frequency: TONE_HZ });
  const gain = new GainNode(context, { gain: 0 });
  tone.connect(gain).connect(out);
  tone.start();
  const beep = () => {
    const now = context.currentTime;
    gain.gain.setValueAtTime(0, now);
    gain.gain.linearRampToValueAtTime(0.25, now + 0.01);
    gain.gain.setValueAtTime(0.25, now + 0.2);
    gain.gain.linearRampToValueAtTime(0, now + 0.25);
  };
  const stopBeeps = ticker(1000, beep);
  for (const track of out.stream.getAudioTracks()) stream.addTrack(track);
  return () => {
    stopBeeps();
    void context.close();
  };
}

function draw(context: CanvasRenderingContext2D, frame: number): void {
  const { width, height } = context.canvas;
  const bar = width / BARS.length;
  BARS.forEach((color, i) => {
    context.fillStyle = color;
    context.fillRect(Math.floor(i * bar), 0, Math.ceil(bar), height);
  });
  context.fillStyle = "#0e1213";
  context.fillRect(0, height * 0.72, width, height * 0.28);

  // A ball that moves to and fro shows every missing frame.
  const phase = (frame % 180) / 180;
  const across = phase < 0.5 ? phase * 2 : 2 - phase * 2;
  const radius = height * 0.06;
  context.fillStyle = "#4fcfbf";
  context.beginPath();
  context.arc(radius + across * (width - 2 * radius), height * 0.6, radius, 0, 2 * Math.PI);
  context.fill();

  const now = new Date();
  const time = `${now.toTimeString().slice(0, 8)}.${
    String(now.getMilliseconds()).padStart(3, "0")
  }`;
  context.fillStyle = "#e9efee";
  context.font = `600 ${Math.round(height * 0.13)}px ui-monospace, Menlo, Consolas, monospace`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(time, width / 2, height * 0.83);
  context.fillStyle = "#9dacaa";
  context.font = `${Math.round(height * 0.045)}px system-ui, sans-serif`;
  context.fillText(`qumo-relay  ·  frame ${frame}`, width / 2, height * 0.94);
}
