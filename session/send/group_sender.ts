/**
 * Sends one group to one subscriber: a cursor into the shared bytes, and the stream that they go out on.
 *
 * It never waits and never copies shared bytes. As long as the stream takes bytes it gets the next contiguous slice. When the
 * stream is blocked, the cursor falls behind.
 *
 * @module
 */
import { concat } from "../../base/bytes.ts";
import type { GroupCursor, Subgroup } from "../../relay/group/group.ts";
import type { RelayStats } from "../../relay/stats.ts";
import type { SendStream } from "../../transport/connection.ts";
import type { Paced, Quota } from "../quota.ts";
import type { StreamReason } from "../reasons.ts";
import type { GroupBody, GroupEncoder, GroupLimit, Part, StreamHead } from "./encoder.ts";
import type { Turned } from "./send_order.ts";

/** The group head and a first slice up to this size leave in one write. */
const ONE_WRITE_BYTES = 4096;

/** What a sender needs of its subscription or fetch. */
export interface SenderOwner {
  readonly encoder: GroupEncoder;
  readonly stats: RelayStats;
  /** The limits of the session. */
  readonly quota: Quota;
  /** Milliseconds, for telling how long a stream has been stuck. */
  now(): number;
  /** A stream that was stuck takes bytes again. */
  progressed(): void;
  /** The group stream has ended, one way or another. */
  senderDone(sender: GroupSender): void;
}

export class GroupSender implements GroupCursor, Paced, Turned {
  slot = -1;
  turn = 0;
  /** Since when it has been waiting for a stream. */
  queuedAtMs = 0;
  /** Since when the stream has been blocked, or -1. */
  blockedSinceMs = -1;
  /** Since when it has kept memory that is needed elsewhere, because its stream has not taken the bytes yet; or Infinity. */
  pinnedSinceMs = Infinity;
  #stream: SendStream | undefined;
  /** Nothing more is written. The group is held until the stream has taken all bytes. */
  #ending = false;
  #cut = false;
  #done = false;
  readonly #body: GroupBody;
  #limit: GroupLimit | undefined;
  readonly #onWritable = () => {
    this.blockedSinceMs = -1;
    if (!this.#cut) this.owner.progressed();
    if (this.#ending) this.#finish();
    else this.pump();
  };

  /** @param part What goes out of the group. Default: all of it. */
  constructor(readonly group: Subgroup, readonly owner: SenderOwner, readonly part?: Part) {
    this.#body = owner.encoder.body(part);
    group.attach(this);
  }

  get sequence(): number {
    return this.group.sequence;
  }

  /** Changes the send order of its stream, once it has one. */
  order(sendOrder: number): void {
    this.#stream?.setSendOrder(sendOrder);
  }

  /** Whether it is over, one way or another. */
  get done(): boolean {
    return this.#ending || this.#done;
  }

  /** Starts to send. @returns Whether the stream is used: not if it is over already. */
  begin(stream: SendStream): boolean {
    if (this.done) {
      stream.reset(this.owner.encoder.codes.cancel);
      return false;
    }
    this.#stream = stream;
    this.#limit = this.#body.limit?.(stream);
    this.#first(stream, this.owner.encoder.head(this.group, stream, this.part));
    this.pump();
    return true;
  }

  #first(stream: SendStream, head: StreamHead): void {
    const { bytes } = head;
    if (!this.owner.quota.maySend) {
      stream.write(bytes);
      return;
    }
    const slice = this.#body.next(this.group);
    if (bytes.length === 0 || bytes.length + slice.length > ONE_WRITE_BYTES) {
      stream.write(bytes);
      stream.write(slice);
    } else stream.write(firstWrite(head, slice, this.#body.position));
    this.#sent(slice.length);
  }

  pump(): void {
    const stream = this.#stream;
    if (stream === undefined || this.done) return;
    const { group } = this;
    const body = this.#body;
    const limit = this.#limit;
    const end = limit === undefined ? group.bytes : limit.end(group);
    while (body.position < end && !stream.blocked && !stream.done) {
      if (!this.owner.quota.maySend) return this.#waitForQuota();
      const slice = body.next(group);
      stream.write(slice);
      this.#sent(slice.length);
    }
    if (stream.done) return this.#finish();
    if (body.position < end) return this.#wait(stream);
    if (group.state === "complete" || limit?.over(group)) {
      this.owner.stats.framesOut += group.frames;
      this.owner.stats.groupsOut++;
      stream.finish();
      if (!stream.blocked) this.owner.progressed();
      this.#endWhenTaken(stream);
    } else if (group.state === "cut") {
      this.cut(group.isLost ? "sessionClosed" : "cancel");
    }
  }

  evicted(): void {
    this.cut("evicted");
    if (!this.#done) this.pinnedSinceMs = this.owner.now();
  }

  /** The session may send more: goes on as if its stream had become writable. */
  resume(): void {
    if (!this.done) this.#onWritable();
  }

  /** Aborts the stream so that the receiver cannot take the group for a complete one. */
  cut(why: StreamReason): void {
    if (this.#done || this.#cut) return;
    this.#cut = true;
    const { encoder } = this.owner;
    const stream = this.#stream;
    if (stream === undefined) return this.#finish();
    if (!stream.done) {
      this.owner.stats.groupsCutOut++;
      encoder.cut(stream, this.group, this.#body.position, encoder.codes[why]);
    } else if (stream.canReset) { // finished, but not taken yet
      this.owner.stats.groupsCutOut++;
      stream.reset(encoder.codes[why]);
    }
    this.#endWhenTaken(stream);
  }

  /** The transport reads from the group's memory until it has taken all that was written. */
  #endWhenTaken(stream: SendStream): void {
    this.#ending = true;
    if (stream.blocked) this.#wait(stream);
    else this.#finish();
  }

  #sent(bytes: number): void {
    this.owner.stats.bytesOut += bytes;
    this.owner.quota.sent(bytes);
  }

  /** Waits like a slow viewer. */
  #waitForQuota(): void {
    if (this.blockedSinceMs < 0) this.blockedSinceMs = this.owner.now();
    this.owner.quota.wait(this);
  }

  #wait(stream: SendStream): void {
    if (this.blockedSinceMs < 0) this.blockedSinceMs = this.owner.now();
    stream.onWritable(this.#onWritable);
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.owner.quota.leave(this);
    this.group.detach(this);
    this.owner.senderDone(this);
  }
}

/** Head and first slice in one piece, up to `position` of the kept bytes. Most subscribers share it. */
function firstWrite(head: StreamHead, slice: Uint8Array, position: number): Uint8Array {
  if (head.first === undefined || head.position !== position) {
    head.first = concat([head.bytes, slice]);
    head.position = position;
  }
  return head.first;
}
