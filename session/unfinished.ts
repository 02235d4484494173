/**
 * What of one session's messages has come in part: their bytes are held until the rest is here, so they are bounded, and
 * so is the time that takes.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { ProtocolViolation } from "../wire/errors.ts";
import type { SessionHits } from "./limits.ts";

/** Most bytes of messages of one session that are not whole. An honest peer has a few hundred at a time. */
export const MAX_UNFINISHED_BYTES = 128 << 10;
/** How long a message that has begun may take to come. */
export const MESSAGE_TIMEOUT_MS = 10_000;

/** Somebody who waits for the rest of a message. */
export interface Waiting {
  /** The rest is not waited for any longer: the stream is given up. */
  expire(code: number): void;
}

/** The account of one session. */
export class Unfinished {
  readonly #clock: Clock;
  readonly #hits: SessionHits;
  readonly #since = new Map<Waiting, number>();
  #bytes = 0;

  /** @param timeoutCode What a stream is given up with whose message takes too long. */
  constructor(clock: Clock, hits: SessionHits, readonly timeoutCode: number) {
    this.#clock = clock;
    this.#hits = hits;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Messages that are waited for now. */
  get count(): number {
    return this.#since.size;
  }

  /** The rest of a message is waited for. Its time began with the first call. */
  wait(waiting: Waiting): void {
    if (!this.#since.has(waiting)) this.#since.set(waiting, this.#clock.now());
  }

  /** The message is whole, or given up. */
  done(waiting: Waiting): void {
    this.#since.delete(waiting);
  }

  /** `bytes` more are held. @throws {ProtocolViolation} They are too many. */
  hold(bytes: number, where: string): void {
    if (this.#bytes + bytes > MAX_UNFINISHED_BYTES) {
      this.#hits.unfinishedBytes++;
      throw new ProtocolViolation(
        where,
        `the session has sent more than ${MAX_UNFINISHED_BYTES} bytes of messages that are not whole`,
      );
    }
    this.#bytes += bytes;
  }

  /** They are held no longer. */
  release(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Gives up what takes too long; call it every second or so. */
  sweep(now: number): void {
    for (const [waiting, since] of [...this.#since]) {
      if (now - since < MESSAGE_TIMEOUT_MS) continue;
      this.#hits.messageTime++;
      this.#since.delete(waiting);
      waiting.expire(this.timeoutCode);
    }
  }
}
