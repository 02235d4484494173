/**
 * The connection of one client: accepted or refused, then read as FLV.
 *
 * @module
 */
import { concat } from "../../../base/bytes.ts";
import { sleep } from "../../../base/sleep.ts";
import { ChunkReader } from "./chunk_reader.ts";
import { ACKNOWLEDGED_BYTES, acknowledgement, Conversation } from "./conversation.ts";
import { encodeAmf } from "./amf0.ts";
import { RtmpViolation } from "./errors.ts";
import { FLV_HEADER, flvTag } from "./flv.ts";
import { answerHello, checkVersion, HANDSHAKE_BYTES, HELLO_BYTES } from "./handshake.ts";
import { MESSAGE, type RtmpMessage } from "./message.ts";
import type { PublishRequest } from "./stream_key.ts";

/** Limits of a client that is not accepted yet. */
export const STRANGER = { messageBytes: 4096, waitingBytes: 8192, allBytes: 65_536 } as const;
/** Limits of a publisher: video of 50 Mbit/s is far below. */
export const PUBLISHER = { messageBytes: 4 << 20, waitingBytes: 6 << 20 } as const;
const MAX_METADATA_BYTES = 65_536;
const READ_BYTES = 65_536;
const STRANGER_READ_BYTES = 4096;
/** A read with more chunks waits: 100,000 pass per second. With chunks of 128 bytes, the smallest usual size, it has 512. */
const CHUNKS_AT_ONCE = 2048;
const CHUNKS_PER_MS = 100;

export class RtmpConnection {
  readonly #conn: Deno.Conn;
  readonly #reader = new ChunkReader(STRANGER);
  readonly #talk: Conversation;
  #refusal: string | undefined;
  /** The messages behind the `publish` command, still to be read. */
  #messages: Iterator<RtmpMessage, void> | undefined;
  #received = 0;
  #acknowledged = 0;
  #writing = false;
  #closed = false;
  readonly #pause: (ms: number) => Promise<void>;

  /**
   * @param judge Says why a client may not publish; `undefined` accepts it. Called at most once.
   * @param pause How it waits; a test brings its own.
   */
  constructor(
    conn: Deno.Conn,
    judge: (asked: PublishRequest) => string | undefined,
    pause: (ms: number) => Promise<void> = sleep,
  ) {
    this.#conn = conn;
    this.#pause = pause;
    this.#talk = new Conversation((asked) => this.#refusal = judge(asked));
  }

