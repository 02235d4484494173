/** Takes MPEG-TS that encoders push over SRT. */
import { z } from "zod";
import { formatAddress } from "../../../config/address.ts";
import { duration, secret } from "../../../config/fields.ts";
import { checkedTogether, options } from "../../options.ts";
import type { Plugin, PluginContext, PluginDefinition } from "../../plugin.ts";
import { BROADCAST, CODECS, publisherOf, TIMEOUT } from "../ingest.ts";
import { listen } from "../listen.ts";
import { guarded, listenAddress, listenOptions } from "../listen_address.ts";

/** Of SRT itself (SRTO_PASSPHRASE). */
const PASSPHRASE = z.string().min(10).max(79);

const PORT = 8890;
const DECLARED = options({
  ...listenOptions(PORT, "UDP", "passphrase"),
  ...BROADCAST,
  passphrase: secret(
    "Publishers have to know it, and it encrypts what they send: 10 to 79 characters. Without one everybody may publish who reaches `listen`.",
    { example: "…" },
  ),
  latency: duration(
    { min: "20ms", max: "10s", byDefault: "120ms" },
    "How long lost packets are waited for; four times the round trip is usual.",
  ),
  ...CODECS,
  ...TIMEOUT,
});
const OPTIONS = checkedTogether(
  guarded(DECLARED, "passphrase", ({ passphrase }) => passphrase),
  ({ passphrase }) =>
    passphrase === undefined || PASSPHRASE.safeParse(passphrase).success
      ? []
      : [{ path: ["passphrase"], message: "expected 10 to 79 characters, as SRT demands" }],
);
type Options = ReturnType<typeof OPTIONS.read>;

export const srt: PluginDefinition = {
  kind: "ingress",
  name: "srt",
  summary: "Listens for an SRT publisher that sends MPEG-TS.",
  options: OPTIONS,
  create: () => new Srt(),
};

class Srt implements Plugin {
  #options!: Options;

  initialize(_: PluginContext, config: unknown): void {
    this.#options = OPTIONS.read(config);
  }

  async run(ctx: PluginContext): Promise<void> {
    const { broadcast, passphrase, latency, video, audio, timeout } = this.#options;
    const at = listenAddress(this.#options, PORT, passphrase);
    using publisher = publisherOf(ctx, broadcast);
    const what = `srt://${formatAddress(at)}`;
    await listen(ctx, publisher, {
      what,
      input: [
        ...["-analyzeduration", "1000000", "-f", "mpegts", "-mode", "listener"],
        ...["-latency", String(latency * 1000)],
        ...(passphrase === undefined ? [] : ["-passphrase", passphrase]),
        ...["-i", what],
      ],
      video,
      audio,
      mpegTs: { aac: true },
      timeoutMs: timeout,
      secrets: passphrase === undefined ? [] : [passphrase],
    });
  }

  stop(): void {}
}
