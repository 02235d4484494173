import { capsuleNumber } from "../../wire/h3/capsules.ts";
import { H3Error, H3Violation } from "../../wire/h3/errors.ts";
import { controlParser, encodeFrame, FrameType } from "../../wire/h3/frames.ts";
import {
  decodeSettings,
  encodeSettings,
  FLOW_WINDOW,
  type FlowWindow,
  webTransportSettings,
} from "../../wire/h3/settings.ts";
import { BIDI_WEBTRANSPORT, leadingVarint, UniType } from "../../wire/h3/webtransport.ts";
import { ProtocolViolation } from "../../wire/errors.ts";
import { Writer } from "../../wire/cursor.ts";
import type { QuicBidi, QuicConnection } from "../quic/quic_connection.ts";
import type { QuicReceive, QuicSend } from "../quic/quic_stream.ts";

/** Most streams that wait for their session, of all sessions; further ones are refused. */
const MAX_HELD_STREAMS = 16;
/** Most bytes that each may have by then; a longer one is refused. */
const MAX_HELD_BYTES = 8 * 1024;

/** A stream of a session, without its prefix. */
export type SessionStream =
  | { readonly uni: QuicReceive; readonly bidi?: never }
  | { readonly bidi: QuicBidi; readonly uni?: never };

/** Gets the streams of one session. */
export interface SessionStreams {
  take(stream: SessionStream): void;
}

/** Options of one side of HTTP/3. */
export interface H3Options {
  /** Sessions the peer may open, for our SETTINGS. */
  readonly maxSessions: number;
  readonly side: "client" | "server";
  /** The window of flow control of a session. Default {@link FLOW_WINDOW}. */
  readonly window?: FlowWindow;
  /** Gets each stream with a request. Nothing of it is read yet. */
  onRequest(stream: QuicBidi): void;
}

/**
 * The part of HTTP/3 that both sides of WebTransport share: SETTINGS in both directions, and sorting of the streams of the
 * peer. Each stream is read in its own task, so that a silent one does not block others.
 */
export class H3Connection {
  readonly quic: QuicConnection;
  /** The peer's SETTINGS, or `undefined` when the connection ended before. */
  readonly settings: Promise<ReadonlyMap<number, number> | undefined>;
  /** Fulfils (never rejects) when the peer wants the connection to end (GOAWAY). */
  readonly leaving: Promise<void>;
  /** As in our SETTINGS. */
  readonly window: FlowWindow;
  readonly #options: H3Options;
  readonly #settings = Promise.withResolvers<ReadonlyMap<number, number> | undefined>();
  readonly #leaving = Promise.withResolvers<void>();
  /** Our control stream. It is referenced here, because Deno finishes a collected stream, which would end the connection. */
  #control: QuicSend | undefined;
  /** Types of unidirectional streams that the peer has opened and may only open once. */
  readonly #seen = new Set<number>();
  /** Id of the first stream of the peer that has not come yet. */
  #nextBidi = 0;
  #goawaySent = false;
  #goawayId = Infinity;
  readonly #sessions = new Map<number, SessionStreams | "over">();
  #held: { readonly sessionId: number; readonly stream: SessionStream }[] = [];

