/**
 * One FETCH of the peer: a group's frames on the stream that asked, as they are here or come in.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Group, GroupCursor } from "../../relay/group.ts";
import type { RelayStats } from "../../relay/stats.ts";
import type { BidiStream } from "../../transport/connection.ts";
import { STREAM_CODE } from "../../wire/lite/codes.ts";
import type { Dialect } from "../../wire/lite/dialect.ts";
import { FrameHeads } from "./frame_heads.ts";
import { cutStream } from "./group_sender.ts";

export interface ServedFetchOptions {
  readonly stream: BidiStream;
  /** Retained for this fetch, which releases it. */
  readonly group: Group;
  readonly dialect: Dialect;
  readonly stats: RelayStats;
  readonly clock: Clock;
}

export class ServedFetch implements GroupCursor {
  slot = -1;
  readonly done: Promise<void>;
  readonly #o: ServedFetchOptions;
  readonly #heads: FrameHeads;
  /** Since when the stream takes nothing, or -1. */
  blockedSinceMs = -1;
  readonly #onWritable = () => {
    this.blockedSinceMs = -1;
    this.pump();
  };
  #finished = false;
  #resolve!: () => void;

  constructor(options: ServedFetchOptions) {
    this.#o = options;
    this.#heads = new FrameHeads(options.dialect.timestamps);
    this.done = new Promise((resolve) => this.#resolve = resolve);
  }

  start(): void {
    this.#o.group.attach(this);
    this.#o.group.release(); // attached: it is held by that now
    this.pump();
  }

  pump(): void {
    if (this.#finished) return;
    const { stream: { send }, group, stats, clock } = this.#o;
    while (this.#heads.position < group.bytes && !send.blocked && !send.done) {
      const slice = this.#heads.next(group);
      send.write(slice);
      stats.bytesOut += slice.length;
    }
    if (send.done) return this.#finish();
    if (this.#heads.position < group.bytes) {
      if (this.blockedSinceMs < 0) this.blockedSinceMs = clock.now();
      return send.onWritable(this.#onWritable);
    }
    if (group.state === "complete") {
      send.finish();
      this.#finish();
    } else if (group.state === "cut") this.cancel();
  }

  /** Gives up, so that the peer cannot take what it got for the whole group. */
  cancel(): void {
    if (this.#finished) return;
    cutStream(this.#o.stream.send, this.#o.group, this.#heads.position, STREAM_CODE.cancel);
    this.#finish();
  }

  #finish(): void {
    this.#finished = true;
    this.#o.group.detach(this);
    this.#resolve();
  }
}
