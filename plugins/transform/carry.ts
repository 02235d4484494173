import type { LiveMedia } from "../../media/broadcast/live_media.ts";
import type { PluginContext, PluginStats } from "../plugin.ts";
import type { Job } from "./inputs.ts";
import { TransformOutput } from "./output.ts";
import { eachCatalog } from "../../media/broadcast/each_catalog.ts";
import type { MediaFrame, Rendition } from "../../media/rendition.ts";

export interface CarryOptions {
  readonly signal: AbortSignal;
  readonly stats: PluginStats;
}

/** A frame, and its place in the groups of the output. */
export interface CarriedFrame extends MediaFrame {
  readonly opens: boolean;
  readonly endsGroup: boolean;
}

/** The frames of a rendition as they are: counted, and without those that depend on a missing frame. */
export async function* carried(
  live: LiveMedia,
  rendition: Rendition,
  { signal, stats }: CarryOptions,
): AsyncGenerator<CarriedFrame> {
  const audio = rendition.kind === "audio";
  let group: number | undefined;
  let awaitsKeyframe = true;
  const onskipped = (count: number) => {
    if (signal.aborted) return;
    stats.skipped += count;
    awaitsKeyframe = true;
  };
  for await (const frame of live.frames(rendition, { signal, onskipped })) {
    stats.framesIn++;
    stats.bytesIn += frame.payload.length;
    if (awaitsKeyframe && !frame.keyframe) {
      stats.skipped++;
      continue;
    }
    const opens = audio || frame.group !== group || awaitsKeyframe;
    awaitsKeyframe = false;
    group = frame.group;
    yield { ...frame, opens, endsGroup: audio };
  }
}

/**
 * Publishes some renditions of a broadcast as another one.
 * @param options.none What the status says of a broadcast that has none of them.
 */
export async function carryAll(
  ctx: PluginContext,
  job: Job,
  options: {
    readonly choose: (renditions: readonly Rendition[]) => readonly Rendition[];
    readonly none: string;
  },
): Promise<void> {
  const { stats, clock } = ctx;
  using output = new TransformOutput(ctx, job.output);
  const { choose } = options;
  await eachCatalog(job.live, { signal: job.signal, choose }, async (chosen, signal) => {
    job.status(chosen.length === 0 ? options.none : undefined);
    if (chosen.length === 0) return;
    output.describe(chosen);
    await Promise.all(chosen.map(async (rendition) => {
      for await (const frame of carried(job.live, rendition, { signal, stats })) {
        const cameMs = clock.now();
        output.frame(rendition.name, frame);
        stats.latencyMs = clock.now() - cameMs;
      }
    }));
  });
}
