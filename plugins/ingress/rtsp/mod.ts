/** Pulls from an RTSP server, such as a camera. */
import { masked } from "../../../base/masking.ts";
import { oneOf, secret, text, url } from "../../../config/fields.ts";
import { rtspInput } from "../../ffmpeg/input.ts";
import type { OptionsOf } from "../../options.ts";
import { plugin } from "../../plugin.ts";
import {
  BROADCAST,
  CODECS,
  ingest,
  publisherOf,
  type Source,
  SourceFailed,
  TIMEOUT,
} from "../ingest.ts";

const OPTIONS = {
  url: url(["rtsp", "rtsps"], "Address of the stream.", { example: "rtsp://10.0.0.7/stream1" }),
  ...BROADCAST,
  username: text("Who logs in, where the camera asks (basic or digest).", { example: "viewer" })
    .optional(),
  password: secret("Their password.", { example: "…" }),
  transport: oneOf(
    ["tcp", "udp"],
    "tcp",
    "`tcp` gets through every network and loses nothing; `udp` has less delay on a good one.",
  ),
  ...CODECS,
  ...TIMEOUT,
};
type Options = OptionsOf<typeof OPTIONS>;

export const rtsp = plugin({
  kind: "ingress",
  name: "rtsp",
  summary: "Pulls from a camera or another RTSP server, over TCP or UDP.",
  options: OPTIONS,
  async run(ctx, options) {
    using publisher = publisherOf(ctx, options.broadcast);
    const source = sourceOf(options);
    ctx.status(`connecting to ${source.what}`);
    await ingest(ctx, publisher, source);
    if (!ctx.signal.aborted) throw new SourceFailed(`${source.what} has ended the stream`);
  },
});

function sourceOf(options: Options): Source {
  const { username, password, transport, timeout: timeoutMs } = options;
  const address = new URL(options.url);
  const shown = new URL(options.url);
  shown.username = shown.password = "";
  const secrets = [password ?? "", decodeURIComponent(address.password), address.password];
  const target = username === undefined
    ? options.url
    : options.url.replace(/^(rtsps?:\/\/)(?:[^/@]*@)?/i, (_, scheme) =>
      `${scheme}${encodeURIComponent(username)}:${encodeURIComponent(password ?? "")}@`);
  return {
    what: `the RTSP stream ${masked(shown.href)}`,
    input: [
      ...["-rtsp_transport", transport, "-timeout", String(timeoutMs * 1000)],
      ...["-max_delay", "500000", ...rtspInput(target)],
    ],
    video: options.video,
    audio: options.audio,
    secrets: [...secrets, ...secrets.map(encodeURIComponent)],
    timeoutMs,
    // A camera may wait for its next keyframe, and ffmpeg reads some of the media first.
    firstFrameMs: timeoutMs + 10_000,
  };
}
