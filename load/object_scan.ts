import type { HeadReader } from "../session/convert/head_reader.ts";
import { type ObjectHeads, STATUS } from "../wire/ietf/data/object_head.ts";
import { FRAME_PREFIX_BYTES, type OnFrame, type StreamScan } from "./light.ts";

/** Where the stream of a subgroup belongs. */
export interface ObjectPlace {
  /** The subscription, or -1 while it is not known. */
  readonly subscribe: () => number;
  readonly known: () => Promise<void>;
  readonly sequence: number;
}

/** Reads the objects of one subgroup's stream. Each normal one counts as a frame. */
export class ObjectScan implements StreamScan {
  frames = 0;
  frameBytes = 0;
  readonly prefix: DataView;
  readonly #prefix = new Uint8Array(FRAME_PREFIX_BYTES);
  readonly #place: ObjectPlace;
  readonly #reader: HeadReader<ObjectHeads>;
  readonly #onFrame: OnFrame;
  #frameAt = 0;

  constructor(place: ObjectPlace, reader: HeadReader<ObjectHeads>, onFrame: OnFrame) {
    this.#place = place;
    this.#reader = reader;
    this.#onFrame = onFrame;
    this.prefix = new DataView(this.#prefix.buffer);
  }

  get subscribe(): number {
    return this.#place.subscribe();
  }

  get sequence(): number {
    return this.#place.sequence;
  }

  get atBoundary(): boolean {
    return !this.#reader.inside && this.#frameAt === this.frameBytes;
  }

  known(): Promise<void> {
    return this.#place.known();
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#frameAt < this.frameBytes) at = this.#payload(chunk, at);
      else {
        const length = this.#reader.read(chunk, at);
        if (length < 0) break;
        at += length;
        this.#begin();
      }
    }
    this.#reader.release();
  }

  #begin(): void {
    const { payloadLength, status } = this.#reader.heads;
    if (status !== STATUS.normal) return;
    this.frameBytes = payloadLength;
    this.#frameAt = 0;
    if (payloadLength === 0) this.#done();
  }

  #payload(chunk: Uint8Array, at: number): number {
    const have = Math.min(this.frameBytes - this.#frameAt, chunk.length - at);
    const wanted = Math.min(have, FRAME_PREFIX_BYTES - this.#frameAt);
    for (let i = 0; i < wanted; i++) this.#prefix[this.#frameAt + i] = chunk[at + i]!;
    this.#frameAt += have;
    if (this.#frameAt === this.frameBytes) this.#done();
    return at + have;
  }

  #done(): void {
    this.frames++;
    this.#onFrame(this);
  }
}
