/** Keeps broadcasts as fragmented MP4 files. */
import { z } from "zod";
import { directory, duration, notes, size } from "../../../config/fields.ts";
import { readInto } from "../../../media/broadcast/read_into.ts";
import { eachBroadcast } from "../../live_set.ts";
import type { OptionsOf } from "../../options.ts";
import { plugin, type PluginContext } from "../../plugin.ts";
import { broadcastPatterns, maxBroadcasts } from "../options.ts";
import { concernsAll, RecordFailed } from "./errors.ts";
import { type OpenNew, PieceFile, recover } from "./files.ts";
import { isTemplate, nameOf, UNFINISHED } from "./names.ts";
import { Recording } from "./recording.ts";
import { prune, unfinished } from "./retention.ts";
import { matcherOf } from "../../../wire/path_pattern.ts";

const GB = 1024 ** 3;
/** How often recordings that are too old are looked for. */
const PRUNE_EVERY_MS = 60_000;

const OPTIONS = {
  broadcasts: broadcastPatterns("Which broadcasts are recorded."),
  max_broadcasts: maxBroadcasts(),
  directory: directory("recordings", "Where the files are; made when it is not there."),
  file: z.string().refine(isTemplate).prefault("{broadcast}/{time}.mp4")
    .describe("Name of a file. `{broadcast}` is its path, `{time}` when it was begun, in UTC.")
    .register(notes, { expects: "a relative path with {time} in it that ends with .mp4" }),
  rotate_after: duration(
    { min: "1s", max: "168h", byDefault: "1h" },
    "A file that is this long is finished at the next keyframe.",
  ),
  rotate_size: size(
    { min: 1024 * 1024, max: 1024 * GB, byDefault: 2 * GB },
    "A file that is this large is finished at the next keyframe.",
  ),
  fragment: duration(
    { min: "100ms", max: "10s", byDefault: "1s" },
    "Media is written in pieces of this length at most: what a crash can cost.",
  ),
  max_age: duration(
    { min: "0s", max: "87600h", byDefault: "0s" },
    "Recordings that were finished longer ago are removed; `0s` keeps them.",
  ),
  max_bytes: size(
    { min: 0, max: 1024 * 1024 * GB, byDefault: 0 },
    "The oldest recordings are removed while all together are larger; 0 keeps them.",
  ),
};
type Options = OptionsOf<typeof OPTIONS>;

/** @param open Opens files; for tests. */
export const recordBy = (open?: OpenNew) =>
  plugin({
    kind: "egress",
    name: "record",
    summary: "Keeps broadcasts as fragmented MP4 files.",
    options: OPTIONS,
    run: (ctx, options) => new Recorder(ctx, options, open).run(),
  });

export const record = recordBy();

class Recorder {
  readonly #ctx: PluginContext;
  readonly #options: Options;
  readonly #open: OpenNew | undefined;
  /** Names used in the newest millisecond. */
  readonly #taken = new Set<string>();
  #newestMs = 0;

  constructor(ctx: PluginContext, options: Options, open: OpenNew | undefined) {
    this.#ctx = ctx;
    this.#options = options;
    this.#open = open;
  }

  async run(): Promise<void> {
    const ctx = this.#ctx;
    const { broadcasts, maxBroadcasts, rotateAfter, rotateSize, fragment } = this.#options;
    const { clock, stats } = ctx;
    await this.#prepare();
    const pruned = new Pruning(ctx, this.#options);
    try {
      const set = {
        wanted: matcherOf(broadcasts),
        maxBroadcasts,
        everyones: concernsAll,
      };
      await eachBroadcast(ctx, set, async (live, signal) => {
        await readInto(live, { signal, stats }, (renditions) =>
          new Recording(renditions, {
            clock,
            rotateAfterMs: rotateAfter,
            rotateBytes: rotateSize,
            fragmentMs: fragment,
            stats,
            newFile: () => this.#newFile(live.path, clock.wallMs()),
            onfinished: ({ path, bytes }) => {
              ctx.recorded({ broadcast: live.path, location: path, bytes });
              pruned.soon();
            },
          }));
      });
    } finally {
      await pruned.end();
    }
  }

  /** @throws {RecordFailed} The directory cannot be written. */
  async #prepare(): Promise<void> {
    const { directory, file } = this.#options;
    try {
      await Deno.mkdir(directory, { recursive: true });
      for (const path of await unfinished(directory, file)) {
        const kept = await recover(path);
        this.#ctx.log.info("a recording was left unfinished", { path, kept });
      }
    } catch (error) {
      throw new RecordFailed(directory, error);
    }
  }

  async #newFile(broadcast: string, wallMs: number): Promise<PieceFile> {
    const { directory, file } = this.#options;
    for (let serial = 0;; serial++) {
      const path = `${directory}/${nameOf(file, broadcast, wallMs, serial)}`;
      if (await exists(path) || await exists(path + UNFINISHED)) continue;
      // The file is made with its first piece: another file may want the name before that.
      if (wallMs > this.#newestMs) this.#taken.clear();
      this.#newestMs = Math.max(wallMs, this.#newestMs);
      if (this.#taken.has(path)) continue;
      this.#taken.add(path);
      return new PieceFile(path, this.#open);
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/** Removes recordings that are too old or too many: at the start, when a file is finished, and every minute. */
class Pruning {
  readonly #ctx: PluginContext;
  readonly #options: Options;
  #running: Promise<void> = Promise.resolve();
  #cancel = () => {};
  #over = false;

  constructor(ctx: PluginContext, options: Options) {
    this.#ctx = ctx;
    this.#options = options;
    this.soon();
  }

  soon(): void {
    if (this.#over) return;
    this.#cancel();
    this.#running = this.#running.then(() => this.#prune());
    this.#cancel = this.#ctx.clock.after(PRUNE_EVERY_MS, () => this.soon());
  }

  async end(): Promise<void> {
    this.#over = true;
    this.#cancel();
    await this.#running;
  }

  async #prune(): Promise<void> {
    const { directory, file, maxAge, maxBytes } = this.#options;
    const { clock, log, stats } = this.#ctx;
    try {
      const keep = { maxAgeMs: maxAge, maxBytes };
      const removed = await prune(directory, file, keep, clock.wallMs());
      if (removed > 0) log.info("old recordings were removed", { removed });
    } catch (error) {
      stats.errors++;
      log.warn("an old recording cannot be removed", {
        reason: new RecordFailed(directory, error).message,
      });
    }
  }
}
