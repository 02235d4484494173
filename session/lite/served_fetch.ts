/**
 * One FETCH of the peer: a group's frames on the stream that asked, as they are here or come in.
 *
 * @module
 */
import type { Group, GroupCursor } from "../../relay/group.ts";
import type { RelayStats } from "../../relay/stats.ts";
import type { BidiStream } from "../../transport/connection.ts";
import { STREAM_CODE } from "../../wire/lite/codes.ts";
import type { Dialect } from "../../wire/lite/dialect.ts";
import { FrameHeads, isFrameBoundary } from "./frame_heads.ts";

export interface ServedFetchOptions {
  readonly stream: BidiStream;
  /** Retained for this fetch, which releases it. */
  readonly group: Group;
  readonly dialect: Dialect;
  readonly stats: RelayStats;
}

export class ServedFetch implements GroupCursor {
  slot = -1;
  readonly done: Promise<void>;
  readonly #o: ServedFetchOptions;
  readonly #heads: FrameHeads;
  readonly #onWritable = () => this.pump();
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
    const { stream: { send }, group, stats } = this.#o;
    while (this.#heads.position < group.bytes && !send.blocked && !send.done) {
      const slice = this.#heads.next(group);
      send.write(slice);
      stats.bytesOut += slice.length;
    }
    if (send.done) return this.#finish();
    if (this.#heads.position < group.bytes) return send.onWritable(this.#onWritable);
    if (group.state === "complete") {
      send.finish();
      this.#finish();
    } else if (group.state === "cut") this.cancel();
  }

  /** Gives up, so that the peer cannot take what it got for the whole group. */
  cancel(): void {
    if (this.#finished) return;
    const { stream: { send }, group } = this.#o;
    if (!send.canReset && !send.blocked && isFrameBoundary(group, this.#heads.position)) {
      send.write(new Uint8Array([0x40]));
      send.finish();
    } else send.reset(STREAM_CODE.cancel);
    this.#finish();
  }

  #finish(): void {
    this.#finished = true;
    this.#o.group.detach(this);
    this.#resolve();
  }
}
