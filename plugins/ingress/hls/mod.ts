/** Pulls an HLS playlist. */
import { flag, url } from "../../../config/fields.ts";
import { options } from "../../options.ts";
import type { Plugin, PluginContext, PluginDefinition } from "../../plugin.ts";
import { BROADCAST, CODECS, ingest, publisherOf, TIMEOUT } from "../ingest.ts";

const OPTIONS = options({
  url: url(["http", "https"], "Address of the playlist.", {
    example: "https://example.com/live/index.m3u8",
  }),
  ...BROADCAST,
  loop: flag(false, "Begin again when a playlist that ends has been played."),
  ...CODECS,
  ...TIMEOUT,
});
type Options = ReturnType<typeof OPTIONS.read>;

export const hls: PluginDefinition = {
  kind: "ingress",
  name: "hls",
  summary: "Pulls an HLS playlist, live or recorded, at its own speed.",
  options: OPTIONS,
  create: () => new Hls(),
};

/** Segments are this long at most, in milliseconds: so long nothing may come. */
const SEGMENT_MS = 30_000;

class Hls implements Plugin {
  #options!: Options;

  initialize(_: PluginContext, config: unknown): void {
    this.#options = OPTIONS.read(config);
  }

  async run(ctx: PluginContext): Promise<void> {
    const { url, broadcast, loop, video, audio, timeout } = this.#options;
    using publisher = publisherOf(ctx, broadcast);
    const { origin, pathname } = new URL(url);
    const what = `the playlist ${origin}${pathname}`;
    const waitUs = String(timeout * 1000);
    ctx.status(`reading ${what}`);
    do {
      await ingest(ctx, publisher, {
        what,
        input: ["-rw_timeout", waitUs, "-live_start_index", "-2", "-i", url],
        video,
        audio,
        mpegTs: { aac: true, pulled: true },
        // Segments come at once; viewers get them in time.
        paced: true,
        firstFrameMs: timeout + SEGMENT_MS,
      });
    } while (loop && !ctx.signal.aborted);
  }

  stop(): void {}
}
