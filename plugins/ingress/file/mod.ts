/** Plays a file of any format that holds media. */
import { flag, text } from "../../../config/fields.ts";
import { fileInput } from "../../ffmpeg/input.ts";
import { plugin } from "../../plugin.ts";
import { BROADCAST, CODECS, ingest, publisherOf } from "../ingest.ts";

export const file = plugin({
  kind: "ingress",
  name: "file",
  summary: "Plays a file of any format that holds media, at its own speed.",
  options: {
    path: text("The file. A relative path starts at the working directory.", {
      example: "media/film.mkv",
    }),
    ...BROADCAST,
    loop: flag(true, "Begin again at the end; else the broadcast is over with the file."),
    ...CODECS,
  },
  async run(ctx, options) {
    const { path, broadcast, loop, video, audio } = options;
    using publisher = publisherOf(ctx, broadcast);
    await ingest(ctx, publisher, {
      what: `the file ${path}`,
      input: [...(loop ? ["-stream_loop", "-1"] : []), ...fileInput(path)],
      // Read ahead, and put in order: in some files sound and picture of the same time lie seconds apart.
      paced: true,
      output: ["-max_interleave_delta", "10000000"],
      video,
      audio,
      timeoutMs: 30_000,
      firstFrameMs: 30_000,
    });
  },
});
