/** Takes what OBS and other encoders push over RTMP. */
import { reasonOf } from "../../../base/errors.ts";
import { formatAddress } from "../../../config/address.ts";
import { secret, text } from "../../../config/fields.ts";
import { plugin, type PluginContext } from "../../plugin.ts";
import { pipeInput } from "../../ffmpeg/input.ts";
import { BROADCAST, CODECS, ingest, publisherOf, SourceFailed, TIMEOUT } from "../ingest.ts";
import { needsFfmpeg, takeInTurn, waitingStatus } from "../listen.ts";
import { listenAddress, listenOptions, listenProblems } from "../listen_address.ts";
import { RtmpDoor } from "./door.ts";

const PORT = 1935;
/** Longest time from a connection to its `publish`, in milliseconds. */
const DEADLINE_MS = 10_000;
/** ffmpeg reads some of the media before it writes any. */
const FIRST_FRAME_MS = 5000;

export const rtmp = plugin({
  kind: "ingress",
  name: "rtmp",
  summary: "Listens for an RTMP publisher, such as OBS.",
  options: {
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
  },
  check: (options) => listenProblems(options, "key", options.key),
  async run(ctx, options) {
    const { broadcast, app, key, video, audio, timeout: timeoutMs } = options;
    const at = listenAddress(options, PORT, key);
    using publisher = publisherOf(ctx, broadcast);
    const refusals = new Refusals(ctx);
    using door = RtmpDoor.open(at, {
      wanted: { app, key },
      deadlineMs: DEADLINE_MS,
      onrefused: (reason) => refusals.add(reason),
    });
    const close = () => door[Symbol.dispose]();
    ctx.signal.addEventListener("abort", close, { once: true });
    await needsFfmpeg(ctx.signal);
    const what = `rtmp://${formatAddress(at)}/${app}`;
    await takeInTurn(ctx, publisher, what, async () => {
      refusals.waitingFor = what;
      const publication = await door.next();
      if (publication === undefined) return;
      refusals.waitingFor = undefined;
      ctx.log.info("a publisher has come");
      let broken: unknown;
      try {
        await ingest(ctx, publisher, {
          what: `the publisher on ${what}`,
          input: [
            // The first bytes announce both streams: reading more before the start gains nothing.
            ...["-analyzeduration", "1000000", ...pipeInput("flv")],
          ],
          stdin: async function* () {
            try {
              yield* publication.media();
            } catch (error) {
              broken = error;
            }
          },
          video,
          audio,
          timeoutMs,
          firstFrameMs: timeoutMs + FIRST_FRAME_MS,
        });
      } catch (error) {
        if (broken === undefined) throw error;
      } finally {
        publication.end();
      }
      if (broken === undefined) return;
      throw new SourceFailed(`The publisher on ${what} broke the protocol: ${reasonOf(broken)}`, {
        cause: broken,
      });
    });
  },
});

/** Reports clients that were turned away: each in the counter, one per second in the log, the last one in the status. */
class Refusals {
  /** Where the next publisher is expected; `undefined` while one publishes. */
  waitingFor: string | undefined;
  readonly #ctx: PluginContext;
  #toldMs = -Infinity;
  #untold = 0;

  constructor(ctx: PluginContext) {
    this.#ctx = ctx;
  }

  add(reason: string): void {
    const { stats, log, clock } = this.#ctx;
    stats.errors++;
    if (this.waitingFor !== undefined) {
      this.#ctx.status(waitingStatus(this.waitingFor, `it was turned away: ${reason}`));
    }
    this.#untold++;
    if (clock.now() - this.#toldMs < 1000) return;
    log.warn("a publisher was turned away", { reason, count: this.#untold });
    this.#toldMs = clock.now();
    this.#untold = 0;
  }
}
