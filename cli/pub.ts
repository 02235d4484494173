import { reasonOf } from "../base/errors.ts";
import { type MediaEvent } from "../plugins/media/fmp4/media_track.ts";
import { HangBroadcast, type HangRecord } from "../plugins/media/fmp4/hang_broadcast.ts";
import { MediaError } from "../plugins/media/fmp4/media_error.ts";
import { Pace } from "../plugins/media/pace.ts";
import { Splitter } from "../plugins/media/fmp4/splitter.ts";
import { describeFlags, parseFlags, UsageError } from "./args.ts";
import { CONNECT_FLAGS, connectOptionsOf, countOf, URL_HELP, urlOf } from "./client_flags.ts";
import { LiveBroadcast } from "./live_broadcast.ts";
import { say } from "./output.ts";
import { onShutdownSignal } from "./shutdown.ts";
import { StatusLine } from "./status_line.ts";

const FLAGS = {
  broadcast: { kind: "text", short: "b", value: "NAME", about: "Name of the broadcast." },
  ...CONNECT_FLAGS,
  once: { kind: "switch", about: "End when the connection is lost, instead of dialing again." },
  "audio-group-ms": {
    kind: "text",
    value: "N",
    about: "Put audio frames of N milliseconds into one group; 0, the default, gives each its own.",
  },
} as const;

export { FLAGS as flags };

export const usage = `Usage: qumo-relay pub URL --broadcast NAME [FILE]

Publishes fragmented MP4 (H.264, H.265, VP9, AV1, AAC, Opus) from standard input, as ffmpeg writes
it:

  ffmpeg -v error -re -i INPUT -c:v libx264 -tune zerolatency -g 60 -c:a aac -f mp4 \\
    -movflags cmaf+separate_moof+delay_moov+skip_trailer+frag_every_frame - |
    qumo-relay pub http://127.0.0.1:4433/ --broadcast demo

A FILE is played at its own speed. When the input ends, or on SIGINT, what has begun is sent to its
end.

${URL_HELP}

${describeFlags(FLAGS)}

Examples:
  qumo-relay pub http://127.0.0.1:4433/ --broadcast demo FILE.mp4
  ffmpeg … | qumo-relay pub moqt://relay.example.com/ --broadcast demo --ca ca.pem

Exit codes: 0 published to the end, 1 no connection or bad media, 2 the command line is wrong.`;

export async function run(args: readonly string[]): Promise<number> {
  const { flags, operands: [urlText, file] } = parseFlags(args, FLAGS, {
    operands: ["URL", "FILE"],
  });
  const url = urlOf(urlText, "pub");
  if (flags.broadcast === undefined) throw new UsageError("pub needs --broadcast NAME");
  const audioGroupMs = countOf("audio-group-ms", flags["audio-group-ms"]) ?? 0;
  const connect = await connectOptionsOf(flags);
  const input = await openInput(file);

  const stopped = Promise.withResolvers<undefined>();
  using _signals = onShutdownSignal({
    graceful: () => stopped.resolve(undefined),
    immediate: (exitCode) => Deno.exit(exitCode),
  });
  using status = new StatusLine();
  const live = await LiveBroadcast.start({
    url,
    broadcast: flags.broadcast,
    connect,
    once: flags.once ?? false,
    tell: (line) => status.tell(line),
  });
  const counted = { frames: 0, bytes: 0 };
  status.show(() => figures(counted, live));

  const media = new HangBroadcast({ audioGroupMs });
  const pace = file === undefined ? undefined : new Pace();
  let bad: MediaError | undefined;
  try {
    for await (const record of recordsOf(input, media, stopped.promise, live.failed)) {
      if (pace) await Promise.race([pace.reach(record.timestampUs), stopped.promise, live.failed]);
      live.write(record);
      counted.frames++;
      counted.bytes += record.payload.length;
    }
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    bad = error; // what came before it is good, and is sent to its end
  }
  await live.end();
  if (bad) throw bad;
  return 0;
}

/** The frames of the input until it ends or `stopped` settles. @throws {MediaError} */
async function* recordsOf(
  input: ReadableStream<Uint8Array>,
  media: HangBroadcast,
  stopped: Promise<undefined>,
  failed: Promise<never>,
): AsyncGenerator<HangRecord> {
  const splitter = new Splitter();
  const reader = input.getReader();
  for (;;) {
    const read = await Promise.race([reader.read(), stopped, failed]);
    if (read === undefined) break; // asked to end: whatever is incomplete is nobody's fault
    if (read.done) {
      splitter.end();
      break;
    }
    for (const event of splitter.push(read.value)) {
      nameIgnored(event);
      yield* media.take(event);
    }
  }
  yield* media.end();
}

function nameIgnored(event: MediaEvent): void {
  if (event.type !== "init") return;
  for (const { id, reason } of event.ignored) say(`Track ${id} is left out: ${reason}`);
}

async function openInput(file: string | undefined): Promise<ReadableStream<Uint8Array>> {
  if (file !== undefined && file !== "-") {
    try {
      return (await Deno.open(file)).readable;
    } catch (error) {
      throw new UsageError(`Cannot read ${file}: ${reasonOf(error)}`, { cause: error });
    }
  }
  if (Deno.stdin.isTerminal()) {
    throw new UsageError("pub reads fragmented MP4 from standard input: pipe ffmpeg into it");
  }
  return Deno.stdin.readable;
}

/** "0:12  369 frames  812 kbit/s  3 subscriptions  moq-lite-06". */
function figures(counted: { frames: number; bytes: number }, live: LiveBroadcast) {
  let lastBytes = 0;
  return (seconds: number, sinceMs: number) => {
    const kbits = Math.round((counted.bytes - lastBytes) * 8 / sinceMs);
    lastBytes = counted.bytes;
    const time = `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
    const { subscriptions, version = "not connected" } = live;
    return `${time}  ${counted.frames} frames  ${kbits} kbit/s  ${subscriptions} subscriptions  ${version}`;
  };
}
