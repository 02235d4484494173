/**
 * The incomplete messages of one session. Their bytes are held until the rest has come, so there is a limit for the bytes and
 * one for the time.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { ProtocolViolation } from "../wire/errors.ts";
import type { SessionHits } from "./limits.ts";

/** Most bytes of incomplete messages of one session. An honest peer has a few hundred at a time. */
export const MAX_UNFINISHED_BYTES = 128 << 10;
/** How long a message may take from its first byte to its last. */
export const MESSAGE_TIMEOUT_MS = 10_000;

/** The rest of a message did not come in time. */
export class LateMessage extends ProtocolViolation {}

/** Waits for the rest of a message. */
export interface Waiting {
  /** The rest took too long: gives the stream up with this code. */
  expire(code: number): void;
}

/** Counts for one session. */
export class Unfinished {
  readonly #clock: Clock;
  readonly #hits: SessionHits;
  readonly #since = new Map<Waiting, number>();
  #bytes = 0;

  /** @param timeoutCode Code of a stream whose message takes too long. */
  constructor(clock: Clock, hits: SessionHits, readonly timeoutCode: number) {
    this.#clock = clock;
    this.#hits = hits;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Incomplete messages now. */
  get count(): number {
    return this.#since.size;
  }

  /** The rest of a message is awaited. Its time began with the first call. */
  wait(waiting: Waiting): void {
    if (!this.#since.has(waiting)) this.#since.set(waiting, this.#clock.now());
  }

  /** The message is complete, or given up. */
  done(waiting: Waiting): void {
    this.#since.delete(waiting);
  }

  /** Holds `bytes` more. @throws {ProtocolViolation} They are too many. */
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

  /** Holds `bytes` less. */
  release(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Gives up what takes too long. Call it about once a second. */
  sweep(now: number): void {
    for (const [waiting, since] of [...this.#since]) {
      if (now - since < MESSAGE_TIMEOUT_MS) continue;
      this.#hits.messageTime++;
      this.#since.delete(waiting);
      waiting.expire(this.timeoutCode);
    }
  }
}
