/**
 * A session with the WebTransport API as a connection: of a browser, or of qmux over a WebSocket.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import { BrowserReceive, BrowserSend } from "./browser_stream.ts";
import type {
  BidiStream,
  CloseInfo,
  Connection,
  ReceiveStream,
  SendStream,
  StreamOptions,
} from "../connection.ts";
import { ConnectionClosed } from "../errors.ts";

/** Most datagrams that wait in one direction; further ones are dropped. */
const MAX_WAITING_DATAGRAMS = 256;

/** The part of the API that is used. */
export type SessionTransport = Pick<
  WebTransport,
  | "closed"
  | "close"
  | "datagrams"
  | "createUnidirectionalStream"
  | "createBidirectionalStream"
  | "incomingUnidirectionalStreams"
  | "incomingBidirectionalStreams"
>;
/** Additions of newer drafts that Deno's types do not have. */
type Transport = SessionTransport & {
  readonly protocol?: string;
  readonly draining?: Promise<unknown>;
};
type Datagrams = WebTransportDatagramDuplexStream & {
  createWritable?: () => WritableStream<Uint8Array>;
};

/** How a session was dialed. */
export interface BrowserOrigin {
  readonly kind: "webtransport" | "websocket";
  /** Path and query that were dialed. */
  readonly path: string;
  /** "host:port" of the peer. */
  readonly remoteAddress: string;
}

/** A session of WebTransport in a browser, or of a library with the same API. */
export class BrowserConnection implements Connection {
  readonly kind: "webtransport" | "websocket";
  readonly protocol: string;
  readonly path: string;
  readonly remoteAddress: string;
  readonly #end = Promise.withResolvers<CloseInfo>();
  readonly closed: Promise<CloseInfo> = this.#end.promise;
  readonly draining?: Promise<unknown>;
  readonly #transport: Transport;
  readonly #uni: ReadableStreamDefaultReader<WebTransportReceiveStream>;
  readonly #bidi: ReadableStreamDefaultReader<WebTransportBidirectionalStream>;
  readonly #datagrams: ReadableStreamDefaultReader<Uint8Array>;
  readonly #datagramsOut: WritableStreamDefaultWriter<Uint8Array>;
  #datagramsWaiting = 0;
  #over = false;

  /** @param transport Must be ready. The connection owns it from now on. */
  constructor(transport: SessionTransport, origin: BrowserOrigin) {
    this.#transport = transport;
    this.protocol = this.#transport.protocol ?? "";
    const { draining } = this.#transport;
    // These promises fail with the session; nobody needs their errors.
    if (draining !== undefined) {
      this.draining = new Promise((asks) => draining.then(asks, () => {}));
    }
    this.kind = origin.kind;
    this.path = origin.path;
    this.remoteAddress = origin.remoteAddress;
    this.#uni = transport.incomingUnidirectionalStreams.getReader();
    this.#bidi = transport.incomingBidirectionalStreams.getReader();
    const datagrams: Datagrams = transport.datagrams;
    datagrams.incomingHighWaterMark = MAX_WAITING_DATAGRAMS;
    this.#datagrams = datagrams.readable.getReader();
    this.#datagramsOut = (datagrams.createWritable?.() ?? datagrams.writable).getWriter();
    transport.closed.then(
      ({ closeCode, reason }) =>
        this.#ended({ code: closeCode ?? 0, reason: reason ?? "", abrupt: false }),
      (thrown) => this.#ended({ code: 0, reason: reasonOf(thrown), abrupt: true }),
    );
  }
  get maxDatagramBytes(): number {
    return this.#over ? 0 : this.#transport.datagrams.maxDatagramSize;
  }

  async openUni(options: StreamOptions = {}): Promise<SendStream> {
    const stream = await this.#opened(
      this.#transport.createUnidirectionalStream({ ...options, waitUntilAvailable: true }),
    );
    return new BrowserSend(stream);
  }
  async openBidi(options: StreamOptions = {}): Promise<BidiStream> {
    const stream = await this.#opened(
      this.#transport.createBidirectionalStream({ ...options, waitUntilAvailable: true }),
    );
    return bothHalves(stream);
  }
  async acceptUni(): Promise<ReceiveStream | undefined> {
    const stream = await next(this.#uni);
    return stream && new BrowserReceive(stream);
  }
  async acceptBidi(): Promise<BidiStream | undefined> {
    const stream = await next(this.#bidi);
    return stream && bothHalves(stream);
  }
  sendDatagram(payload: Uint8Array): boolean {
    if (this.#over || payload.length > this.maxDatagramBytes) return false;
    if (this.#datagramsWaiting >= MAX_WAITING_DATAGRAMS) return true; // dropped, as on a full network
    this.#datagramsWaiting++;
    const taken = () => void this.#datagramsWaiting--;
    this.#datagramsOut.write(payload).then(taken, taken);
    return true;
  }
  readDatagram(): Promise<Uint8Array | undefined> {
    return next(this.#datagrams);
  }
  close(code = 0, reason = ""): void {
    if (this.#over) return;
    this.#transport.close({ closeCode: code, reason });
    this.#ended({ code, reason, abrupt: false });
  }

  #ended(info: CloseInfo): void {
    this.#over = true;
    this.#end.resolve(info);
  }
  async #opened<T>(stream: Promise<T>): Promise<T> {
    try {
      return await stream;
    } catch (cause) {
      throw new ConnectionClosed(reasonOf(cause), { cause });
    }
  }
}

function bothHalves({ writable, readable }: WebTransportBidirectionalStream): BidiStream {
  // In the types of browsers, which the page is checked with, the halves are plain streams.
  return {
    send: new BrowserSend(writable as WebTransportSendStream),
    receive: new BrowserReceive(readable as WebTransportReceiveStream),
  };
}

/** The next arrival; `undefined` once the session has ended. */
async function next<T>(reader: ReadableStreamDefaultReader<T>): Promise<T | undefined> {
  try {
    return (await reader.read()).value;
  } catch {
    return undefined;
  }
}
