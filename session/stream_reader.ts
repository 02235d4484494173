/**
 * Reads control messages from a stream, whatever pieces the bytes come in.
 *
 * @module
 */
import type { ReceiveStream } from "../transport/connection.ts";
import { ProtocolViolation } from "../wire/errors.ts";
import type { Message } from "../wire/message.ts";
import { getVarint, MAX_VARINT, varintWidth } from "../wire/varint.ts";

/** Most bytes of one control message; the length prefix is judged before anything is buffered. */
export const MAX_MESSAGE_BYTES = 1 << 20;

export class StreamReader {
  #buffer: Uint8Array = EMPTY;
  #ended = false;

  constructor(readonly stream: ReceiveStream, readonly where = "stream") {}

  /** A varint, or `undefined` when the stream ends in order right here. @throws {ProtocolViolation} */
  async varint(): Promise<number | undefined> {
    if (!await this.#fill(1)) return undefined;
    const width = varintWidth(this.#buffer[0]!);
    if (!await this.#fill(width)) throw this.#cut(`a varint of ${width} bytes`);
    const value = getVarint(this.#buffer, 0);
    this.#buffer = this.#buffer.subarray(width);
    if (value > MAX_VARINT) throw new ProtocolViolation(this.where, "varint above 2^53-1");
    return value;
  }

  /** One length-prefixed message, or `undefined` when the stream ends in order right here. @throws {ProtocolViolation} */
  async message<T>(message: Message<T>): Promise<T | undefined> {
    const body = await this.body(message.name);
    return body === undefined ? undefined : message.decode(body);
  }

  /** The body of one length-prefixed message. @throws {ProtocolViolation} */
  async body(name: string, maxBytes = MAX_MESSAGE_BYTES): Promise<Uint8Array | undefined> {
    const length = await this.varint();
    if (length === undefined) return undefined;
    if (length > maxBytes) {
      throw new ProtocolViolation(name, `${length} bytes announced, at most ${maxBytes} taken`);
    }
    return await this.bytes(length, name);
  }

  /** Exactly `length` bytes. @throws {ProtocolViolation} When the stream ends before. */
  async bytes(length: number, name: string): Promise<Uint8Array> {
    if (!await this.#fill(length)) {
      throw new ProtocolViolation(name, `${length} bytes expected, ${this.#buffer.length} came`);
    }
    const out = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return out;
  }

  /** What comes next, in whatever size; `undefined` at the end. For the bytes behind a stream's head. */
  async chunk(): Promise<Uint8Array | undefined> {
    if (this.#buffer.length > 0) {
      const out = this.#buffer;
      this.#buffer = EMPTY;
      return out;
    }
    return this.#ended ? undefined : await this.stream.read();
  }

  /** Reads and forgets until the stream ends, however that is. */
  async drain(): Promise<void> {
    try {
      while (await this.chunk() !== undefined);
    } catch {
      // a reset or a lost connection is an end like any other here
    }
  }

  #cut(what: string): ProtocolViolation {
    return new ProtocolViolation(this.where, `stream ended inside ${what}`);
  }

  async #fill(length: number): Promise<boolean> {
    if (this.#buffer.length >= length) return true;
    const parts = [this.#buffer];
    let have = this.#buffer.length;
    while (have < length) {
      const chunk = this.#ended ? undefined : await this.stream.read();
      if (chunk === undefined) {
        this.#ended = true;
        break;
      }
      parts.push(chunk);
      have += chunk.length;
    }
    if (parts.length > 1) {
      this.#buffer = parts.length === 2 && parts[0]!.length === 0 ? parts[1]! : concat(parts, have);
    }
    return have >= length;
  }
}

const EMPTY = new Uint8Array(0);

/** All parts behind each other. */
export function concat(
  parts: readonly Uint8Array[],
  length = parts.reduce((sum, part) => sum + part.length, 0),
): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
