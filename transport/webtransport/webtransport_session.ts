import { reasonOf } from "../../base/errors.ts";
import { Capsule, capsuleFrame } from "../../wire/h3/capsules.ts";
import { H3Error } from "../../wire/h3/errors.ts";
import { encodeFrame, type Frame, FrameType, type ItemParser } from "../../wire/h3/frames.ts";
import {
  capsuleParser,
  CLOSE_CAPSULE,
  datagramPrefixBytes,
  decodeClose,
  decodeDatagram,
  encodeClose,
  encodeDatagram,
  fromHttpCode,
  streamPrefix,
} from "../../wire/h3/webtransport.ts";
import { ProtocolViolation } from "../../wire/errors.ts";
import type {
  BidiStream,
  CloseInfo,
  Connection,
  ReceiveStream,
  SendStream,
  StreamOptions,
} from "../connection.ts";
import { ConnectionClosed, StreamReset } from "../errors.ts";
import { type H3Connection, refuse, type SessionStream } from "./h3_connection.ts";
import { SessionFlow } from "./session_flow.ts";
import type { QuicBidi } from "../quic/quic_connection.ts";
import type { QuicReceive, QuicSend, StreamOwner } from "../quic/quic_stream.ts";
import { Arrivals } from "../queue.ts";

/** Most datagrams that wait for a slow reader; newer ones are dropped. */
const MAX_UNREAD_DATAGRAMS = 256;
/** How long the peer may take to close the QUIC connection after the session. */
const LINGER_MS = 1000;
/** Above all media: a close must not wait behind it. */
const FIRST_OF_ALL = 2 ** 31 - 1;

/** The CONNECT request of a session. */
export interface SessionBasis {
  readonly h3: H3Connection;
  /** The peer's. */
  readonly settings: ReadonlyMap<number, number>;
  /** The CONNECT stream, its request read and answered with 200. */
  readonly stream: QuicBidi;
  /** Reads on after the HEADERS. */
  readonly parser: ItemParser;
  /** Frames that came together with the HEADERS. */
  readonly early: readonly Frame[];
  readonly protocol: string;
  readonly path: string;
  /** Whether the client closes the QUIC connection: the server waits for it. */
  readonly side: "client" | "server";
}

/** A WebTransport session over HTTP/3, of either side. It closes its QUIC connection at its end. */
export class WebTransportSession implements Connection, StreamOwner {
  readonly kind = "webtransport";
  readonly protocol: string;
  readonly path: string;
  readonly remoteAddress: string;
  readonly sends = new Set<QuicSend>();
  readonly receives = new Set<QuicReceive>();
  readonly #end = Promise.withResolvers<CloseInfo>();
  readonly closed: Promise<CloseInfo> = this.#end.promise;
  readonly #draining = Promise.withResolvers<void>();
  readonly draining: Promise<void> = this.#draining.promise;
  readonly #h3: H3Connection;
  readonly #flow: SessionFlow | undefined;
  readonly #basis: SessionBasis;
  readonly #sessionId: number;
  readonly #datagramPrefixBytes: number;
  readonly #uniPrefix: Uint8Array;
  readonly #bidiPrefix: Uint8Array;
  readonly #capsules = capsuleParser();
  readonly #uni = new Arrivals<QuicReceive>();
  readonly #bidi = new Arrivals<QuicBidi>();
  readonly #datagrams = new Arrivals<Uint8Array>();
  /** Streams that have ended with the session, and must not look as if they had been written to their end. */
  readonly #lost: QuicSend[] = [];
  #readsDatagrams = false;
  #ended: CloseInfo | undefined;
  /** Counts the bytes that are read; absent without flow control. */
  readonly #received: ((bytes: number) => void) | undefined;

