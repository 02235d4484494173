/**
 * One FETCH of the peer: a group's frames on the stream that asked, as they are here or come in.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Subgroup } from "../../relay/group/group.ts";
import type { RelayStats } from "../../relay/stats.ts";
import type { BidiStream } from "../../transport/connection.ts";
import { STREAM_CODE } from "../../wire/lite/codes.ts";
import type { Dialect } from "../../wire/lite/dialect.ts";
import type { Quota } from "../quota.ts";
import { GroupSender, type SenderOwner } from "./group_sender.ts";

export interface ServedFetchOptions {
  readonly stream: BidiStream;
  /** Retained for this fetch, which releases it. */
  readonly group: Subgroup;
  readonly dialect: Dialect;
  readonly stats: RelayStats;
  readonly clock: Clock;
  readonly quota: Quota;
  /** Called once, when nothing of it is left. */
  readonly onDone: () => void;
}

export class ServedFetch implements SenderOwner {
  readonly dialect: Dialect;
  readonly stats: RelayStats;
  readonly quota: Quota;
  /** When its stream took bytes again after it had not. */
  progressedAtMs: number;
  readonly #o: ServedFetchOptions;
  readonly #sender: GroupSender;

  constructor(options: ServedFetchOptions) {
    this.#o = options;
    this.dialect = options.dialect;
    this.stats = options.stats;
    this.quota = options.quota;
    this.progressedAtMs = this.now();
    this.#sender = new GroupSender(options.group, this);
    options.group.release(); // the sender holds it now
  }

  /** Since when the stream takes nothing, or -1. */
  get blockedSinceMs(): number {
    return this.#sender.blockedSinceMs;
  }

  /** Since when it has been keeping memory that is needed elsewhere, or Infinity. */
  get pinnedSinceMs(): number {
    return this.#sender.pinnedSinceMs;
  }

  start(): void {
    this.#sender.begin(this.#o.stream.send, NO_HEAD);
  }

  /** Gives up, so that the peer cannot take what it got for the whole group. */
  cancel(): void {
    this.#sender.cut(STREAM_CODE.cancel);
  }

  now(): number {
    return this.#o.clock.now();
  }

  progressed(): void {
    this.progressedAtMs = this.now();
  }

  senderDone(): void {
    this.#o.onDone();
  }
}

/** The answer is bare frames. */
const NO_HEAD = new Uint8Array(0);
