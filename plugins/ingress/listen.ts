/**
 * Takes publishers on a port, one after another.
 *
 * @module
 */
import { QumoError, reasonOf } from "../../base/errors.ts";
import { MediaProcess } from "../ffmpeg/media_process.ts";
import type { MediaPublisher } from "../../media/broadcast/media_publisher.ts";
import { sleep } from "../../base/sleep.ts";
import type { PluginContext } from "../plugin.ts";
import { SourceFailed } from "./ingest.ts";

/** No publisher can connect: the address is taken, or ffmpeg lacks a protocol. */
export class ListenFailed extends QumoError {
  readonly code = "QUMO_LISTEN_FAILED";
}

/**
 * Checks that there is an ffmpeg, before a publisher connects.
 * @returns The protocols that it knows, one per line.
 * @throws {FfmpegMissing}
 */
export async function needsFfmpeg(signal: AbortSignal): Promise<string> {
  if (signal.aborted) return "";
  await using ffmpeg = MediaProcess.start({ args: ["-protocols"], signal });
  return await new Response(ffmpeg.stdout).text();
}

/** Pause between one publisher and the next, in milliseconds. */
const PAUSE_MS = 100;

/** The status while nobody publishes. @param failure What was wrong with the last publisher. */
export function waitingStatus(what: string, failure?: string): string {
  const waiting = `waiting for a publisher on ${what}`;
  return failure === undefined ? waiting : `${waiting}; the last one failed: ${failure}`;
}

/**
 * Publishes one publisher after another, until the instance has to end. The broadcast is withdrawn when a publisher leaves, and
 * continues with the next. A publisher that fails is reported.
 * @param turn Waits for a publisher and publishes it. @throws {SourceFailed} Something is wrong with that publisher.
 * @throws Anything else that `turn` throws: no publisher can connect.
 */
export async function takeInTurn(
  ctx: PluginContext,
  publisher: MediaPublisher,
  what: string,
  turn: () => Promise<void>,
): Promise<void> {
  ctx.status(waitingStatus(what));
  while (!ctx.signal.aborted) {
    let failure: string | undefined;
    try {
      await turn();
      if (!ctx.signal.aborted) ctx.log.info("the publisher has left");
    } catch (error) {
      if (!(error instanceof SourceFailed)) throw error;
      failure = reasonOf(error);
      ctx.stats.errors++;
      ctx.log.warn("a publisher failed", { reason: failure });
    }
    publisher.withdraw();
    if (ctx.signal.aborted) return;
    ctx.status(waitingStatus(what, failure));
    await sleep(PAUSE_MS, ctx.signal);
  }
}
