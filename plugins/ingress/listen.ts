/**
 * Waiting for publishers, one after another, on a port of ours.
 *
 * @module
 */
import { QumoError, reasonOf } from "../../base/errors.ts";
import { MediaProcess } from "../ffmpeg/media_process.ts";
import type { MediaPublisher } from "../../media/broadcast/media_publisher.ts";
import { sleep } from "../../base/sleep.ts";
import type { PluginContext } from "../plugin.ts";
import { SourceFailed } from "./ingest.ts";

/** Nobody can come: the address is not to be had, or a protocol is not known. */
export class ListenFailed extends QumoError {
  readonly code = "QUMO_LISTEN_FAILED";
}

/**
 * Looks whether there is an ffmpeg before somebody comes.
 * @returns The protocols it knows, one a line.
 * @throws {FfmpegMissing}
 */
export async function needsFfmpeg(signal: AbortSignal): Promise<string> {
  if (signal.aborted) return "";
  await using ffmpeg = MediaProcess.start({ args: ["-protocols"], signal });
  return await new Response(ffmpeg.stdout).text();
}

/** Between one publisher and the next, in milliseconds. */
const PAUSE_MS = 100;

/** What the status says while nobody publishes. @param failure What was wrong with the last one. */
export function waitingStatus(what: string, failure?: string): string {
  const waiting = `waiting for a publisher on ${what}`;
  return failure === undefined ? waiting : `${waiting}; the last one failed: ${failure}`;
}

/**
 * Publishes whoever comes, until the instance has to end. The broadcast is withdrawn when they leave, and goes on with the
 * next. One that fails is told and forgotten.
 * @param turn Waits for one and publishes it. @throws {SourceFailed} Something is wrong with that one.
 * @throws Anything else that `turn` throws: nobody can come.
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
