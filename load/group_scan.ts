/**
 * Reads the frames of one group stream without keeping them: for load generators, which open thousands of streams and
 * want to know only when a frame has arrived and how it began.
 *
 * @module
 */
import { ProtocolViolation } from "../wire/errors.ts";
import { type Dialect, UNI } from "../wire/lite/dialect.ts";
import { getVarint, varintWidth } from "../wire/varint.ts";
import { FRAME_PREFIX_BYTES, type OnFrame, type StreamScan } from "./light.ts";

/** The longest head: type and length of GROUP, and its three fields. */
const MAX_HEAD = 8 * 5;

type Part = "type" | "group" | "frame" | "payload" | "other";

/** One per stream; nothing is allocated per frame. */
export class GroupScan implements StreamScan {
  /** The subscription it belongs to; -1 until the head was read, and always on a stream that is not a group. */
  subscribe = -1;
  sequence = -1;
  /** Frames that have arrived whole. */
  frames = 0;
  /** Payload size of the current frame, or of the last one. */
  frameBytes = 0;
  /** How the current frame, or the last one, begins: {@link FRAME_PREFIX_BYTES} of it, or all where it is shorter. */
  readonly prefix: DataView;
  readonly #prefix = new Uint8Array(FRAME_PREFIX_BYTES);
  readonly #dialect: Dialect;
  readonly #onFrame: OnFrame;
  readonly #head = new Uint8Array(MAX_HEAD);
  #headBytes = 0;
  #frameAt = 0;
  #part: Part = "type";

  /** @param onFrame Called when a frame has arrived whole. */
  constructor(dialect: Dialect, onFrame: OnFrame) {
    this.#dialect = dialect;
    this.#onFrame = onFrame;
    this.prefix = new DataView(this.#prefix.buffer);
  }

  /** Whether the bytes so far end with a frame. A stream that ends elsewhere was cut off. */
  get atBoundary(): boolean {
    return this.#part === "other" || (this.#part === "frame" && this.#headBytes === 0);
  }

  /** Takes the next bytes. @throws {ProtocolViolation} */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#part === "payload") at = this.#payload(chunk, at);
      else if (this.#part === "other") return;
      else at = this.#headByte(chunk, at);
    }
  }

  #payload(chunk: Uint8Array, at: number): number {
    const have = Math.min(this.frameBytes - this.#frameAt, chunk.length - at);
    if (this.#frameAt < FRAME_PREFIX_BYTES) {
      const wanted = Math.min(have, FRAME_PREFIX_BYTES - this.#frameAt);
      for (let i = 0; i < wanted; i++) this.#prefix[this.#frameAt + i] = chunk[at + i]!;
    }
    this.#frameAt += have;
    if (this.#frameAt === this.frameBytes) this.#frameDone();
    return at + have;
  }

  #frameDone(): void {
    this.#part = "frame";
    this.frames++;
    this.#onFrame(this);
  }

  /** Heads are a few bytes. They are read one by one, however the chunks cut them. */
  #headByte(chunk: Uint8Array, at: number): number {
    const head = this.#head;
    head[this.#headBytes++] = chunk[at]!;
    if (this.#part === "type") this.#type();
    else if (this.#part === "group") this.#group();
    else this.#frame();
    return at + 1;
  }

  #type(): void {
    if (this.#headBytes < varintWidth(this.#head[0]!)) return;
    this.#part = getVarint(this.#head, 0) === UNI.group ? "group" : "other";
    this.#headBytes = 0;
  }

  #group(): void {
    const head = this.#head;
    const width = varintWidth(head[0]!);
    if (this.#headBytes < width) return;
    const length = getVarint(head, 0);
    if (width + length > MAX_HEAD) throw new ProtocolViolation("GROUP", `${length} bytes long`);
    if (this.#headBytes < width + length) return;
    const group = this.#dialect.group.decode(head.subarray(width, width + length));
    this.subscribe = group.subscribe;
    this.sequence = group.sequence;
    this.#headBytes = 0;
    this.#part = "frame";
  }

  #frame(): void {
    const head = this.#head;
    const sizeAt = this.#dialect.timestamps ? varintWidth(head[0]!) : 0;
    if (this.#headBytes <= sizeAt) return;
    if (this.#headBytes < sizeAt + varintWidth(head[sizeAt]!)) return;
    this.frameBytes = getVarint(head, sizeAt);
    this.#headBytes = 0;
    this.#frameAt = 0;
    if (this.frameBytes === 0) this.#frameDone();
    else this.#part = "payload";
  }
}
