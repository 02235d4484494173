/**
 * Waiting for publishers, one after another, on a port of ours.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import type { MediaPublisher } from "../media/publish.ts";
import { sleep } from "../media/pace.ts";
import type { PluginContext } from "../plugin.ts";
import { ingest, type Source, SourceFailed } from "./ingest.ts";

/** A failure of ours, not of who publishes: waiting on would be of no use. */
const OURS =
  /Address already in use|Cannot assign requested address|Permission denied|Protocol not found|Option .* not found|Invalid argument/;
/** Between one publisher and the next, in milliseconds: the port has to be given back. */
const PAUSE_MS = 100;
/** The port may be held for a moment by the end of the last publisher. */
const TRIES = 20;

/**
 * Publishes whoever comes, until the instance has to end. The broadcast is withdrawn when they leave, and goes on with the
 * next. One that fails is told and forgotten.
 * @throws {SourceFailed} Nobody can come. @throws {FfmpegMissing}
 */
export async function listen(
  ctx: PluginContext,
  publisher: MediaPublisher,
  source: Source,
): Promise<void> {
  const waiting = `waiting for a publisher on ${source.what}`;
  ctx.status(waiting);
  let tries = 0;
  while (!ctx.signal.aborted) {
    let told = waiting;
    try {
      await ingest(ctx, publisher, { ...source, what: `the publisher on ${source.what}` });
      tries = 0;
      ctx.log.info("the publisher has left");
    } catch (error) {
      const reason = reasonOf(error);
      if (!(error instanceof SourceFailed)) throw error;
      if (OURS.test(reason)) {
        if (++tries >= TRIES || !/already in use/.test(reason)) throw error;
      } else {
        tries = 0;
        ctx.stats.errors++;
        ctx.log.warn("a publisher failed", { reason });
        told = `${waiting}; the last one failed: ${reason}`;
      }
    }
    publisher.withdraw();
    if (ctx.signal.aborted) return;
    ctx.status(told);
    await sleep(PAUSE_MS, ctx.signal);
  }
}
