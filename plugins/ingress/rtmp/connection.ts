/**
 * One client's connection: let in or refused by what it asks for, then read as FLV.
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

/** Of a client that nobody has let in. */
export const STRANGER = { messageBytes: 4096, waitingBytes: 8192, allBytes: 65_536 } as const;
/** Of a publisher: a picture of 50 Mbit/s is far below. */
export const PUBLISHER = { messageBytes: 4 << 20, waitingBytes: 6 << 20 } as const;
const MAX_METADATA_BYTES = 65_536;
const READ_BYTES = 65_536;
const STRANGER_READ_BYTES = 4096;
/** Of one read: chunks of 128 bytes, the least that is usual, are 512. More of them have to wait, 100,000 a second. */
const CHUNKS_AT_ONCE = 2048;
const CHUNKS_PER_MS = 100;

export class RtmpConnection {
  readonly #conn: Deno.Conn;
  readonly #reader = new ChunkReader(STRANGER);
  readonly #talk: Conversation;
  #refusal: string | undefined;
  /** Begun by what let it publish, and still to be read. */
  #messages: Iterator<RtmpMessage, void> | undefined;
  #received = 0;
  #acknowledged = 0;
  #writing = false;
  #closed = false;
  readonly #pause: (ms: number) => Promise<void>;

  /**
   * @param judge Says why a client may not publish; `undefined` lets it. Asked once at most.
   * @param pause How it waits, where a test has a reason.
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
   * Talks with the client until it publishes, is refused, or goes. Whoever calls ends it in time by {@link close}.
   * @returns Why it was refused; `undefined` when it publishes, "gone" when it has left before.
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
   * What it publishes, as FLV in pieces of whole tags. Ends when the client does.
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
      // Bytes that make work without being media: others get their turn.
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
    } catch { // The client was faster.
    }
  }

  /** @returns What has come behind the handshake, or `undefined` when it never ends. */
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
    } catch { // It was closed, by the client or by us.
      return undefined;
    }
  }

  #tag(message: RtmpMessage): Uint8Array<ArrayBuffer> | undefined {
    const { type, timestampMs, payload } = message;
    if (type === MESSAGE.audio || type === MESSAGE.video) {
      // A byte on the wire each: nothing is in them.
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

  /** Media waits for no answer: while one is on its way to a client that does not read, others are left out. */
  #answer(bytes: Uint8Array): void {
    if (this.#writing) return;
    this.#writing = true;
    void writeAll(this.#conn, bytes).catch(() => {}).finally(() => this.#writing = false);
  }
}

/** The texts that may stand in front of what describes the media, as AMF 0 writes them. */
const SET_DATA_FRAME = encodeAmf(["@setDataFrame"]);
const ON_META_DATA = encodeAmf(["onMetaData"]);

/** What describes the media: as a command has it, behind "@setDataFrame", or alone. Everything else is left out. */
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
