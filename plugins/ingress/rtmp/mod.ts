/** Takes what OBS and other encoders push over RTMP. */
import { formatAddress } from "../../../config/address.ts";
import { secret, text } from "../../../config/fields.ts";
import { options } from "../../options.ts";
import type { Plugin, PluginContext, PluginDefinition } from "../../plugin.ts";
import { BROADCAST, CODECS, publisherOf, TIMEOUT } from "../ingest.ts";
import { listen } from "../listen.ts";
import { guarded, listenAddress, listenOptions } from "../listen_address.ts";

const PORT = 1935;
const DECLARED = options({
  ...listenOptions(PORT, "TCP", "key"),
  ...BROADCAST,
  app: text("First part of the path publishers use: `rtmp://HOST:1935/APP/KEY`.", {
    byDefault: "live",
  }),
  key: secret(
    "Stream key publishers have to know. Without one everybody may publish who reaches `listen`.",
    {
      example: "…",
    },
  ),
  ...CODECS,
  ...TIMEOUT,
});
const OPTIONS = guarded(DECLARED, "key", ({ key }) => key);
type Options = ReturnType<typeof OPTIONS.read>;

export const rtmp: PluginDefinition = {
  kind: "ingress",
  name: "rtmp",
  summary: "Listens for an RTMP publisher, such as OBS.",
  options: OPTIONS,
  create: () => new Rtmp(),
};

class Rtmp implements Plugin {
  #options!: Options;

  initialize(_: PluginContext, config: unknown): void {
    this.#options = OPTIONS.read(config);
  }

  async run(ctx: PluginContext): Promise<void> {
    const { broadcast, app, key, video, audio, timeout } = this.#options;
    const at = listenAddress(this.#options, PORT, key);
    using publisher = publisherOf(ctx, broadcast);
    const what = `rtmp://${formatAddress(at)}/${app}`;
    await listen(ctx, publisher, {
      what,
      input: [
        // Two streams are announced with the first bytes: nothing is gained by looking for longer.
        ...["-analyzeduration", "1000000", "-f", "flv", "-listen", "1"],
        ...["-i", key === undefined ? what : `${what}/${key}`],
      ],
      video,
      audio,
      timeoutMs: timeout,
      secrets: key === undefined ? [] : [key],
      // ffmpeg only remarks on another application or key than it was told.
      logLevel: "warning",
      refuse(complaint) {
        if (key === undefined) return undefined;
        if (/Unexpected stream/.test(complaint)) return "its stream key is not the right one";
        if (/App field don't match/.test(complaint)) return `it does not publish to /${app}`;
        return undefined;
      },
    });
  }

  stop(): void {}
}
