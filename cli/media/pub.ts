import { reasonOf, UsageError } from "../../base/errors.ts";
import { describeFlags, parseFlags, switchFlag, textFlag } from "../shell/args.ts";
import {
  ALSO_FLAG,
  CONNECT_FLAGS,
  connectOptionsOf,
  countOf,
  URL_HELP,
  urlsOf,
} from "../shell/connect_flags.ts";
import { publish } from "./publish_fmp4.ts";

const FLAGS = {
  broadcast: textFlag("NAME", "Name of the broadcast.", { short: "b" }),
  ...CONNECT_FLAGS,
  ...ALSO_FLAG,
  once: switchFlag("End when the connection is lost, instead of dialing again."),
  "audio-group-ms": textFlag(
    "N",
    "Put audio frames of N milliseconds into one group; 0, the default, gives each its own.",
  ),
} as const;

export { FLAGS as flags };

export const usage = `Usage: qumo-relay pub URL --broadcast NAME [FILE]

Publishes fragmented MP4 (H.264, H.265, VP9, AV1, AAC, Opus) from standard input, as ffmpeg writes
it:

  ffmpeg -v error -re -i INPUT -c:v libx264 -tune zerolatency -g 60 -c:a aac -f mp4 \\
    -movflags cmaf+separate_moof+delay_moov+skip_trailer+frag_every_frame - |
    qumo-relay pub http://127.0.0.1:4433/ --broadcast demo

It says where the broadcast can be watched. A FILE is played at its own speed. When the input ends, or on SIGINT, what has begun is sent to its
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
  const [url, ...also] = urlsOf(urlText, flags.also, "pub");
  if (flags.broadcast === undefined) throw new UsageError("pub needs --broadcast NAME");
  const audioGroupMs = countOf("audio-group-ms", flags["audio-group-ms"]) ?? 0;
  const connect = await connectOptionsOf(flags);
  await publish(await openInput(file), {
    ...{ url, also, broadcast: flags.broadcast, connect, audioGroupMs },
    once: flags.once ?? false,
    paced: file !== undefined,
  });
  return 0;
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
