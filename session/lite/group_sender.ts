/**
 * Sends one group to one subscriber: a cursor into the shared bytes and the stream they go out on.
 *
 * Never waits and never copies what others read too: as long as the stream takes bytes it is given the next contiguous
 * slice; when it is blocked the cursor simply falls behind.
 *
 * @module
 */
import { isFrameBoundary } from "../../relay/group/frame_layout.ts";
import type { GroupCursor, Subgroup } from "../../relay/group/group.ts";
import type { RelayStats } from "../../relay/stats.ts";
import type { SendStream } from "../../transport/connection.ts";
import { STREAM_CODE } from "../../wire/lite/codes.ts";
import { framed } from "../../wire/message.ts";
import type { Dialect } from "../../wire/lite/dialect.ts";
import { UNI } from "../../wire/lite/dialect.ts";
import type { Paced, Quota } from "../quota.ts";
import { FrameHeads } from "./frame_heads.ts";
import type { Turned } from "../send/send_order.ts";

/** Half a varint: no message can end here, so a receiver knows the stream was cut. */
export const HALF_A_VARINT = new Uint8Array([0x40]);
/** The group head and a first slice up to this size leave in one write. */
const ONE_WRITE_BYTES = 4096;

/** What a sender needs to know of its subscription. */
export interface SenderOwner {
  readonly dialect: Dialect;
  readonly stats: RelayStats;
  /** What the session may be sent. */
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
  /** Since when the stream takes nothing, or -1. */
  blockedSinceMs = -1;
  /** Since when it keeps memory that is needed elsewhere, as its stream has not taken what it was given; Infinity: not. */
  pinnedSinceMs = Infinity;
  #stream: SendStream | undefined;
  /** Nothing more is handed to the stream; the group is held until it has taken what it was given. */
  #ending = false;
  #cut = false;
  #done = false;
  readonly #heads: FrameHeads;
  readonly #onWritable = () => {
    this.blockedSinceMs = -1;
    if (!this.#cut) this.owner.progressed();
    if (this.#ending) this.#finish();
    else this.pump();
  };

  constructor(readonly group: Subgroup, readonly owner: SenderOwner) {
    this.#heads = new FrameHeads(owner.dialect.timestamps);
    group.attach(this);
  }

  get sequence(): number {
    return this.group.sequence;
  }

  /** Where it stands among the streams of its connection, once it has one. */
  order(sendOrder: number): void {
    this.#stream?.setSendOrder(sendOrder);
  }

  /** Whether it is over, one way or another. */
  get done(): boolean {
    return this.#ending || this.#done;
  }

  /**
   * Starts on a stream that was opened for it.
   * @param head What stands before the frames.
   */
  begin(stream: SendStream, head: Uint8Array): void {
    if (this.done) return stream.reset(STREAM_CODE.cancel);
    this.#stream = stream;
    if (!this.owner.quota.maySend) {
      stream.write(head);
      return this.pump();
    }
    const slice = this.#heads.next(this.group);
    if (head.length === 0 || head.length + slice.length > ONE_WRITE_BYTES) {
      stream.write(head);
      stream.write(slice);
    } else stream.write(firstWrite(this.group, head, slice, this.#heads.position));
    this.#sent(slice.length);
    this.pump();
  }

  pump(): void {
    const stream = this.#stream;
    if (stream === undefined || this.done) return;
    const { group } = this;
    const heads = this.#heads;
    while (heads.position < group.bytes && !stream.blocked && !stream.done) {
      if (!this.owner.quota.maySend) return this.#waitForQuota();
      const slice = heads.next(group);
      stream.write(slice);
      this.#sent(slice.length);
    }
    if (stream.done) return this.#finish();
    if (heads.position < group.bytes) return this.#wait(stream);
    if (group.state === "complete") {
      this.owner.stats.framesOut += group.frames;
      this.owner.stats.groupsOut++;
      stream.finish();
      if (!stream.blocked) this.owner.progressed();
      this.#endWhenTaken(stream);
    } else if (group.state === "cut") {
      this.cut(STREAM_CODE.cancel);
    }
  }

  evicted(): void {
    this.cut(STREAM_CODE.evicted);
    if (!this.#done) this.pinnedSinceMs = this.owner.now();
  }

  /** The session may be sent more: as if its stream had taken what it was given. */
  resume(): void {
    if (!this.done) this.#onWritable();
  }

  /** Ends the stream so that the receiver cannot take the group for a whole one. */
  cut(code: number): void {
    if (this.#done || this.#cut) return;
    this.#cut = true;
    const stream = this.#stream;
    if (stream === undefined) return this.#finish();
    if (!stream.done) {
      this.owner.stats.groupsCutOut++;
      cutStream(stream, this.group, this.#heads.position, code);
    } else if (stream.canReset) { // finished, but not taken yet
      this.owner.stats.groupsCutOut++;
      stream.reset(code);
    }
    this.#endWhenTaken(stream);
  }

  /** The transport reads from the group's memory until it has taken what was written. */
  #endWhenTaken(stream: SendStream): void {
    this.#ending = true;
    if (stream.blocked) this.#wait(stream);
    else this.#finish();
  }

  #sent(bytes: number): void {
    this.owner.stats.bytesOut += bytes;
    this.owner.quota.sent(bytes);
  }

  /** To all others it looks like a slow viewer. */
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

/**
 * Ends a stream of frames before its time. Without a reset the end has to fall inside a message: in the middle of a
 * frame it does by itself, elsewhere half a varint goes out behind what is still on its way.
 * @param position How much of the group's stored bytes was handed to the stream.
 */
function cutStream(stream: SendStream, group: Subgroup, position: number, code: number): void {
  if (stream.canReset) return stream.reset(code);
  if (isFrameBoundary(group, position)) stream.write(HALF_A_VARINT);
  stream.finish();
}

/** How group streams begin. Most subscribers use the same id, so one of them makes it and all take it. */
interface Opening {
  readonly dialect: Dialect;
  readonly subscribe: number;
  readonly head: Uint8Array;
  /** Head and frames up to `position` of the stored bytes. */
  first: Uint8Array | undefined;
  position: number;
}
const openings = new WeakMap<Subgroup, Opening>();

/** GROUP: what stands before the frames of a group stream. Shared: never write into it. */
export function groupHead(dialect: Dialect, subscribe: number, group: Subgroup): Uint8Array {
  const known = openings.get(group);
  if (known?.dialect === dialect && known.subscribe === subscribe) return known.head;
  const { sequence, startFrame } = group;
  const head = framed(dialect.group.encode({ subscribe, sequence, startFrame }), UNI.group);
  openings.set(group, { dialect, subscribe, head, first: undefined, position: 0 });
  return head;
}

/** Head and first slice in one piece, which ends at `position` of the stored bytes. */
function firstWrite(
  group: Subgroup,
  head: Uint8Array,
  slice: Uint8Array,
  position: number,
): Uint8Array {
  const opening = openings.get(group);
  const shared = opening?.head === head;
  if (shared && opening.first !== undefined && opening.position === position) return opening.first;
  const both = new Uint8Array(head.length + slice.length);
  both.set(head);
  both.set(slice, head.length);
  if (shared) {
    opening.first = both;
    opening.position = position;
  }
  return both;
}