  constructor(basis: SessionBasis) {
    this.#basis = basis;
    this.#h3 = basis.h3;
    this.protocol = basis.protocol;
    this.path = basis.path;
    this.remoteAddress = basis.h3.quic.remoteAddress;
    this.#sessionId = basis.stream.send.id;
    this.#datagramPrefixBytes = datagramPrefixBytes(this.#sessionId);
    this.#uniPrefix = streamPrefix("uni", this.#sessionId);
    this.#bidiPrefix = streamPrefix("bidi", this.#sessionId);
    basis.stream.send.setSendOrder(FIRST_OF_ALL);
    const tell = (frame: Uint8Array) => basis.stream.send.write(frame);
    this.#flow = SessionFlow.between(basis.settings, basis.h3.window, tell);
    const flow = this.#flow;
    if (flow !== undefined) this.#received = (bytes) => this.#keep(() => flow.received(bytes));
    basis.h3.leaving.then(() => this.#draining.resolve());
    this.#h3.attach(this.#sessionId, this);
    this.#run();
  }
  get maxDatagramBytes(): number {
    if (this.#ended) return 0;
    return Math.max(0, this.#h3.quic.maxDatagramBytes - this.#datagramPrefixBytes);
  }

  async openUni(options: StreamOptions = {}): Promise<SendStream> {
    this.#check();
    await this.#flow?.opening("uni");
    this.#check();
    const send = await this.#h3.quic.openUni(options);
    this.#own(send, this.#uniPrefix);
    return send;
  }
  async openBidi(options: StreamOptions = {}): Promise<BidiStream> {
    this.#check();
    await this.#flow?.opening("bidi");
    this.#check();
    const stream = await this.#h3.quic.openBidi(options);
    this.#own(stream.send, this.#bidiPrefix);
    stream.receive.adopt(this, sessionCode, this.#received);
    return stream;
  }
  acceptUni(): Promise<ReceiveStream | undefined> {
    return this.#uni.next();
  }
  acceptBidi(): Promise<BidiStream | undefined> {
    return this.#bidi.next();
  }
  sendDatagram(payload: Uint8Array): boolean {
    if (this.#ended || payload.length > this.maxDatagramBytes) return false;
    return this.#h3.quic.sendDatagram(encodeDatagram(this.#sessionId, payload));
  }
  readDatagram(): Promise<Uint8Array | undefined> {
    if (!this.#readsDatagrams) {
      this.#readsDatagrams = true;
      this.#readDatagrams();
    }
    return this.#datagrams.next();
  }
  drain(): void {
    if (this.#ended) return;
    this.#basis.stream.send.write(capsuleFrame(Capsule.drain));
    this.#h3.goaway();
  }
  close(code = 0, reason = ""): void {
    if (this.#ended) return;
    const capsule = encodeClose({ code, reason });
    this.#basis.stream.send.write(encodeFrame(FrameType.data, capsule));
    this.#over({ code, reason, abrupt: false });
  }

  /** A stream the peer opened in this session. */
  take(stream: SessionStream): void {
    if (this.#ended) return refuse(stream);
    const { uni, bidi } = stream;
    this.#keep(() => this.#flow?.opened(uni ? "uni" : "bidi"));
    if (this.#ended) return refuse(stream); // one stream too many
    (uni ?? bidi.receive).adopt(this, sessionCode, this.#received);
    bidi?.send.adopt(this, undefined, this.#flow);
    if (uni) this.#uni.push(uni);
    else this.#bidi.push(bidi);
  }

  async #run(): Promise<void> {
    const { stream, parser, early } = this.#basis;
    try {
      for (const frame of early) this.#read(frame);
      for (let chunk; (chunk = await stream.receive.read());) {
        for (const frame of parser.push(chunk)) this.#read(frame);
      }
      this.#over({ code: 0, reason: "", abrupt: false });
      if (this.#basis.side === "client") this.#h3.quic.close(H3Error.none);
    } catch (thrown) {
      if (thrown instanceof ProtocolViolation) {
        this.#over({ code: 0, reason: thrown.message, abrupt: true });
        this.#h3.violated(thrown);
      } else if (thrown instanceof StreamReset) {
        this.#over({ code: 0, reason: "the CONNECT stream was reset", abrupt: true });
      } else {
        const { reason, abrupt } = await this.#h3.quic.closed;
        this.#over({ code: 0, reason: reason || reasonOf(thrown), abrupt });
      }
    }
  }
  #read(frame: Frame): void {
    if (frame.type !== FrameType.data) return;
    for (const { type, payload } of this.#capsules.push(frame.payload)) {
      if (type === CLOSE_CAPSULE) this.#over({ ...decodeClose(payload), abrupt: false });
      else if (type === Capsule.drain) this.#draining.resolve();
      else this.#flow?.read(type, payload);
    }
  }
  /** Ends the session when the peer exceeds a limit. */
  #keep(count: () => void): void {
    try {
      count();
    } catch (thrown) {
      if (!(thrown instanceof ProtocolViolation)) throw thrown;
      this.#over({ code: 0, reason: thrown.message, abrupt: true });
      this.#h3.violated(thrown);
    }
  }
  #own(send: QuicSend, prefix: Uint8Array): void {
    if (this.#ended) {
      this.#lose(send);
      this.#check();
    }
    send.adopt(this, prefix, this.#flow);
  }
  #check(): void {
    if (this.#ended) throw new ConnectionClosed(printEnd(this.#ended));
  }
  #over(info: CloseInfo): void {
    if (this.#ended) return;
    this.#ended = info;
    this.#basis.stream.send.finish();
    this.#h3.detach(this.#sessionId);
    this.#flow?.end();
    for (const send of this.sends) this.#lose(send);
    const gone = new ConnectionClosed(printEnd(info));
    for (const receive of this.receives) receive.fail(gone);
    for (const arrivals of [this.#uni, this.#bidi, this.#datagrams]) arrivals.end();
    this.#end.resolve(info);
    const linger = setTimeout(() => this.#h3.quic.close(H3Error.none), LINGER_MS);
    this.#h3.quic.closed.then(() => {
      clearTimeout(linger);
      for (const send of this.#lost.splice(0)) send.release();
    });
  }
  #lose(send: QuicSend): void {
    this.#lost.push(send);
    send.lose();
  }
  /** Runs as long as the QUIC connection: one wait per datagram that also ends with the session would leak promises. */
  async #readDatagrams(): Promise<void> {
    for (let datagram; (datagram = await this.#h3.quic.readDatagram());) {
      try {
        const { sessionId, payload } = decodeDatagram(datagram);
        if (sessionId !== this.#sessionId) continue;
        if (this.#datagrams.length < MAX_UNREAD_DATAGRAMS) this.#datagrams.push(payload);
      } catch { // A malformed datagram is dropped like a lost one.
      }
    }
  }
}

/** The code of the peer for a reset; 0 when it is not a code of a session. */
function sessionCode(httpCode: number): number {
  return fromHttpCode(httpCode) ?? 0;
}

function printEnd({ code, reason, abrupt }: CloseInfo): string {
  return abrupt ? `it was lost (${reason})` : `it was closed with code ${code} (${reason})`;
}
