/** Media that ffmpeg makes while a test runs. */
import { killed } from "../borrowed.ts";

/** Fragmented MP4 as it is made. Ended when it goes out of scope. */
export interface TestMedia extends AsyncDisposable {
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** ffmpeg's test picture and a tone, live. */
export function testMedia(options: {
  readonly seconds?: number;
  readonly size?: string;
  readonly codecs?: string;
  /** As fast as it can instead of live. */
  readonly fast?: boolean;
} = {}): TestMedia {
  const { size = "640x360", seconds, fast = false } = options;
  const codecs = options.codecs ??
    "-c:v libx264 -preset ultrafast -tune zerolatency -g 30 -c:a libopus";
  return fragmented([
    ...(fast ? [] : ["-re"]),
    ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=30`],
    ...["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"],
    ...(seconds === undefined ? [] : ["-t", String(seconds)]),
    ...codecs.split(" "),
  ]);
}

/** What ffmpeg makes of these arguments, a fragment for each frame. */
export function fragmented(args: readonly string[]): TestMedia {
  const child = new Deno.Command("ffmpeg", {
    args: [
      ...["-v", "fatal", ...args, "-pix_fmt", "yuv420p", "-f", "mp4"],
      ...["-movflags", "cmaf+separate_moof+delay_moov+skip_trailer+frag_every_frame", "pipe:1"],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  return {
    stdout: child.stdout,
    async [Symbol.asyncDispose]() {
      await killed(child);
      if (!child.stdout.locked) await child.stdout.cancel();
    },
  };
}
