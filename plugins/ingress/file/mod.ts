/** Plays a file of any format that holds media. */
import { flag, text } from "../../../config/fields.ts";
import { fileInput } from "../../ffmpeg/input.ts";
import { options } from "../../options.ts";
import type { Plugin, PluginContext, PluginDefinition } from "../../plugin.ts";
import { BROADCAST, CODECS, ingest, publisherOf } from "../ingest.ts";

const OPTIONS = options({
  path: text("The file. A relative path starts at the working directory.", {
    example: "media/film.mkv",
  }),
  ...BROADCAST,
  loop: flag(true, "Begin again at the end; else the broadcast is over with the file."),
  ...CODECS,
});
type Options = ReturnType<typeof OPTIONS.read>;

export const file: PluginDefinition = {
  kind: "ingress",
  name: "file",
  summary: "Plays a file of any format that holds media, at its own speed.",
  options: OPTIONS,
  create: () => new File(),
};

class File implements Plugin {
  #options!: Options;

  initialize(_: PluginContext, config: unknown): void {
    this.#options = OPTIONS.read(config);
  }

  async run(ctx: PluginContext): Promise<void> {
    const { path, broadcast, loop, video, audio } = this.#options;
    using publisher = publisherOf(ctx, broadcast);
    await ingest(ctx, publisher, {
      what: `the file ${path}`,
      input: [...(loop ? ["-stream_loop", "-1"] : []), "-re", ...fileInput(path)],
      video,
      audio,
      timeoutMs: 30_000,
      firstFrameMs: 30_000,
    });
  }

  stop(): void {}
}
