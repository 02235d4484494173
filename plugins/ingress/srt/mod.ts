/** Takes MPEG-TS that encoders push over SRT. */
import { z } from "zod";
import { reasonOf } from "../../../base/errors.ts";
import { type Address, formatAddress } from "../../../config/address.ts";
import { duration, secret } from "../../../config/fields.ts";
import { plugin } from "../../plugin.ts";
import { srtInput } from "../../ffmpeg/input.ts";
import { sleep } from "../../../base/sleep.ts";
import { BROADCAST, CODECS, ingest, publisherOf, TIMEOUT } from "../ingest.ts";
import { ListenFailed, needsFfmpeg, takeInTurn } from "../listen.ts";
import { listenAddress, listenOptions, listenProblems } from "../listen_address.ts";

/** Of SRT itself (SRTO_PASSPHRASE). */
const PASSPHRASE = z.string().min(10).max(79);

const PORT = 8890;
export const srt = plugin({
  kind: "ingress",
  name: "srt",
  summary: "Listens for an SRT publisher that sends MPEG-TS.",
  options: {
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
  },
  check: (options) => [
    ...listenProblems(options, "passphrase", options.passphrase),
    ...(options.passphrase === undefined || PASSPHRASE.safeParse(options.passphrase).success
      ? []
      : [{ path: ["passphrase"], message: "expected 10 to 79 characters, as SRT demands" }]),
  ],
  async run(ctx, options) {
    const { broadcast, passphrase, latency, video, audio, timeout } = options;
    const at = listenAddress(options, PORT, passphrase);
    using publisher = publisherOf(ctx, broadcast);
    const what = `srt://${formatAddress(at)}`;
    const mpegTs = { aac: true };
    await needsSrt(ctx.signal);
    await takeInTurn(ctx, publisher, what, async () => {
      try {
        await ingest(ctx, publisher, {
          what: `the publisher on ${what}`,
          input: [
            ...["-analyzeduration", "1000000"],
            ...["-mode", "listener", "-latency", String(latency * 1000)],
            ...(passphrase === undefined ? [] : ["-passphrase", passphrase]),
            ...srtInput(what),
          ],
          video,
          audio,
          mpegTs,
          timeoutMs: timeout,
          secrets: passphrase === undefined ? [] : [passphrase],
        });
      } catch (error) {
        await needsPort(at, ctx.signal);
        throw error;
      }
    });
  },
});

/** @throws {ListenFailed} This ffmpeg is built without SRT. @throws {FfmpegMissing} */
async function needsSrt(signal: AbortSignal): Promise<void> {
  const protocols = await needsFfmpeg(signal);
  if (signal.aborted || /^\s*srt$/m.test(protocols)) return;
  throw new ListenFailed("Cannot listen for SRT: this ffmpeg is built without it (libsrt)");
}

/** The end of the last publisher may hold the port for a moment. */
const TRIES = 20;
const PAUSE_MS = 100;

/** Checks that the address is free: ffmpeg's messages do not tell that reliably. @throws {ListenFailed} It is not. */
async function needsPort(at: Address, signal: AbortSignal): Promise<void> {
  for (let tries = 1; !signal.aborted; tries++) {
    try {
      Deno.listenDatagram({ transport: "udp", ...at }).close();
      return;
    } catch (cause) {
      const held = cause instanceof Deno.errors.AddrInUse;
      if (!held || tries >= TRIES) {
        const where = formatAddress(at);
        throw new ListenFailed(`Cannot listen on ${where}: ${reasonOf(cause)}`, { cause });
      }
    }
    await sleep(PAUSE_MS, signal);
  }
}
