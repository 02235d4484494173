/**
 * What the ingress plugins share: ffmpeg demuxes the source, and its output is published.
 *
 * @module
 */
import { QumoError } from "../../base/errors.ts";
import { formatDuration } from "../../base/units.ts";
import { duration, oneOf, text } from "../../config/fields.ts";
import { FfmpegFailed } from "../ffmpeg/errors.ts";
import { MediaProcess } from "../ffmpeg/media_process.ts";
import { audioCodec, LIVE_FMP4, videoCodec } from "../ffmpeg/output.ts";
import { MediaError } from "../../media/media_error.ts";
import { MediaPublisher } from "../../media/broadcast/media_publisher.ts";
import type { PluginContext } from "../plugin.ts";

/** The source gives nothing that can be published, or no longer does. */
export class SourceFailed extends QumoError {
  readonly code = "QUMO_SOURCE_FAILED";
}

const VIDEO = ["copy", "h264", "h265", "vp9", "av1", "none"] as const;
const AUDIO = ["copy", "aac", "opus", "none"] as const;

/** The option that every ingress plugin has. */
export const BROADCAST = {
  broadcast: text("Path of the broadcast the media is published as.", { example: "cam" }),
};

/** Options of plugins that can carry media as it is. */
export const CODECS = {
  video: oneOf(
    VIDEO,
    "copy",
    "`copy` carries H.264, H.265, VP9 and AV1 as they are; a name encodes anew; `none` leaves video out.",
  ),
  audio: oneOf(
    AUDIO,
    "copy",
    "`copy` carries AAC and Opus as they are; a name encodes anew; `none` leaves audio out.",
  ),
};

/** The option of plugins whose source can fall silent. */
export const TIMEOUT = {
  timeout: duration(
    { min: "1s", max: "10m", byDefault: "10s" },
    "A source that gives nothing for so long is given up: the broadcast is withdrawn, and it is tried again.",
  ),
};

