/**
 * The server's side of RTMP's commands, for publishers alone. No socket and no clock: messages in, answers out.
 *
 * @see RTMP 1.0, section 7.2.
 * @module
 */
import { type Amf, decodeAmf, encodeAmf } from "./amf0.ts";
import { chunksOf } from "./chunk_writer.ts";
import { RtmpViolation } from "./errors.ts";
import { numberOf } from "./chunk_reader.ts";
import { MESSAGE, type RtmpMessage } from "./message.ts";
import type { PublishRequest } from "./stream_key.ts";

/** Most messages of a client before it publishes. */
export const MAX_MESSAGES_BEFORE = 64;
/** The stream that `createStream` gives; there is one. */
const STREAM = 1;
/** A side acknowledges after so many bytes. */
const WINDOW_BYTES = 2_500_000;
const CONTROL_CHUNKS = 2;
const COMMAND_CHUNKS = 3;

export type Standing = "asking" | "publishing" | "refused" | "over";

export class Conversation {
  readonly #judge: (asked: PublishRequest) => string | undefined;
  #standing: Standing = "asking";
  #app: string | undefined;
  #tcUrl = "";
  #messages = 0;

  /** @param judge Says why a client may not publish; `undefined` accepts it. Called once. */
  constructor(judge: (asked: PublishRequest) => string | undefined) {
    this.#judge = judge;
  }

  get standing(): Standing {
    return this.#standing;
  }

  /**
   * Takes a message that is not media.
   * @returns The answers. Nothing more is read once the client is refused or the conversation is over.
   * @throws {RtmpViolation}
   */
  take(message: RtmpMessage): Uint8Array<ArrayBuffer>[] {
    if (this.#standing === "asking" && ++this.#messages > MAX_MESSAGES_BEFORE) {
      throw new RtmpViolation(
        `Cannot go on: it has sent ${MAX_MESSAGES_BEFORE} messages and does not publish`,
      );
    }
    switch (message.type) {
      case MESSAGE.command:
        return this.#command(message.payload);
      case MESSAGE.commandAmf3: // Its first byte says that AMF 0 follows.
        return this.#command(message.payload.subarray(1));
      case MESSAGE.userControl:
        return pong(message.payload);
      case MESSAGE.audio:
      case MESSAGE.video:
      case MESSAGE.data:
      case MESSAGE.dataAmf3:
        throw new RtmpViolation("Cannot take media: it has not been let in to publish");
      default:
        return [];
    }
  }

  #command(payload: Uint8Array): Uint8Array<ArrayBuffer>[] {
    const [name, transaction, ...rest] = decodeAmf(payload);
    if (typeof name !== "string" || typeof transaction !== "number") {
      throw new RtmpViolation("Cannot read a command: it has no name or no number");
    }
    if (name === "connect") return this.#connect(transaction, rest[0]);
    if (this.#app === undefined) {
      throw new RtmpViolation("Cannot take a command before `connect`");
    }
    if (this.#standing === "publishing") {
      if (/^(deleteStream|closeStream|FCUnpublish)$/.test(name)) this.#standing = "over";
      if (name === "publish") {
        throw new RtmpViolation("Cannot publish twice over one connection");
      }
      return [];
    }
    switch (name) {
      case "createStream":
        return [command(0, ["_result", transaction, null, STREAM])];
      case "releaseStream":
      case "FCPublish":
        return [command(0, ["_result", transaction, null])];
      case "publish":
        return this.#publish(rest[1]);
      case "play":
      case "play2":
        this.#standing = "refused";
        return [status("error", "NetStream.Play.Failed", "There is nothing to play here")];
      default:
        return [];
    }
  }

  #connect(transaction: number, about: Amf): Uint8Array<ArrayBuffer>[] {
    if (this.#app !== undefined) throw new RtmpViolation("Cannot connect twice");
    const app = about instanceof Map ? about.get("app") : undefined;
    if (typeof app !== "string") {
      throw new RtmpViolation("Cannot connect: it names no application");
    }
    const tcUrl = (about as ReadonlyMap<string, Amf>).get("tcUrl");
    this.#app = app;
    this.#tcUrl = typeof tcUrl === "string" ? tcUrl : "";
    const server = new Map<string, Amf>([["fmsVer", "FMS/3,0,1,123"], ["capabilities", 31]]);
    return [
      control(MESSAGE.windowSize, uint32(WINDOW_BYTES)),
      control(MESSAGE.peerBandwidth, [...uint32(WINDOW_BYTES), 2]), // dynamic
      command(0, [
        "_result",
        transaction,
        server,
        information({
          level: "status",
          code: "NetConnection.Connect.Success",
          description: "Connection succeeded.",
          objectEncoding: 0,
        }),
      ]),
    ];
  }

  #publish(name: Amf): Uint8Array<ArrayBuffer>[] {
    if (typeof name !== "string") throw new RtmpViolation("Cannot publish: it names no stream");
    const refusal = this.#judge({ app: this.#app!, tcUrl: this.#tcUrl, name });
    this.#standing = refusal === undefined ? "publishing" : "refused";
    return [
      refusal === undefined
        ? status("status", "NetStream.Publish.Start", "Publishing")
        : status("error", "NetStream.Publish.BadName", `Not allowed: ${refusal}`),
    ];
  }
}

/** An acknowledgement. @param bytes All bytes received, wrapping at 32 bits. */
export function acknowledgement(bytes: number): Uint8Array<ArrayBuffer> {
  return control(MESSAGE.acknowledgement, uint32(bytes % 2 ** 32));
}
/** How many bytes may come between two acknowledgements. */
export const ACKNOWLEDGED_BYTES = WINDOW_BYTES / 2;

/** Answers a ping: event 6 of user control messages. */
function pong(payload: Uint8Array): Uint8Array<ArrayBuffer>[] {
  if (payload.length < 6 || numberOf(payload) >>> 16 !== 6) return [];
  return [control(MESSAGE.userControl, [0, 7, ...payload.subarray(2, 6)])];
}

const status = (level: "status" | "error", code: string, description: string) =>
  command(STREAM, ["onStatus", 0, null, information({ level, code, description })]);

const information = (fields: Readonly<Record<string, Amf>>): Amf => new Map(Object.entries(fields));

const command = (streamId: number, values: readonly Amf[]) =>
  chunksOf(COMMAND_CHUNKS, {
    ...{ type: MESSAGE.command, streamId, timestampMs: 0 },
    payload: encodeAmf(values),
  });

const control = (type: number, bytes: readonly number[]) =>
  chunksOf(CONTROL_CHUNKS, {
    ...{ type, streamId: 0, timestampMs: 0 },
    payload: Uint8Array.from(bytes),
  });

const uint32 = (n: number) => [n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff];
