import type { SendStream } from "../../transport/connection.ts";

/** Groups on their way to the peer. */
export interface Sending {
  /** When one of its streams took bytes again after it had not. */
  readonly progressedAtMs: number;
  /** Cuts groups that have begun, are stuck, and are too old. */
  cutStale(now: number): void;
  /** Since when one of its streams has been blocked, or Infinity. */
  stuckSinceMs(): number;
  /** Since when it has kept memory that is needed elsewhere, or Infinity. */
  pinnedSinceMs(): number;
}

/** Looks for a peer that has stopped reading. */
export class Watchdog {
  readonly #sending = new Set<Sending>();
  /** Streams of replies, which last as long as their subscription, and since when each has been blocked, or -1. */
  readonly #answers = new Map<SendStream, number>();

  add(sending: Sending): void {
    this.#sending.add(sending);
  }

  addAnswer(stream: SendStream): void {
    this.#answers.set(stream, -1);
  }

  delete(sending: Sending): void {
    this.#sending.delete(sending);
  }

  deleteAnswer(stream: SendStream): void {
    this.#answers.delete(stream);
  }

  /**
   * A group that waits behind newer ones is not stuck: as long as one group moves, all count as moving. A group whose memory
   * is needed elsewhere has to move itself.
   * @returns How long the peer has been stuck, in milliseconds.
   */
  sweep(now: number): number {
    let groups = Infinity;
    let since = Infinity;
    let progressedAtMs = 0;
    for (const sending of this.#sending) {
      sending.cutStale(now);
      groups = Math.min(groups, sending.stuckSinceMs());
      since = Math.min(since, sending.pinnedSinceMs()); // groups that move elsewhere do not free this memory
      progressedAtMs = Math.max(progressedAtMs, sending.progressedAtMs);
    }
    if (groups !== Infinity) since = Math.min(since, Math.max(groups, progressedAtMs));
    for (const [stream, seen] of this.#answers) {
      const blocked = !stream.blocked ? -1 : seen < 0 ? now : seen;
      this.#answers.set(stream, blocked);
      if (blocked >= 0) since = Math.min(since, blocked);
    }
    return since === Infinity ? 0 : now - since;
  }
}
