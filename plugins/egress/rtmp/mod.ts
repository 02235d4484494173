/** Pushes a broadcast to an RTMP server: a streaming service, another relay. */
import { QumoError } from "../../../base/errors.ts";
import { oneOf, secret, text, url } from "../../../config/fields.ts";
import { pipeInput } from "../../ffmpeg/input.ts";
import { MediaProcess } from "../../ffmpeg/media_process.ts";
import { audioCodec, videoCodec } from "../../ffmpeg/output.ts";
import { familyOf } from "../../../media/codec/family.ts";
import { type FrameSink, readInto } from "../../../media/broadcast/read_into.ts";
import { eachBroadcast } from "../../live_set.ts";
import { sleep } from "../../../base/sleep.ts";
import { FragmentMuxer } from "../../../media/mp4/fragment_muxer.ts";
import type { OptionsOf } from "../../options.ts";
import { plugin, type PluginContext } from "../../plugin.ts";
import type { Rendition, VideoRendition } from "../../../media/rendition.ts";
import { matcherOf } from "../../../wire/path_pattern.ts";

const OPTIONS = {
  broadcast: text("Path of the broadcast that is pushed.", { example: "cam" }),
  url: url(["rtmp", "rtmps"], "The server and application: `rtmp://live.example.com/app`.", {
    example: "rtmp://127.0.0.1:1935/live",
  }),
  key: secret("The stream key: what comes behind the last slash of the address.", { example: "…" }),
  video: oneOf(
    ["copy", "h264"],
    "copy",
    "`copy` hands H.264 on as it is; `h264` encodes anything anew.",
  ),
  audio: oneOf(["copy", "aac"], "copy", "`copy` hands AAC on as it is; `aac` encodes it anew."),
};
type Options = OptionsOf<typeof OPTIONS>;

/** RTMP cannot carry the broadcast as it is. */
export class PushFailed extends QumoError {
  readonly code = "QUMO_PUSH_FAILED";
}

export const rtmp = plugin({
  kind: "egress",
  name: "rtmp",
  summary: "Pushes a broadcast to an RTMP server.",
  options: OPTIONS,
  async run(ctx, options) {
    const { broadcast } = options;
    const set = {
      wanted: matcherOf([broadcast]),
      maxBroadcasts: 1,
      everyones: () => true,
      idle: `waits for the broadcast ${broadcast}`,
    };
    const { stats } = ctx;
    await eachBroadcast(ctx, set, (live, signal) =>
      readInto(
        live,
        { signal, stats },
        (renditions) => new Push(chosen(renditions, options), options, ctx),
      ));
  },
});

/** The best picture and the first sound. @throws {PushFailed} RTMP cannot carry them as they are. */
function chosen(renditions: readonly Rendition[], { video, audio }: Options): Rendition[] {
  const pixels = ({ width = 0, height = 0 }: VideoRendition) => width * height;
  const picture = renditions.filter((one) => one.kind === "video")
    .reduce<VideoRendition | undefined>(
      (best, one) => best === undefined || pixels(one) > pixels(best) ? one : best,
      undefined,
    );
  const sound = renditions.find((one) => one.kind === "audio");
  if (picture !== undefined && video === "copy" && familyOf(picture.codec) !== "H264") {
    throw new PushFailed(
      `Cannot push ${picture.codec} over RTMP: it carries H.264 alone; set \`video: h264\``,
    );
  }
  if (sound !== undefined && audio === "copy" && familyOf(sound.codec) !== "AAC") {
    throw new PushFailed(
      `Cannot push ${sound.codec} over RTMP: it carries AAC alone; set \`audio: aac\``,
    );
  }
  return [picture, sound].filter((one) => one !== undefined);
}

/** One run of ffmpeg. */
class Push implements FrameSink {
  readonly #process: MediaProcess;
  readonly #muxer: FragmentMuxer;
  readonly #names: ReadonlySet<string>;
  readonly #stats: PluginContext["stats"];
  #begun = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(renditions: readonly Rendition[], options: Options, ctx: PluginContext) {
    const { url, key, video, audio } = options;
    this.#stats = ctx.stats;
    this.#names = new Set(renditions.map(({ name }) => name));
    this.#muxer = new FragmentMuxer(renditions);
    const to = key === undefined ? url : `${url.replace(/\/$/, "")}/${key}`;
    this.#process = MediaProcess.start({
      input: true,
      args: [
        ...["-probesize", "500000", ...pipeInput("mp4")],
        ...[...videoCodec(video), ...audioCodec(audio)],
        ...["-f", "flv", "-flvflags", "no_duration_filesize", to],
      ],
      secrets: key === undefined ? [] : [key],
      signal: ctx.signal,
    });
    void this.#process.stdout.cancel().catch(() => {});
  }

  /** @throws {FfmpegFailed} The server has gone, or does not take it. */
  frame(rendition: Rendition, frame: Parameters<FrameSink["frame"]>[1]): Promise<void> | void {
    if (!this.#names.has(rendition.name)) return;
    if (!this.#begun) {
      this.#muxer.learn(rendition.name, frame);
      if (!this.#muxer.ready) return;
      this.#begun = true;
      this.#write(this.#muxer.init());
    }
    this.#stats.framesOut++;
    this.#stats.bytesOut += frame.payload.length;
    return this.#write(this.#muxer.fragment(rendition.name, [frame]));
  }

  async end(): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#process.endInput();
    const ended = await Promise.race([
      this.#process.ended,
      sleep(2000).then(() => undefined),
    ]);
    if (ended === undefined) await this.#process.close();
  }

  #write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#writing = this.#writing.then(() => this.#process.write(bytes));
    this.#writing.catch(() => {}); // told to whoever writes next
    return this.#writing;
  }
}
