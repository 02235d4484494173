/**
 * Looks for peers that have stopped reading or send too much. Whoever has many sessions does so about once a second.
 *
 * @module
 */
import type { Logger } from "../base/logger.ts";
import type { SendStream } from "../transport/connection.ts";
import type { Quota } from "./quota.ts";
import type { CloseReason } from "./reasons.ts";
import type { Unfinished } from "./unfinished.ts";

/** Groups on their way to the peer. */
export interface Sending {
  /** When one of its streams took bytes again after it had not. */
  readonly progressedAtMs: number;
  /** Cuts groups that have begun, are stuck, and are too old. */
  cutStale(now: number): void;
  /** Each with the time since its stream has been blocked, or -1, and since it has kept memory that is needed elsewhere. */
  readonly senders: Iterable<{ readonly blockedSinceMs: number; readonly pinnedSinceMs: number }>;
  /** Since when one of its streams has been blocked, or Infinity. Kept by the sweep. */
  stuckSinceMs: number;
}

/** What a session sends. */
export interface Sent {
  readonly groups: Set<Sending>;
  /** Streams of replies, which last as long as their subscription, and since when each has been blocked, or -1. */
  readonly answers: Map<SendStream, number>;
}

/** What is swept of a session. */
export interface Swept {
  readonly sent: Sent;
  readonly quota: Quota;
  readonly unfinished: Unfinished;
  readonly log: Logger;
}

/** A session, as far as it is swept. */
interface Sweepable {
  readonly swept: Swept;
  close(reason: CloseReason, text: string): number;
}

/** Closes the session if the peer has stopped reading or sends too much. */
export function sweepSession(session: Sweepable, now: number, writeTimeoutMs: number): void {
  const { sent, quota, unfinished, log } = session.swept;
  unfinished.sweep(now);
  if (quota.sweep(now)) {
    quota.hits.receiveRate++;
    log.warn("session closed: the peer sends more than it may");
    return void session.close("tooMany", "more media than this server takes");
  }
  if (stuckMs(sent, now) <= writeTimeoutMs) return;
  quota.hits.writeTime++;
  log.warn("session closed: the peer has stopped reading");
  session.close("controlTimeout", "the peer has stopped reading");
}

/**
 * A group that waits behind newer ones is not stuck: as long as one group moves, all count as moving. A group whose memory is
 * needed elsewhere has to move itself.
 * @returns How long the peer has been stuck, in milliseconds.
 */
function stuckMs({ groups, answers }: Sent, now: number): number {
  let stuck = Infinity;
  let since = Infinity;
  let progressedAtMs = 0;
  for (const sending of groups) {
    sending.cutStale(now);
    let blocked = Infinity;
    for (const { blockedSinceMs, pinnedSinceMs } of sending.senders) {
      if (blockedSinceMs >= 0) blocked = Math.min(blocked, blockedSinceMs);
      since = Math.min(since, pinnedSinceMs); // groups that move elsewhere do not free this memory
    }
    // The time of groups that were cut meanwhile counts too.
    if (blocked !== Infinity) blocked = Math.min(blocked, sending.stuckSinceMs);
    stuck = Math.min(stuck, sending.stuckSinceMs = blocked);
    progressedAtMs = Math.max(progressedAtMs, sending.progressedAtMs);
  }
  if (stuck !== Infinity) since = Math.min(since, Math.max(stuck, progressedAtMs));
  for (const [stream, seen] of answers) {
    const blocked = !stream.blocked ? -1 : seen < 0 ? now : seen;
    answers.set(stream, blocked);
    if (blocked >= 0) since = Math.min(since, blocked);
  }
  return since === Infinity ? 0 : now - since;
}