/** One run of ffmpeg over a source. */
export interface Source {
  /** Its name for people, without credentials: "the camera at rtsp://10.0.0.7/live". */
  readonly what: string;
  /** Options of ffmpeg up to its `-i`. */
  readonly input: readonly string[];
  readonly video: (typeof VIDEO)[number];
  readonly audio: (typeof AUDIO)[number];
  /**
   * The source may be MPEG-TS. Its AAC (ADTS) needs a filter that fails for every other codec. After a run without media the
   * other way is tried: at once where the source is pulled.
   */
  readonly mpegTs?: { aac: boolean; readonly pulled?: boolean };
  /** Which input the audio comes from. Default 0, that of the video. */
  readonly audioInput?: number;
  /** Further options of the output. */
  readonly output?: readonly string[];
  readonly secrets?: readonly string[];
  /** Longest silence once media flows, in milliseconds. */
  readonly timeoutMs?: number;
  /** Longest silence before the first frame, in milliseconds. Default: no limit. */
  readonly firstFrameMs?: number;
  /** Media comes faster than it is shown, and is held back. */
  readonly paced?: boolean;
  /** Added to ffmpeg's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What ffmpeg reads from its standard input. */
  readonly stdin?: () => AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** The publisher of an ingress plugin. */
export function publisherOf(ctx: PluginContext, broadcast: string): MediaPublisher {
  const { client, stats, clock, log } = ctx;
  return new MediaPublisher({ client, path: broadcast, stats, clock, log });
}

/**
 * Publishes a source until it ends, or the instance does. The broadcast stays announced.
 * @returns How many frames there were.
 * @throws {SourceFailed} What is wrong and, where that is known, what to do. @throws {FfmpegMissing}
 */
export async function ingest(
  ctx: PluginContext,
  publisher: MediaPublisher,
  source: Source,
): Promise<number> {
  const { mpegTs } = source;
  for (let tries = 1;; tries++) {
    const run = { gaveMedia: false };
    try {
      return await ingestOnce(ctx, publisher, source, run);
    } catch (error) {
      if (mpegTs === undefined || source.audio !== "copy" || run.gaveMedia) throw error;
      mpegTs.aac = !mpegTs.aac;
      if (mpegTs.pulled !== true || tries === 2) throw error;
    }
  }
}

async function ingestOnce(
  ctx: PluginContext,
  publisher: MediaPublisher,
  source: Source,
  run: { gaveMedia: boolean },
): Promise<number> {
  const adts = source.mpegTs?.aac === true && source.audio === "copy";
  const silent = new AbortController();
  const signal = AbortSignal.any([ctx.signal, silent.signal]);
  const video = source.video === "none" ? ["-vn"] : ["-map", "0:V:0?", ...videoCodec(source.video)];
  const sound = `${source.audioInput ?? 0}:a:0?`;
  const audio = source.audio === "none" ? ["-an"] : ["-map", sound, ...audioCodec(source.audio)];
  await using ffmpeg = MediaProcess.start({
    // Damaged packets are dropped: the rest can be decoded.
    args: [
      ...["-fflags", "+genpts+discardcorrupt", ...source.input],
      ...[
        ...video,
        ...audio,
        ...(adts ? ["-bsf:a", "aac_adtstoasc"] : []),
        "-sn",
        "-dn",
        "-map_metadata",
        "-1",
      ],
      // Video does not wait for audio that has fallen silent.
      ...["-max_interleave_delta", "1000000", ...(source.output ?? []), ...LIVE_FMP4],
    ],
    signal,
    input: source.stdin !== undefined,
    ...(source.env === undefined ? {} : { env: source.env }),
    ...(source.secrets === undefined ? {} : { secrets: source.secrets }),
  });
  if (source.stdin !== undefined) void feed(ffmpeg, source.stdin());
  const watch = new SilenceWatch(ctx, source, () => silent.abort());
  try {
    const frames = await publisher.stream(watch.through(ffmpeg.stdout), {
      signal,
      strict: true,
      paced: source.paced ?? false,
      onlive: () => ctx.status(undefined),
    });
    if (ctx.signal.aborted) return frames;
    if (silent.signal.aborted) throw new SourceFailed(watch.reason(ffmpeg.complaint));
    await ffmpeg.done();
    return frames;
  } catch (error) {
    if (ctx.signal.aborted) return 0;
    if (error instanceof SourceFailed) throw error;
    throw await explained(error, ffmpeg, source);
  } finally {
    run.gaveMedia = watch.seen;
    watch.end();
  }
}

/** Writes as fast as ffmpeg reads. Ends with its input, or with the process. */
async function feed(ffmpeg: MediaProcess, bytes: AsyncIterable<Uint8Array<ArrayBuffer>>) {
  try {
    for await (const part of bytes) await ffmpeg.write(part);
  } catch { // The end of the process tells of it, or the source of the bytes does.
  } finally {
    await ffmpeg.endInput();
  }
}

/** The error with its cause: an error of the media follows from one of ffmpeg. */
async function explained(error: unknown, ffmpeg: MediaProcess, source: Source): Promise<unknown> {
  if (!(error instanceof MediaError) && !(error instanceof FfmpegFailed)) return error;
  const began = `Cannot publish ${source.what}`;
  if (error instanceof MediaError && /Cannot carry/.test(error.message)) {
    return new SourceFailed(`${began}: ${error.message}; ${TRANSCODE_HINT}`, { cause: error });
  }
  await ffmpeg.ended;
  const why = ffmpeg.complaint || (error instanceof FfmpegFailed ? error.reason : error.message);
  const hint =
    /Could not find tag for codec|codec not currently supported|not supported in/i.test(why)
      ? `; ${TRANSCODE_HINT}`
      : /401|Unauthorized|403 Forbidden/i.test(why)
      ? "; check its user name and password"
      : "";
  return new SourceFailed(`${began}: ${why || "it gave no media"}${hint}`, { cause: error });
}

const TRANSCODE_HINT =
  "have it encoded anew with the options `video` (h264, h265, vp9, av1) and `audio` (aac, opus), or left out with `none`";

/** Notices when a source gives nothing for too long. */
class SilenceWatch {
  readonly #ctx: PluginContext;
  readonly #source: Source;
  readonly #give: () => void;
  #cancel = () => {};
  #seen = false;
  #over = false;

  constructor(ctx: PluginContext, source: Source, giveUp: () => void) {
    this.#ctx = ctx;
    this.#source = source;
    this.#give = giveUp;
    this.#arm();
  }

  through(bytes: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array> {
    const look = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        this.#seen = true;
        this.#arm();
        controller.enqueue(chunk);
      },
    });
    return bytes.pipeThrough(look);
  }

  /** Whether anything has come. */
  get seen(): boolean {
    return this.#seen;
  }

  reason(complaint: string): string {
    const { what, timeoutMs = 0, firstFrameMs = 0 } = this.#source;
    const waited = formatDuration(this.#seen ? timeoutMs : firstFrameMs);
    const said = complaint === "" ? "" : ` (${complaint})`;
    return `Cannot publish ${what}: it gave ${
      this.#seen ? "nothing more" : "no media"
    } for ${waited}${said}`;
  }

  end(): void {
    this.#over = true;
    this.#cancel();
  }

  #arm(): void {
    this.#cancel();
    const ms = this.#seen ? this.#source.timeoutMs : this.#source.firstFrameMs;
    if (ms !== undefined && !this.#over) this.#cancel = this.#ctx.clock.after(ms, this.#give);
  }
}
