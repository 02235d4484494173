/**
 * One FETCH of the peer: the frames of a group on the stream of the request, as they come in.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Subgroup } from "../../relay/group/group.ts";
import type { RelayStats } from "../../relay/stats.ts";
import type { BidiStream } from "../../transport/connection.ts";
import type { Quota } from "../quota.ts";
import type { GroupEncoder } from "./encoder.ts";
import { GroupSender, type SenderOwner } from "./group_sender.ts";
import type { Sending } from "../sweep.ts";

export interface ServedFetchOptions {
  readonly stream: BidiStream;
  /** Retained for this fetch, which releases it. */
  readonly group: Subgroup;
  readonly encoder: GroupEncoder;
  readonly stats: RelayStats;
  readonly clock: Clock;
  readonly quota: Quota;
  /** Called once, when nothing of it is left. */
  readonly onDone: () => void;
}

export class ServedFetch implements SenderOwner, Sending {
  readonly encoder: GroupEncoder;
  readonly stats: RelayStats;
  readonly quota: Quota;
  /** When its stream took bytes again after it had not. */
  progressedAtMs: number;
  stuckSinceMs = Infinity;
  readonly senders: readonly [GroupSender];
  readonly #o: ServedFetchOptions;

  constructor(options: ServedFetchOptions) {
    this.#o = options;
    this.encoder = options.encoder;
    this.stats = options.stats;
    this.quota = options.quota;
    this.progressedAtMs = this.now();
    this.senders = [new GroupSender(options.group, this)];
    options.group.release(); // the sender holds it now
  }

  /** A fetched group is never too old. */
  cutStale(): void {}

  start(): void {
    const [sender] = this.senders;
    sender.begin(this.#o.stream.send);
  }

  /** Aborts, so that the peer cannot take the answer for the complete group. */
  cancel(): void {
    this.senders[0].cut("cancel");
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
