/**
 * Reads control messages from a stream, whatever pieces the bytes come in.
 *
 * @module
 */
import { concat } from "../base/bytes.ts";
import type { ReceiveStream } from "../transport/connection.ts";
import { ProtocolViolation } from "../wire/errors.ts";
import { MAX_MESSAGE_BYTES, type Message } from "../wire/message.ts";
import { getVarint, MAX_VARINT, varintWidth } from "../wire/varint.ts";
import { LateMessage, MESSAGE_TIMEOUT_MS, type Unfinished, type Waiting } from "./unfinished.ts";

/** A piece that keeps this much more memory alive than it needs is copied before the next one is awaited. */
const MAX_WASTE_BYTES = 64;

export class StreamReader implements Waiting {
  #buffer: Uint8Array = EMPTY;
  #ended = false;
  #expired = false;
  /** A type or a length was read, and its message has not come yet. */
  #begun = false;
  /** Bytes read off the stream so far, without those of {@link chunk}. */
  #taken = 0;
  /** Bytes of this stream that {@link Unfinished} counts. */
  #held = 0;
  #waits = false;
  /** A read that {@link prefetch} has begun. */
  #pending: Promise<void> | undefined;

  /** @param unfinished Counts bytes of incomplete messages for the session. Without it nobody counts. */
  constructor(
    readonly stream: ReceiveStream,
    readonly where = "stream",
    public unfinished?: Unfinished,
  ) {}

  /** Bytes of fields and messages that were read so far. */
  get taken(): number {
    return this.#taken;
  }

  /** A varint, or `undefined` when the stream ends in order right here. @throws {ProtocolViolation} */
  async varint(): Promise<number | undefined> {
    if (this.#buffer.length === 0 && !await this.#fill(1)) return undefined;
    const width = varintWidth(this.#buffer[0]!);
    if (this.#buffer.length < width && !await this.#fill(width)) {
      throw this.#cut(`a varint of ${width} bytes`);
    }
    const value = getVarint(this.#buffer, 0);
    this.#take(width);
    if (value > MAX_VARINT) throw new ProtocolViolation(this.where, "varint above 2^53-1");
    this.#begun = true;
    return value;
  }

  /** One length-prefixed message, or `undefined` when the stream ends in order right here. @throws {ProtocolViolation} */
  async message<T>(message: Message<T>): Promise<T | undefined> {
    const body = await this.body(message.name, message.maxBytes);
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

  /**
   * What `parse` makes of the next bytes as soon as there are enough for it, or `undefined` when the stream ends in order right
   * here. The result says how many bytes are used up. @throws {ProtocolViolation}
   */
  async parsed<T extends { readonly length: number }>(
    parse: (bytes: Uint8Array) => T | undefined,
  ): Promise<T | undefined> {
    for (;;) {
      const had = this.#buffer.length;
      let got: T | undefined;
      try {
        got = parse(this.#buffer);
      } catch (error) {
        this.#settle();
        throw error;
      }
      if (got !== undefined) {
        this.#take(got.length);
        this.#begun = true;
        return got;
      }
      if (await this.#fill(had + 1)) continue;
      if (had === 0) return undefined;
      throw this.#cut("a head");
    }
  }

  /** Exactly `length` bytes: the rest of a message. @throws {ProtocolViolation} When the stream ends before. */
  async bytes(length: number, name: string): Promise<Uint8Array> {
    if (this.#buffer.length < length && !await this.#fill(length)) {
      throw new ProtocolViolation(name, `${length} bytes expected, ${this.#buffer.length} came`);
    }
    const out = this.#take(length);
    this.#begun = false;
    return out;
  }

  /** The message that was read field by field is complete: the next bytes begin a new one. */
  whole(): void {
    this.#begun = false;
  }

  /**
   * Reads ahead until `turn` fulfils, for a stream that has to wait: its bytes do not fill the transport's window.
   * @throws {ProtocolViolation} More bytes have come than a message may have.
   */
  async prefetch(turn: Promise<unknown>): Promise<void> {
    let over = false;
    let wake = () => {};
    const told = turn.then(() => {
      over = true;
      wake();
    });
    while (!over && !this.#ended) {
      if (this.#buffer.length > MAX_MESSAGE_BYTES) {
        this.#settle();
        throw new ProtocolViolation(this.where, `more than ${MAX_MESSAGE_BYTES} bytes at once`);
      }
      this.#pending ??= this.#more().finally(() => this.#pending = undefined);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      wake = resolve; // a race would leave something behind at `turn` for every chunk
      this.#pending.then(resolve, reject); // if nobody waits any more, the next read reports it
      await promise;
    }
    await told;
  }

  /** The next bytes, of any size; `undefined` at the end. For the bytes after a stream's head. */
  async chunk(): Promise<Uint8Array | undefined> {
    if (this.#pending !== undefined) await this.#pending;
    if (this.#buffer.length > 0) {
      const out = this.#buffer;
      this.#buffer = EMPTY;
      this.#settle();
      return out;
    }
    return this.#ended ? undefined : await this.stream.read();
  }

  /** Reads and drops everything until the stream ends in any way. Never rejects. */
  async drain(): Promise<void> {
    try {
      while (await this.chunk() !== undefined);
    } catch {
      // a reset or a lost connection is an end too
    }
  }

  /** Its message took too long. */
  expire(code: number): void {
    this.#expired = true;
    this.stream.stop(code);
  }

  #cut(what: string): ProtocolViolation {
    return new ProtocolViolation(this.where, `stream ended inside ${what}`);
  }

  #take(length: number): Uint8Array {
    const out = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    this.#taken += length;
    if (this.#held > 0 || this.#waits) this.#settle();
    return out;
  }

  /** The rest of the message has come, or will never come. */
  #settle(): void {
    this.unfinished?.release(this.#held);
    this.#held = 0;
    if (this.#waits) this.unfinished?.done(this);
    this.#waits = false;
  }

  /** Reads until there are `length` bytes. @returns Whether there are. */
  async #fill(length: number): Promise<boolean> {
    try {
      while (this.#buffer.length < length && !this.#ended) {
        if (this.#begun || this.#buffer.length > 0) this.#wait();
        if (this.#pending !== undefined) await this.#pending;
        else await this.#more();
        if (this.#expired) {
          throw new LateMessage(this.where, `not whole after ${MESSAGE_TIMEOUT_MS} ms`);
        }
      }
    } catch (error) {
      this.#settle();
      throw error;
    }
    return this.#buffer.length >= length;
  }

  #wait(): void {
    if (this.unfinished === undefined || this.#waits) return;
    this.#waits = true;
    this.unfinished.wait(this);
  }

  /** Adds the next piece. Bytes that wait for it are counted. */
  async #more(): Promise<void> {
    if (this.#buffer.length > 0) this.#hold();
    const chunk = await this.stream.read();
    if (chunk === undefined) this.#ended = true;
    else this.#buffer = this.#buffer.length === 0 ? chunk : concat([this.#buffer, chunk]);
  }

  #hold(): void {
    if (this.unfinished === undefined) return;
    if (this.#buffer.buffer.byteLength > this.#buffer.length + MAX_WASTE_BYTES) {
      this.#buffer = this.#buffer.slice();
    }
    const bytes = this.#buffer.buffer.byteLength;
    this.unfinished.hold(bytes - this.#held, this.where);
    this.#held = bytes;
  }
}

const EMPTY = new Uint8Array(0);
