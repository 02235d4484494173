/** Archives broadcasts as CMAF segments and HLS playlists in any S3-compatible store. */
import { z } from "zod";
import { reasonOf } from "../../../base/errors.ts";
import { duration, notes, secret, size, text, url } from "../../../config/fields.ts";
import { PluginOptionsWrong } from "../../errors.ts";
import { readInto } from "../../../media/broadcast/read_into.ts";
import { eachBroadcast } from "../../live_set.ts";
import { sleep } from "../../../base/sleep.ts";
import type { OptionsOf } from "../../options.ts";
import { StatusLines } from "../../status_lines.ts";
import { plugin, type PluginContext } from "../../plugin.ts";
import { broadcastPatterns, maxBroadcasts } from "../options.ts";
import { filePath } from "../file_name.ts";
import { BucketArchive } from "./archive.ts";
import { Bucket } from "./bucket.ts";
import { sweep } from "./sweep.ts";
import { Uploads } from "./upload.ts";
import { matcherOf } from "../../../wire/path_pattern.ts";

const MB = 1024 * 1024;
/** How long storing may go on while the program ends. */
const LAST_MS = 4_000;
const SWEEP_END_MS = 500;
const SWEEP_EVERY_MS = 10 * 60_000;

const OPTIONS = {
  broadcasts: broadcastPatterns("Which broadcasts are archived."),
  max_broadcasts: maxBroadcasts(),
  endpoint: url(["http", "https"], "The store: `https://s3.eu-central-1.amazonaws.com`.", {
    example: "http://127.0.0.1:9000",
  }),
  bucket: text("The bucket; it has to be there.", { example: "archive" }),
  region: text("The store's region.", { byDefault: "us-east-1" }),
  prefix: z.string().regex(/^([^/]+\/)*$/).refine((key) =>
    new TextEncoder().encode(key).length <= 256
  )
    .prefault("")
    .describe("What every key begins with: `archive/`. The broadcast's path comes behind it.")
    .register(notes, { expects: "a text of at most 256 bytes that is empty or ends with a slash" }),
  access_key_id: secret("Without one it is taken from AWS_ACCESS_KEY_ID of the environment."),
  secret_access_key: secret(
    "Without one it is taken from AWS_SECRET_ACCESS_KEY of the environment.",
  ),
  segment: duration(
    { min: "1s", max: "30s", byDefault: "6s" },
    "Segments end at the first keyframe about this far behind their first.",
  ),
  window: duration(
    { min: "0s", max: "8760h", byDefault: "24h" },
    "How far back playlists reach; older segments stay in the bucket. `0s` is to the beginning.",
  ),
  retention: duration(
    { min: "0s", max: "87600h", byDefault: "0s" },
    "Segments that are older are removed from the bucket; `0s` keeps them.",
  ),
  request_timeout: duration(
    { min: "1s", max: "1h", byDefault: "60s" },
    "A request that has no answer by then is made again.",
  ),
  max_waiting: size(
    { min: MB, max: 16 * 1024 * MB, byDefault: 128 * MB },
    "Media that may wait while the bucket cannot be reached; past that, a broadcast with more than its share fails.",
  ),
};
type Options = OptionsOf<typeof OPTIONS>;

export const s3 = plugin({
  kind: "egress",
  name: "s3",
  summary: "Archives broadcasts as CMAF segments and HLS playlists in an S3-compatible store.",
  options: OPTIONS,
  initialize: (_, options) => void bucketOf(options),
  async run(ctx, options) {
    const { broadcasts, maxBroadcasts, prefix, segment, window, maxWaiting } = options;
    const { clock, log, stats } = ctx;
    const bucket = bucketOf(options);
    await bucket.check(prefix);
    const lines = new StatusLines(ctx.status);
    const uploads = new Uploads(ctx, lines, maxWaiting);
    const archives = new Set<BucketArchive>();
    const giveUp = new AbortController();
    const ended = new AbortController();
    const last = () => clock.after(LAST_MS, () => giveUp.abort());
    ctx.signal.addEventListener("abort", last, { once: true });
    const signal = ctx.signal;
    const sweeping = sweepOften(
      ctx,
      options,
      bucket,
      archives,
      AbortSignal.any([signal, ended.signal]),
    );
    try {
      const wanted = matcherOf(broadcasts);
      const set = { wanted, maxBroadcasts, lines };
      await eachBroadcast(ctx, set, async (live, signal, tell) => {
        const key = `${prefix}${filePath(live.path)}/`;
        const archive = new BucketArchive({
          ...{ bucket, uploads, clock, log, stats },
          prefix: key,
          segmentMs: segment,
          windowMs: window,
          giveUp: giveUp.signal,
          segmentBytes: maxWaiting / 4,
        });
        archives.add(archive);
        try {
          await readInto(live, { signal, stats }, (renditions) => archive.begin(renditions));
        } catch (error) {
          // Segments that wait are still stored, which may take long.
          tell(reasonOf(error));
          throw error;
        } finally {
          try {
            const bytes = await archive.end();
            const location = `s3://${options.bucket}/${key}master.m3u8`;
            if (bytes !== undefined) ctx.recorded({ broadcast: live.path, location, bytes });
          } finally {
            archives.delete(archive);
          }
        }
      });
    } finally {
      ended.abort();
      // Its requests may take longer than there is time.
      await Promise.race([sweeping, sleep(SWEEP_END_MS)]);
    }
  },
});

/** @throws {PluginOptionsWrong} There are no credentials. */
function bucketOf(options: Options): Bucket {
  const accessKeyId = options.accessKeyId ?? Deno.env.get("AWS_ACCESS_KEY_ID");
  const secretAccessKey = options.secretAccessKey ?? Deno.env.get("AWS_SECRET_ACCESS_KEY");
  if (!accessKeyId || !secretAccessKey) {
    const message = "not given, nor is AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY in the " +
      "environment";
    const key = accessKeyId ? "secret_access_key" : "access_key_id";
    throw new PluginOptionsWrong([{ path: [key], message }]);
  }
  return new Bucket({ ...options, accessKeyId, secretAccessKey });
}

async function sweepOften(
  ctx: PluginContext,
  { prefix, retention }: Options,
  bucket: Bucket,
  archives: Set<BucketArchive>,
  signal: AbortSignal,
): Promise<void> {
  while (retention > 0 && !signal.aborted) {
    try {
      const beforeMs = ctx.clock.wallMs() - retention;
      const removed = await sweep(bucket, prefix, beforeMs, archives);
      if (removed > 0) ctx.log.info("old segments were removed", { removed });
    } catch (error) {
      ctx.stats.errors++;
      ctx.log.warn("old segments cannot be removed", { reason: reasonOf(error) });
    }
    await sleep(Math.min(SWEEP_EVERY_MS, retention), signal);
  }
}
