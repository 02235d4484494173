/**
 * Assembles RTMP messages from their chunks. No socket and no clock: bytes in, messages out.
 *
 * @see RTMP 1.0, section 5.3.
 * @module
 */
import { concat } from "../../../base/bytes.ts";
import { RtmpViolation } from "./errors.ts";
import { MESSAGE, type RtmpMessage } from "./message.ts";

/** How much a peer may make us keep. */
export interface ChunkLimits {
  readonly messageBytes: number;
  /** All messages that have begun and are not whole, by their announced lengths. */
  readonly waitingBytes: number;
}

/** Chunk streams of one connection; publishers use four or five. */
export const MAX_CHUNK_STREAMS = 32;
const EXTENDED = 0xffffff;
/** Bytes of a message header, by its format. */
const HEADER_BYTES = [11, 7, 3, 0] as const;

interface ChunkStream {
  field: number;
  timestampMs: number;
  length: number;
  type: number;
  streamId: number;
  /** The message that has begun. */
  payload: Uint8Array<ArrayBuffer> | undefined;
  have: number;
}

export class ChunkReader {
  /** May change at any time. Messages that have begun keep theirs. */
  limits: ChunkLimits;
  /** Chunks read so far: each costs the same, however short it is. */
  chunks = 0;
  readonly #streams = new Map<number, ChunkStream>();
  #rest: Uint8Array = new Uint8Array(0);
  #chunkSize = 128;
  #waiting = 0;
  /** The chunk that is being read, and how many of its bytes are still to come. */
  #current: ChunkStream | undefined;
  #left = 0;

  constructor(limits: ChunkLimits) {
    this.limits = limits;
  }

  /**
   * Takes bytes and gives one whole message after another. It reads no further than it is asked to, so limits that change in
   * between hold for the next message.
   * @param bytes Copied where they have to be kept.
   * @throws {RtmpViolation} Nothing more can be read.
   */
  *push(bytes: Uint8Array): Generator<RtmpMessage, void> {
    let at = 0;
    // Between two chunks at most a header waits: it is put in front.
    const all = this.#rest.length === 0 ? bytes : concat([this.#rest, bytes]);
    this.#rest = new Uint8Array(0);
    while (at < all.length) {
      if (this.#current === undefined) {
        const used = this.#header(all, at);
        if (used === 0) {
          this.#rest = all.slice(at);
          return;
        }
        at += used;
        this.chunks++;
      }
      const stream = this.#current!;
      const count = Math.min(this.#left, all.length - at);
      stream.payload!.set(all.subarray(at, at + count), stream.have);
      stream.have += count;
      this.#left -= count;
      at += count;
      if (this.#left > 0) return;
      this.#current = undefined;
      if (stream.have === stream.length) {
        const message = this.#whole(stream);
        if (message !== undefined) yield message;
      }
    }
  }

  /** Reads the headers of a chunk. @returns How many bytes they have; 0 when they are not all there. */
  #header(all: Uint8Array, from: number): number {
    const format = all[from]! >> 6;
    let id = all[from]! & 0x3f;
    let at = from + 1;
    if (id < 2) {
      const more = id + 1;
      if (all.length - at < more) return 0;
      id = 64 + all[at]! + (more === 2 ? 256 * all[at + 1]! : 0);
      at += more;
    }
    const size = HEADER_BYTES[format]!;
    const known = this.#streams.get(id);
    if (known === undefined && format !== 0) {
      throw new RtmpViolation(`Cannot read RTMP: chunk stream ${id} begins without a whole header`);
    }
    const header = { ...(known ?? NEW) };
    if (all.length - at < size) return 0;
    const begins = known?.payload === undefined;
    if (!begins && format !== 3) {
      throw new RtmpViolation("Cannot read RTMP: a message begins within another one");
    }
    const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
    if (format < 3) header.field = uint24(view, at);
    if (format < 2) {
      header.length = uint24(view, at + 3);
      header.type = view.getUint8(at + 6);
    }
    if (format === 0) header.streamId = view.getUint32(at + 7, true);
    at += size;
    let field = header.field;
    if (field === EXTENDED) {
      if (all.length - at < 4) return 0;
      field = view.getUint32(at);
      at += 4;
    }
    if (begins) {
      header.timestampMs = format === 0 ? field : (header.timestampMs + field) >>> 0;
      this.#begin(header);
    }
    if (known === undefined) {
      if (this.#streams.size >= MAX_CHUNK_STREAMS) {
        throw new RtmpViolation(`Cannot read RTMP: it has more than ${MAX_CHUNK_STREAMS} streams`);
      }
      this.#streams.set(id, header);
      this.#current = header;
    } else this.#current = Object.assign(known, header);
    this.#left = Math.min(this.#chunkSize, header.length - header.have);
    return at - from;
  }

  #begin(stream: ChunkStream): void {
    const { length } = stream;
    const { messageBytes, waitingBytes } = this.limits;
    if (length > messageBytes) {
      throw new RtmpViolation(
        `Cannot read RTMP: a message of ${length} bytes is longer than ${messageBytes}`,
      );
    }
    if (this.#waiting + length > waitingBytes) {
      throw new RtmpViolation(
        `Cannot read RTMP: more than ${waitingBytes} bytes wait for the rest of their messages`,
      );
    }
    this.#waiting += length;
    stream.payload = new Uint8Array(length);
    stream.have = 0;
  }

  #whole(stream: ChunkStream): RtmpMessage | undefined {
    const { type, streamId, timestampMs } = stream;
    const payload = stream.payload!;
    this.#drop(stream);
    if (type === MESSAGE.setChunkSize) {
      const size = numberOf(payload);
      if (size === 0 || size > 0x7fffffff) {
        throw new RtmpViolation(`Cannot read RTMP: ${size} is no size of a chunk`);
      }
      this.#chunkSize = size;
      return undefined;
    }
    if (type === MESSAGE.abort) {
      const other = this.#streams.get(numberOf(payload));
      if (other?.payload !== undefined) this.#drop(other);
      return undefined;
    }
    return { type, streamId, timestampMs, payload };
  }

  #drop(stream: ChunkStream): void {
    this.#waiting -= stream.length;
    stream.payload = undefined;
    stream.have = 0;
  }
}

const NEW: ChunkStream = {
  ...{ field: 0, timestampMs: 0, length: 0, type: 0, streamId: 0, have: 0 },
  payload: undefined,
};

/** The number a message of the protocol's own control holds. @throws {RtmpViolation} */
export function numberOf(payload: Uint8Array): number {
  if (payload.length < 4) throw new RtmpViolation("Cannot read RTMP: a control message is cut off");
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0);
}

const uint24 = (view: DataView, at: number) => view.getUint16(at) * 256 + view.getUint8(at + 2);
