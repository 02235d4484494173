/**
 * Reads the frames of a group as they come in.
 *
 * @module
 */
import type { Group, GroupCursor } from "../relay/group.ts";
import { getVarint, unzigzag, varintWidth } from "../wire/varint.ts";
import { QumoError } from "../base/errors.ts";

/** One frame. */
export interface Frame {
  /** In the track's timescale; milliseconds unless the track says otherwise. */
  readonly timestamp: number;
  /** The caller's own copy. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** A group ended before its publisher had finished it: what was read is right, the rest is lost. */
export class GroupCut extends QumoError {
  readonly code = "QUMO_GROUP_CUT";
  constructor(readonly sequence: number) {
    super(`Cannot read group ${sequence} to its end: it was cut short`);
  }
}

/** A group on its way in. Read it to its end or close it: it holds memory until then. */
export class GroupReader implements GroupCursor, Disposable {
  slot = -1;
  readonly sequence: number;
  /** Index of the first frame: above 0 when the publisher sent only the rest of a group. */
  readonly startFrame: number;
  readonly #group: Group;
  #position = 0;
  #timestamp = 0;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(group: Group) {
    this.#group = group;
    this.sequence = group.sequence;
    this.startFrame = group.startFrame;
    group.attach(this);
  }

  pump(): void {
    this.#wake?.();
  }

  /** The next frame, or `undefined` behind the last one. @throws {GroupCut} */
  async frame(): Promise<Frame | undefined> {
    const group = this.#group;
    if (this.#closed || !await this.#available(1)) {
      const cut = !this.#closed && group.state === "cut";
      this.close();
      if (cut) throw new GroupCut(this.sequence);
      return undefined;
    }
    // A head is committed whole and never straddles two slabs.
    const head = group.slice(this.#position);
    const sizeAt = varintWidth(head[0]!);
    this.#timestamp += unzigzag(getVarint(head, 0));
    const size = getVarint(head, sizeAt);
    this.#position += sizeAt + varintWidth(head[sizeAt]!);
    const payload = new Uint8Array(size);
    for (let at = 0; at < size;) {
      if (!await this.#available(1)) {
        this.close();
        throw new GroupCut(this.sequence);
      }
      const slice = group.slice(this.#position);
      const piece = slice.length > size - at ? slice.subarray(0, size - at) : slice;
      payload.set(piece, at);
      at += piece.length;
      this.#position += piece.length;
    }
    return { timestamp: this.#timestamp, payload };
  }

  /** Every frame, to the end. @throws {GroupCut} */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Frame> {
    try {
      for (;;) {
        const frame = await this.frame();
        if (frame === undefined) return;
        yield frame;
      }
    } finally {
      this.close();
    }
  }

  /** Lets go of the group. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#group.detach(this);
    this.#wake?.();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #available(bytes: number): Promise<boolean> {
    const group = this.#group;
    while (group.bytes < this.#position + bytes) {
      if (group.state !== "open" || this.#closed) return false;
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
    return true;
  }
}
