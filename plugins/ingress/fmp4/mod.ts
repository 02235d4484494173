/** Plays a fragmented MP4 file without any other program. */
import { reasonOf } from "../../../base/errors.ts";
import { flag, text } from "../../../config/fields.ts";
import { options } from "../../options.ts";
import type { Plugin, PluginContext, PluginDefinition } from "../../plugin.ts";
import { BROADCAST, publisherOf, SourceFailed } from "../ingest.ts";

const OPTIONS = options({
  path: text("The file. A relative path starts at the working directory.", {
    example: "media/film.mp4",
  }),
  ...BROADCAST,
  loop: flag(true, "Begin again at the end; else the broadcast is over with the file."),
});
type Options = ReturnType<typeof OPTIONS.read>;

export const fmp4: PluginDefinition = {
  kind: "ingress",
  name: "fmp4",
  summary: "Plays a fragmented MP4 file at its own speed; needs no ffmpeg.",
  options: OPTIONS,
  create: () => new Fmp4(),
};

class Fmp4 implements Plugin {
  #options!: Options;

  initialize(_: PluginContext, config: unknown): void {
    this.#options = OPTIONS.read(config);
  }

  async run(ctx: PluginContext): Promise<void> {
    const { path, broadcast, loop } = this.#options;
    using publisher = publisherOf(ctx, broadcast);
    do {
      try {
        const opened = await Deno.open(path);
        const frames = await publisher.stream(opened.readable, { signal: ctx.signal, paced: true });
        if (frames === 0 && !ctx.signal.aborted) throw new SourceFailed("there is no frame in it");
      } catch (cause) {
        throw new SourceFailed(`Cannot play ${path}: ${reasonOf(cause)}`, { cause });
      }
    } while (loop && !ctx.signal.aborted);
  }

  stop(): void {}
}
