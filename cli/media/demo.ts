import { PUBLIC_PORT } from "../../config/address.ts";
import { LIVE_FMP4 } from "../../plugins/ffmpeg/output.ts";
import { MediaError } from "../../media/media_error.ts";
import { MediaProcess } from "../../plugins/ffmpeg/media_process.ts";
import { describeFlags, parseFlags, textFlag } from "../shell/args.ts";
import { CONNECT_FLAGS, connectOptionsOf, URL_HELP, urlOf } from "../shell/connect_flags.ts";
import { publish } from "./publish_fmp4.ts";

const DEFAULTS = { url: `http://127.0.0.1:${PUBLIC_PORT}/`, broadcast: "demo" } as const;

const FLAGS = {
  broadcast: textFlag("NAME", `Name of the broadcast; ${DEFAULTS.broadcast} if not given.`, {
    short: "b",
  }),
  ...CONNECT_FLAGS,
} as const;

export { FLAGS as flags };

export const usage = `Usage: qumo-relay demo [URL] [--broadcast NAME]

Publishes ffmpeg's test picture and tone, and says where to watch them. Without URL it takes the relay
of this machine, ${DEFAULTS.url}. It needs ffmpeg.

${URL_HELP}

${describeFlags(FLAGS)}

Examples:
  qumo-relay demo
  qumo-relay demo https://relay.example.com/ --broadcast test --token TOKEN

Exit codes: 0 ended by Ctrl-C, 1 no ffmpeg or no connection, 2 the command line is wrong.`;

/** What ffmpeg makes: 720p at 30 frames a second with a keyframe every two seconds, and a tone. */
const TEST_PICTURE = [
  ...["-re", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30"],
  ...["-f", "lavfi", "-i", "sine=frequency=440"],
  ...["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"],
  ...["-g", "60", "-c:a", "aac", ...LIVE_FMP4],
];

export async function run(args: readonly string[]): Promise<number> {
  const { flags, operands: [urlText = DEFAULTS.url] } = parseFlags(args, FLAGS, {
    operands: ["URL"],
  });
  const url = urlOf(urlText, "demo");
  const connect = await connectOptionsOf(flags);
  await using ffmpeg = MediaProcess.start({ args: TEST_PICTURE });
  try {
    const how = await publish(ffmpeg.stdout, {
      ...{ url, broadcast: flags.broadcast ?? DEFAULTS.broadcast, connect },
      ...{ once: false, audioGroupMs: 0, paced: false },
    });
    if (how === "ended") await ffmpeg.done();
  } catch (error) {
    if (error instanceof MediaError) await ffmpeg.done(); // it knows better what is wrong
    throw error;
  }
  return 0;
}