  /**
   * Talks with the client until it publishes, is refused, or leaves. The caller limits the time by {@link close}.
   * @returns Why it was refused; `undefined` when it publishes, "gone" when it has left.
   * @throws {RtmpViolation}
   */
  async open(): Promise<"publishing" | "gone" | { readonly refused: string }> {
    const bytes = await this.#shake();
    if (bytes === undefined) return "gone";
    let part: Uint8Array | undefined = bytes;
    const buffer = new Uint8Array(STRANGER_READ_BYTES);
    while (part !== undefined) {
      this.#received += part.length;
      if (this.#received > STRANGER.allBytes) {
        throw new RtmpViolation("Cannot go on: it sends and sends, and does not publish");
      }
      const messages = this.#reader.push(part);
      for (let next = messages.next(); !next.done; next = messages.next()) {
        for (const answer of this.#talk.take(next.value)) await writeAll(this.#conn, answer);
        if (this.#refusal !== undefined) return { refused: this.#refusal };
        if (this.#talk.standing === "refused") return { refused: "it does not publish" };
        if (this.#talk.standing === "publishing") {
          this.#reader.limits = PUBLISHER;
          this.#messages = messages;
          return "publishing";
        }
      }
      part = await this.#read(buffer);
    }
    return "gone";
  }

  /**
   * The media as FLV, in pieces of whole tags. Ends when the client does.
   * @throws {RtmpViolation}
   */
  async *media(): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
    yield FLV_HEADER;
    let messages = this.#messages!;
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const tags: Uint8Array<ArrayBuffer>[] = [];
      const before = this.#reader.chunks;
      for (let next = messages.next(); !next.done; next = messages.next()) {
        const tag = this.#tag(next.value);
        if (tag !== undefined) tags.push(tag);
        if (this.#talk.standing === "over") break;
      }
      if (tags.length > 0) yield concat(tags);
      if (this.#talk.standing === "over") return;
      const chunks = this.#reader.chunks - before;
      // Chunks that are work without media wait, so that others get their turn.
      if (chunks > CHUNKS_AT_ONCE) await this.#pause(chunks / CHUNKS_PER_MS);
      const part = await this.#read(buffer);
      if (part === undefined) return;
      this.#received += part.length;
      this.#acknowledge();
      messages = this.#reader.push(part);
    }
  }

  /** Ends it at once. Harmless afterwards. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#conn.close();
    } catch { // The client has closed it.
    }
  }

  /** @returns The bytes behind the handshake; `undefined` when it does not end. */
  async #shake(): Promise<Uint8Array | undefined> {
    const all = new Uint8Array(HELLO_BYTES + HANDSHAKE_BYTES + STRANGER_READ_BYTES);
    let have = 0;
    let answered = false;
    while (have < HELLO_BYTES + HANDSHAKE_BYTES) {
      const part = await this.#read(all.subarray(have));
      if (part === undefined) return undefined;
      have += part.length;
      checkVersion(all[0]!);
      if (answered || have < HELLO_BYTES) continue;
      answered = true;
      await writeAll(this.#conn, answerHello(all.subarray(0, HELLO_BYTES)));
    }
    return all.slice(HELLO_BYTES + HANDSHAKE_BYTES, have);
  }

  async #read(buffer: Uint8Array): Promise<Uint8Array | undefined> {
    try {
      const count = await this.#conn.read(buffer);
      return count === null ? undefined : buffer.subarray(0, count);
    } catch { // It was closed, by the client or here.
      return undefined;
    }
  }

  #tag(message: RtmpMessage): Uint8Array<ArrayBuffer> | undefined {
    const { type, timestampMs, payload } = message;
    if (type === MESSAGE.audio || type === MESSAGE.video) {
      // Empty messages cost a byte on the wire.
      return payload.length === 0 ? undefined : flvTag(type, timestampMs, payload);
    }
    if (type === MESSAGE.data || type === MESSAGE.dataAmf3) return metadataTag(message);
    for (const answer of this.#talk.take(message)) this.#answer(answer);
    return undefined;
  }

  #acknowledge(): void {
    if (this.#received - this.#acknowledged < ACKNOWLEDGED_BYTES) return;
    this.#acknowledged = this.#received;
    this.#answer(acknowledgement(this.#received));
  }

  /** Media does not wait for answers: while one is on its way to a client that does not read, others are dropped. */
  #answer(bytes: Uint8Array): void {
    if (this.#writing) return;
    this.#writing = true;
    void writeAll(this.#conn, bytes).catch(() => {}).finally(() => this.#writing = false);
  }
}

/** Texts that may stand before the metadata, as AMF 0 writes them. */
const SET_DATA_FRAME = encodeAmf(["@setDataFrame"]);
const ON_META_DATA = encodeAmf(["onMetaData"]);

/** The metadata of a message: alone, or behind "@setDataFrame". Everything else is dropped. */
function metadataTag({ type, timestampMs, payload }: RtmpMessage) {
  const whole = type === MESSAGE.dataAmf3 ? payload.subarray(1) : payload;
  const described = begins(whole, SET_DATA_FRAME) ? whole.subarray(SET_DATA_FRAME.length) : whole;
  if (described.length > MAX_METADATA_BYTES || !begins(described, ON_META_DATA)) return undefined;
  return flvTag(MESSAGE.data, timestampMs, described);
}

const begins = (bytes: Uint8Array, by: Uint8Array) => by.every((byte, i) => bytes[i] === byte);

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
