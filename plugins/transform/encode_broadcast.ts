/**
 * Publishes a broadcast again: ffmpeg encodes its video, the rest stays as it is.
 *
 * @module
 */
import type { InitEvent } from "../../media/mp4/media_track.ts";
import type { PluginContext } from "../plugin.ts";
import { carried } from "./carry.ts";
import { Encoder } from "./encoder.ts";
import type { Job } from "./inputs.ts";
import { Hold } from "./hold.ts";
import { TransformOutput } from "./output.ts";
import { eachCatalog } from "../../media/broadcast/each_catalog.ts";
import type { Rendition, VideoRendition } from "../../media/rendition.ts";

/** A video rendition that ffmpeg makes. */
export interface Made {
  /** Name of its track. */
  readonly name: string;
  readonly framerate?: number;
  /** In bit/s. */
  readonly bitrate?: number;
}

/** What happens to one version of a catalog. */
export interface Recipe {
  /** Renditions that stay as they are, under these names. */
  readonly carried: readonly { readonly from: Rendition; readonly name: string }[];
  /** What ffmpeg decodes; absent when it has nothing to do. */
  readonly source?: VideoRendition;
  /** What ffmpeg makes of it, in the order of the streams of its output. */
  readonly made: readonly Made[];
  /** Filters and encoders. */
  readonly args: readonly string[];
}

/** The video rendition with the largest height. */
export function best(renditions: readonly Rendition[]): VideoRendition | undefined {
  return renditions.filter((one) => one.kind === "video")
    .reduce<VideoRendition | undefined>(
      (most, one) => most !== undefined && (most.height ?? 0) >= (one.height ?? 0) ? most : one,
      undefined,
    );
}

/**
 * Publishes `job.output` for as long as the input lives.
 * @param recipe What to do with these renditions, or why nothing can be done.
 * @throws {FfmpegFailed} @throws {FfmpegMissing} @throws {MediaError}
 */
export async function encodeBroadcast(
  ctx: PluginContext,
  job: Job,
  recipe: (renditions: readonly Rendition[]) => Recipe | string,
): Promise<void> {
  using output = new TransformOutput(ctx, job.output);
  await eachCatalog(job.live, job, async (renditions, signal) => {
    const how = recipe(renditions);
    job.status(typeof how === "string" ? how : undefined);
    if (typeof how !== "string") await new Pass(ctx, job, how, output, signal).run();
  });
}

/** The work on one version of a catalog. */
class Pass {
  readonly #ctx: PluginContext;
  readonly #job: Job;
  readonly #recipe: Recipe;
  readonly #output: TransformOutput;
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  readonly #hold: Hold;
  /** The catalog of this pass has been published. */
  #described = false;
  #names = new Map<number, string>();

  constructor(
    ctx: PluginContext,
    job: Job,
    recipe: Recipe,
    output: TransformOutput,
    signal: AbortSignal,
  ) {
    this.#ctx = ctx;
    this.#job = job;
    this.#recipe = recipe;
    this.#output = output;
    this.#signal = AbortSignal.any([signal, this.#over.signal]);
    const encoded = recipe.made.map(({ name }) => name);
    this.#hold = new Hold(encoded, (track, frame) => {
      if (this.#described) output.frame(track, frame);
    });
  }

  async run(): Promise<void> {
    const { carried, source } = this.#recipe;
    if (source === undefined) this.#describe([]);
    const works = carried.map(({ from, name }) => this.#carry(from, name));
    if (source !== undefined) works.push(this.#encode(source));
    try {
      await Promise.all(works);
    } finally {
      this.#over.abort();
      await Promise.allSettled(works);
      this.#hold.flush();
    }
  }

  async #carry(from: Rendition, name: string): Promise<void> {
    const { stats, clock } = this.#ctx;
    const held = this.#recipe.source !== undefined;
    for await (const frame of carried(this.#job.live, from, { signal: this.#signal, stats })) {
      if (held) this.#hold.add(name, frame, clock.now());
      else if (this.#described) this.#output.frame(name, frame);
    }
  }

  async #encode(source: VideoRendition): Promise<void> {
    const { stats } = this.#ctx;
    let encoder: Encoder | undefined;
    let awaitsKeyframe = true;
    const onskipped = (count: number) => {
      if (this.#signal.aborted) return;
      stats.skipped += count;
      awaitsKeyframe = true;
    };
    try {
      const frames = this.#job.live.frames(source, { signal: this.#signal, onskipped });
      for await (const frame of frames) {
        stats.framesIn++;
        stats.bytesIn += frame.payload.length;
        if (awaitsKeyframe && !frame.keyframe) {
          stats.skipped++;
          continue;
        }
        if (encoder?.breaksAt(frame)) {
          await encoder.finish();
          encoder = undefined;
        }
        encoder ??= this.#start(source);
        awaitsKeyframe = !await encoder.feed(frame);
        if (awaitsKeyframe) stats.skipped++;
      }
      await encoder?.finish();
    } catch (error) {
      // It failed because this pass was ended.
      if (!this.#signal.aborted) throw error;
    } finally {
      await encoder?.[Symbol.asyncDispose]();
    }
  }

  #start(source: VideoRendition): Encoder {
    const { stats, clock } = this.#ctx;
    const { args } = this.#recipe;
    return new Encoder({
      ...{ source, args, stats, clock, signal: this.#signal },
      ontracks: (tracks) => this.#describe(tracks),
      onframe: (id, { timestampUs, keyframe, payload }) => {
        const name = this.#names.get(id);
        if (name === undefined) return;
        this.#output.frame(name, { timestampUs, opens: keyframe, payload });
        this.#hold.shown(name, timestampUs, clock.now());
      },
    });
  }

  #describe(tracks: InitEvent["tracks"]): void {
    const video = tracks.filter((track) => track.kind === "video");
    const made = this.#recipe.made.flatMap(({ name, framerate, bitrate }, i): Rendition[] => {
      const track = video[i];
      if (track === undefined) return [];
      const { codec, description, width, height } = track;
      return [{
        ...{ kind: "video", container: "legacy", name, codec },
        ...(width !== undefined && { width }),
        ...(height !== undefined && { height }),
        ...(description !== undefined && { description }),
        ...(framerate !== undefined && { framerate, jitterMs: Math.ceil(1000 / framerate) }),
        ...(bitrate !== undefined && { bitrate }),
      }];
    });
    this.#names = new Map(made.map(({ name }, i) => [video[i]!.id, name]));
    const kept = this.#recipe.carried.map(({ from, name }) => ({ ...from, name }));
    this.#output.describe([...made, ...kept]);
    this.#described = true;
  }
}
