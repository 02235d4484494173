import { encodeFrame, frameParser, FrameType } from "../wire/h3/frames.ts";
import { decodeSettings, encodeSettings, webTransportSettings } from "../wire/h3/settings.ts";
import { BIDI_WEBTRANSPORT, leadingVarint, UniType } from "../wire/h3/webtransport.ts";
import { ProtocolViolation } from "../wire/errors.ts";
import type { QuicBidi, QuicConnection } from "./quic_connection.ts";
import type { QuicReceive } from "./quic_stream.ts";

/** HTTP/3 error codes (RFC 9114 §8.1) that close a connection here. */
export const H3Error = { none: 0x100, protocol: 0x101 } as const;

/** Streams that came before their session, all sessions together; more are refused. */
const MAX_HELD_STREAMS = 256;

/** A stream inside a session, its prefix taken off. */
export type SessionStream =
  | { readonly uni: QuicReceive; readonly bidi?: never }
  | { readonly bidi: QuicBidi; readonly uni?: never };

/** Takes the streams of one session. */
export interface SessionStreams {
  take(stream: SessionStream): void;
}

/** How one side of HTTP/3 is played. */
export interface H3Options {
  /** Sessions the peer may open here, as SETTINGS announce it. */
  readonly maxSessions: number;
  /** A stream that carries a request. Nothing of it is read yet. */
  onRequest(stream: QuicBidi): void;
}

/**
 * The part of HTTP/3 that both sides of WebTransport share: SETTINGS out and in, and every stream of the peer sorted to where
 * it belongs. Each stream is looked at in its own task, so that a silent one holds up none.
 */
export class H3Connection {
  readonly quic: QuicConnection;
  /** The peer's SETTINGS, or `undefined` when the connection ended before they came. */
  readonly settings: Promise<ReadonlyMap<number, number> | undefined>;
  readonly #options: H3Options;
  readonly #settings = Promise.withResolvers<ReadonlyMap<number, number> | undefined>();
  readonly #sessions = new Map<number, SessionStreams | "over">();
  #held: { readonly sessionId: number; readonly stream: SessionStream }[] = [];

  constructor(quic: QuicConnection, options: H3Options) {
    this.quic = quic;
    this.#options = options;
    this.settings = this.#settings.promise;
    quic.closed.then(() => this.#settings.resolve(undefined));
    this.#guard(this.#sendSettings());
    this.#guard(this.#acceptUni());
    this.#guard(this.#acceptBidi());
  }

  /** Streams of this session go to `session`, those that wait already first. */
  attach(sessionId: number, session: SessionStreams): void {
    this.#sessions.set(sessionId, session);
    for (const stream of this.#release(sessionId)) session.take(stream);
  }
  /** There is no such session, or not any more: its streams are refused. */
  detach(sessionId: number): void {
    this.#sessions.set(sessionId, "over");
    for (const stream of this.#release(sessionId)) refuse(stream);
  }
  /** Runs a task of this connection: a broken wire format closes it, the end of a stream is nothing to tell. */
  async #guard(task: Promise<void>): Promise<void> {
    try {
      await task;
    } catch (thrown) {
      if (thrown instanceof ProtocolViolation) this.quic.close(H3Error.protocol, thrown.message);
    }
  }

  async #sendSettings(): Promise<void> {
    const control = await this.quic.openUni();
    const settings = encodeSettings(webTransportSettings(this.#options.maxSessions));
    const frame = encodeFrame(FrameType.settings, settings);
    control.write(Uint8Array.of(UniType.control, ...frame));
  }
  async #acceptUni(): Promise<void> {
    for (let stream; (stream = await this.quic.acceptUni());) this.#guard(this.#sortUni(stream));
  }
  async #acceptBidi(): Promise<void> {
    for (let stream; (stream = await this.quic.acceptBidi());) this.#guard(this.#sortBidi(stream));
  }
  async #sortUni(stream: QuicReceive): Promise<void> {
    const type = await readVarint(stream);
    if (type?.value === UniType.webTransport) {
      const session = await readVarint(stream);
      if (session) this.#give(session.value, { uni: stream });
    } else if (type?.value === UniType.control) await this.#readControl(stream);
    else while (await stream.read()); // QPACK streams have to stay open; GREASE has nothing to say.
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
    const parser = frameParser();
    for (let chunk; (chunk = await stream.read());) {
      for (const frame of parser.push(chunk)) {
        if (frame.type === FrameType.settings) {
          this.#settings.resolve(decodeSettings(frame.payload));
        }
      }
    }
  }
  #give(sessionId: number, stream: SessionStream): void {
    const session = this.#sessions.get(sessionId);
    if (session === "over") refuse(stream);
    else if (session) session.take(stream);
    else if (this.#held.length < MAX_HELD_STREAMS) this.#held.push({ sessionId, stream });
    else refuse(stream);
  }
  #release(sessionId: number): SessionStream[] {
    const mine = this.#held.filter((held) => held.sessionId === sessionId);
    this.#held = this.#held.filter((held) => held.sessionId !== sessionId);
    return mine.map((held) => held.stream);
  }
}

/** Turns a stream away that belongs to nothing. */
export function refuse({ uni, bidi }: SessionStream): void {
  (uni ?? bidi.receive).stop(0);
  bidi?.send.finish();
}

/** Reads a varint off the front of a stream, or `undefined` when it ends first. `bytes` is all that was read. */
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
