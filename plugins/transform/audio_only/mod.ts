/** A broadcast with the sound of another one alone. */
import { options } from "../../options.ts";
import type { Plugin, PluginContext, PluginDefinition } from "../../plugin.ts";
import { broadcastOptions, checkNames, follow, type Job } from "../follow.ts";
import { carryAll } from "../carry.ts";

const OPTIONS = options(broadcastOptions("{name}-audio"));
type Options = ReturnType<typeof OPTIONS.read>;

export const audioOnly: PluginDefinition = {
  kind: "transform",
  name: "audio-only",
  summary: "Publishes the sound of a broadcast without its picture, as it is.",
  options: OPTIONS,
  create: () => new AudioOnly(),
};

class AudioOnly implements Plugin {
  #options!: Options;

  initialize(_: PluginContext, config: unknown): void {
    this.#options = OPTIONS.read(config);
    checkNames(this.#options);
  }

  run(ctx: PluginContext): Promise<void> {
    return follow(ctx, this.#options, (job: Job) =>
      carryAll(ctx, job, {
        choose: (renditions) => renditions.filter(({ kind }) => kind === "audio"),
        none: "it has no sound",
      }));
  }

  stop(): void {}
}
