/** Publishes small still pictures of a broadcast, by MoQ and by HTTP. */
import { reasonOf } from "../../../base/errors.ts";
import { duration, integer, text } from "../../../config/fields.ts";
import { FfmpegFailed } from "../../ffmpeg/errors.ts";
import type { OptionsOf } from "../../options.ts";
import { plugin, type PluginContext } from "../../plugin.ts";
import { best } from "../encode_broadcast.ts";
import { broadcastOptions, eachInput, type Job, nameProblems } from "../inputs.ts";
import { TransformOutput } from "../output.ts";
import { eachCatalog } from "../../../media/broadcast/each_catalog.ts";
import { jpegOf } from "./jpeg.ts";
import { Pictures } from "./pictures.ts";
import type { MediaFrame, VideoRendition } from "../../../media/rendition.ts";

/** Each frame of it is a JPEG file and a group of its own. */
export const THUMBNAIL_TRACK = "thumbnail.jpg";
/** So many keyframes in a row that cannot be decoded fail the work. */
const MAX_FAILURES = 5;

const OPTIONS = {
  ...broadcastOptions("{name}-thumbnail"),
  every: duration(
    { min: "0s", max: "1h", byDefault: "5s" },
    "How long one is shown at least; `0s` makes one of every key frame. They are made of key frames alone.",
  ),
  width: integer({ min: 16, max: 3840, byDefault: 320 }, "In pixels; the height follows."),
  quality: integer({ min: 2, max: 31, byDefault: 5 }, "2 is the best, 31 the smallest file."),
  path: text("Where they are found by HTTP: `/thumbnail/NAME.jpg`. `none` turns that off.", {
    byDefault: "/thumbnail",
  }),
};

export const thumbnail = plugin({
  kind: "transform",
  name: "thumbnail",
  summary: "Publishes small JPEG pictures of a broadcast, as a track and by HTTP.",
  options: OPTIONS,
  check: nameProblems,
  async run(ctx, options) {
    const { path, every } = options;
    const pictures = new Pictures(ctx, path, every);
    using _ = path === "none"
      ? undefined
      : ctx.http.route(path, (request) => pictures.answer(request));
    await eachInput(ctx, options, (job) => makePictures({ ctx, job, pictures, options }));
  },
});

/** What it takes to make the pictures of one broadcast. */
interface Making {
  readonly ctx: PluginContext;
  readonly job: Job;
  readonly pictures: Pictures;
  readonly options: OptionsOf<typeof OPTIONS>;
}

async function makePictures(making: Making): Promise<void> {
  const { ctx, job, pictures } = making;
  using output = new TransformOutput(ctx, job.output);
  const choose = (all: Parameters<typeof best>[0]) =>
    [best(all)].filter((one) => one !== undefined);
  try {
    await eachCatalog(job.live, { signal: job.signal, choose }, async ([source], signal) => {
      job.status(source === undefined ? "it has no picture" : undefined);
      if (source?.kind !== "video") return;
      await ofKeyframes(making, source, output, signal);
    });
  } finally {
    pictures.forget(job.input);
  }
}

async function ofKeyframes(
  { ctx, job, pictures, options }: Making,
  source: VideoRendition,
  output: TransformOutput,
  signal: AbortSignal,
): Promise<void> {
  const { stats, clock } = ctx;
  const { every, width, quality } = options;
  const onskipped = (count: number) => {
    if (!signal.aborted) stats.skipped += count;
  };
  let lastMs = -Infinity;
  let failures = 0;
  let failure: unknown;
  let making: Promise<void> | undefined;
  const make = async (frame: MediaFrame) => {
    const cameMs = clock.now();
    try {
      const jpeg = await jpegOf(source, frame, { width, quality, signal });
      if (!output.live) describe(output, job.input);
      const { timestampUs } = frame;
      output.raw(THUMBNAIL_TRACK, { timestampUs, opens: true, endsGroup: true, payload: jpeg });
      pictures.keep(job.input, jpeg);
      stats.latencyMs = clock.now() - cameMs;
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      stats.skipped++;
      ctx.log.debug("a key frame cannot be decoded", { reason: reasonOf(error) });
      // A single keyframe may be damaged.
      if (!(error instanceof FfmpegFailed) || ++failures >= MAX_FAILURES) failure = error;
    }
  };
  for await (const frame of job.live.frames(source, { signal, onskipped })) {
    stats.framesIn++;
    stats.bytesIn += frame.payload.length;
    if (failure !== undefined) throw failure;
    const now = clock.now();
    if (!frame.keyframe || making !== undefined || now - lastMs < every) continue;
    lastMs = now;
    // The frames behind it are read meanwhile.
    making = make(frame).finally(() => making = undefined);
  }
  await making;
  if (failure !== undefined) throw failure;
}

/** Names the track of the pictures in a section of its own, which players ignore. */
function describe(output: TransformOutput, of: string): void {
  output.begin(THUMBNAIL_TRACK);
  output.describe([], { thumbnail: { track: THUMBNAIL_TRACK, mime: "image/jpeg", of } });
}
