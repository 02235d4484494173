/** Plays a fragmented MP4 file without any other program. */
import { reasonOf } from "../../../base/errors.ts";
import { flag, text } from "../../../config/fields.ts";
import { plugin } from "../../plugin.ts";
import { BROADCAST, publisherOf, SourceFailed } from "../ingest.ts";

export const fmp4 = plugin({
  kind: "ingress",
  name: "fmp4",
  summary: "Plays a fragmented MP4 file at its own speed; needs no ffmpeg.",
  options: {
    path: text("The file. A relative path starts at the working directory.", {
      example: "media/film.mp4",
    }),
    ...BROADCAST,
    loop: flag(true, "Begin again at the end; else the broadcast is over with the file."),
  },
  async run(ctx, options) {
    const { path, broadcast, loop } = options;
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
  },
});