  constructor(quic: QuicConnection, options: H3Options) {
    this.quic = quic;
    this.#options = options;
    this.settings = this.#settings.promise;
    this.leaving = this.#leaving.promise;
    this.window = options.window ?? FLOW_WINDOW;
    quic.closed.then(() => this.#settings.resolve(undefined));
    this.#guard(this.#sendSettings());
    this.#guard(this.#acceptUni());
    this.#guard(this.#acceptBidi());
  }

  /** Gives the streams of this session to `session`, waiting ones first. */
  attach(sessionId: number, session: SessionStreams): void {
    this.#sessions.set(sessionId, session);
    for (const stream of this.#release(sessionId)) session.take(stream);
  }
  /** Refuses the streams of a session that does not exist any more. */
  detach(sessionId: number): void {
    this.#sessions.set(sessionId, "over");
    for (const stream of this.#release(sessionId)) refuse(stream);
  }
  /** Sends GOAWAY: the peer begins nothing new on this connection (RFC 9114 §5.2). */
  goaway(): void {
    if (this.#goawaySent || this.#control === undefined) return;
    this.#goawaySent = true;
    // The id is the first refused request for a server, and the first refused push for a client: there are no pushes.
    const id = new Writer();
    id.varint(this.#options.side === "server" ? this.#nextBidi : 0);
    this.#control.write(encodeFrame(FrameType.goaway, id.done()));
  }
  /** Closes the connection after an error of the peer. */
  violated(violation: ProtocolViolation): void {
    const code = violation instanceof H3Violation ? violation.h3Code : H3Error.protocol;
    this.quic.close(code, violation.message);
  }
  /** Runs a task of this connection. A violation closes the connection; the end of a stream is no error. */
  async #guard(task: Promise<void>): Promise<void> {
    try {
      await task;
    } catch (thrown) {
      if (thrown instanceof ProtocolViolation) this.violated(thrown);
    }
  }

  async #sendSettings(): Promise<void> {
    this.#control = await this.quic.openUni();
    const settings = webTransportSettings(this.#options.maxSessions, this.window);
    const frame = encodeFrame(FrameType.settings, encodeSettings(settings));
    this.#control.write(Uint8Array.of(UniType.control, ...frame));
  }
  async #acceptUni(): Promise<void> {
    for (let stream; (stream = await this.quic.acceptUni());) this.#guard(this.#sortUni(stream));
  }
  async #acceptBidi(): Promise<void> {
    for (let stream; (stream = await this.quic.acceptBidi());) {
      this.#nextBidi = Math.max(this.#nextBidi, stream.send.id + 4);
      this.#guard(this.#sortBidi(stream));
    }
  }
  async #sortUni(stream: QuicReceive): Promise<void> {
    const type = await readVarint(stream);
    if (type !== undefined) this.#countUni(type.value);
    if (type?.value === UniType.webTransport) {
      const session = await readVarint(stream);
      if (session) this.#give(session.value, { uni: stream });
    } else if (type?.value === UniType.control) await this.#readControl(stream);
    else while (await stream.read()); // QPACK streams must stay open; GREASE is ignored.
  }
  #countUni(type: number): void {
    if (!ONE_EACH.has(type)) return;
    // We did not allow pushes, so there is no such stream.
    if (!this.#seen.has(type) && type !== UniType.push) return void this.#seen.add(type);
    const detail = `one more stream of type ${type}`;
    throw new H3Violation(H3Error.streamCreation, "HTTP/3 connection", detail);
  }
  async #sortBidi(stream: QuicBidi): Promise<void> {
    const type = await readVarint(stream.receive);
    if (type === undefined) return refuse({ bidi: stream });
    if (type.value !== BIDI_WEBTRANSPORT) {
      stream.receive.unread(type.bytes);
      return this.#options.onRequest(stream);
    }
    const session = await readVarint(stream.receive);
    if (session) this.#give(session.value, { bidi: stream });
    else refuse({ bidi: stream });
  }
  async #readControl(stream: QuicReceive): Promise<void> {
    const parser = controlParser();
    for (let chunk; (chunk = await stream.read());) {
      for (const { type, payload } of parser.push(chunk)) {
        if (type === FrameType.settings) this.#settings.resolve(decodeSettings(payload));
        else this.#readGoaway(payload);
      }
    }
    const detail = "it was finished";
    throw new H3Violation(H3Error.closedCriticalStream, "HTTP/3 control stream", detail);
  }
  #readGoaway(payload: Uint8Array): void {
    const id = capsuleNumber(payload);
    if (id > this.#goawayId) {
      throw new H3Violation(H3Error.id, "GOAWAY", `${id} after ${this.#goawayId}`);
    }
    this.#goawayId = id;
    this.#leaving.resolve();
  }
  #give(sessionId: number, stream: SessionStream): void {
    const session = this.#sessions.get(sessionId);
    if (session === "over") refuse(stream);
    else if (session) session.take(stream);
    else if (this.#held.length < MAX_HELD_STREAMS) void this.#hold({ sessionId, stream });
    else refuse(stream);
  }
  /** Keeps a stream until its session exists. It is read meanwhile: QUIC would buffer far more of an unread one. */
  async #hold(held: { readonly sessionId: number; readonly stream: SessionStream }): Promise<void> {
    this.#held.push(held);
    const { uni, bidi } = held.stream;
    if (await (uni ?? bidi.receive).gather(MAX_HELD_BYTES)) return;
    this.#held = this.#held.filter((other) => other !== held);
    refuse(held.stream);
  }
  #release(sessionId: number): SessionStream[] {
    const mine = this.#held.filter((held) => held.sessionId === sessionId);
    this.#held = this.#held.filter((held) => held.sessionId !== sessionId);
    return mine.map((held) => held.stream);
  }
}

/** Types of unidirectional streams that a peer may open once. */
const ONE_EACH: ReadonlySet<number> = new Set([
  UniType.control,
  UniType.push,
  UniType.encoder,
  UniType.decoder,
]);

/** Refuses a stream without an owner. */
export function refuse({ uni, bidi }: SessionStream): void {
  (uni ?? bidi.receive).stop(0);
  bidi?.send.finish();
}

/** Reads a varint from the front of a stream, or `undefined` when the stream ends first. `bytes` are all bytes that were read. */
async function readVarint(
  stream: QuicReceive,
): Promise<{ value: number; bytes: Uint8Array } | undefined> {
  let bytes: Uint8Array = new Uint8Array(0);
  for (let chunk; (chunk = await stream.read());) {
    bytes = bytes.length === 0 ? chunk : join(bytes, chunk);
    const leading = leadingVarint(bytes);
    if (!leading) continue;
    stream.unread(leading.rest);
    return { value: leading.value, bytes };
  }
  return undefined;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
