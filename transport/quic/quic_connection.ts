import { reasonOf } from "../../base/errors.ts";
import type { BidiStream, CloseInfo, Connection, StreamOptions } from "../connection.ts";
import { ConnectionClosed } from "../errors.ts";
import { QuicReceive, QuicSend, type StreamOwner } from "./quic_stream.ts";

/** Most datagrams that wait in Deno. Above that the network is too slow, and new ones are dropped. */
const MAX_DATAGRAMS_IN_FLIGHT = 128;

/** A bidirectional QUIC stream. */
export interface QuicBidi extends BidiStream {
  readonly send: QuicSend;
  readonly receive: QuicReceive;
}

/** A raw QUIC connection, of either side. `protocol` is the ALPN. */
export class QuicConnection implements Connection, StreamOwner {
  readonly kind = "quic";
  readonly protocol: string;
  readonly path: string;
  readonly remoteAddress: string;
  readonly closed: Promise<CloseInfo>;
  readonly sends = new Set<QuicSend>();
  readonly receives = new Set<QuicReceive>();
  readonly #conn: Deno.QuicConn;
  readonly #endpoint: Deno.QuicEndpoint;
  readonly #uni: ReadableStreamDefaultReader<Deno.QuicReceiveStream>;
  readonly #bidi: ReadableStreamDefaultReader<Deno.QuicBidirectionalStream>;
  #own: CloseInfo | undefined;
  #ended = false;
  #datagramsInFlight = 0;

  /** @param path The dialed path. A server does not know it. */
  constructor(conn: Deno.QuicConn, path = "/") {
    this.#conn = conn;
    this.path = path;
    this.protocol = conn.protocol ?? "";
    this.remoteAddress = printAddress(conn.remoteAddr);
    // Deno closes the connections of a collected endpoint.
    this.#endpoint = conn.endpoint;
    this.#uni = conn.incomingUnidirectionalStreams.getReader();
    this.#bidi = conn.incomingBidirectionalStreams.getReader();
    this.closed = conn.closed.then(
      (info) => this.#over({ code: info.closeCode, reason: info.reason, abrupt: false }),
      (thrown) => this.#over({ code: 0, reason: reasonOf(thrown), abrupt: true }),
    );
  }
  get maxDatagramBytes(): number {
    return this.#ended ? 0 : this.#conn.maxDatagramSize;
  }

  async openUni(options: StreamOptions = {}): Promise<QuicSend> {
    const sendOrder = options.sendOrder ?? 0;
    try {
      return new QuicSend(
        await this.#conn.createUnidirectionalStream({ sendOrder, waitUntilAvailable: true }),
        this,
      );
    } catch (cause) {
      throw new ConnectionClosed(reasonOf(cause), { cause });
    }
  }
  async openBidi(options: StreamOptions = {}): Promise<QuicBidi> {
    const sendOrder = options.sendOrder ?? 0;
    try {
      return this.#both(
        await this.#conn.createBidirectionalStream({ sendOrder, waitUntilAvailable: true }),
      );
    } catch (cause) {
      throw new ConnectionClosed(reasonOf(cause), { cause });
    }
  }
  async acceptUni(): Promise<QuicReceive | undefined> {
    try {
      const { value } = await this.#uni.read();
      return value && new QuicReceive(value);
    } catch { // The connection was lost; `closed` has the reason.
      return undefined;
    }
  }
  async acceptBidi(): Promise<QuicBidi | undefined> {
    try {
      const { value } = await this.#bidi.read();
      return value && this.#both(value);
    } catch { // As above.
      return undefined;
    }
  }
  sendDatagram(payload: Uint8Array): boolean {
    if (this.#ended || this.#own || this.#datagramsInFlight >= MAX_DATAGRAMS_IN_FLIGHT) {
      return false;
    }
    if (payload.length > this.#conn.maxDatagramSize) return false;
    this.#datagramsInFlight++;
    this.#conn.sendDatagram(payload).then(this.#datagramGone, this.#datagramGone);
    return true;
  }
  async readDatagram(): Promise<Uint8Array | undefined> {
    try {
      return await this.#conn.readDatagram();
    } catch { // As above.
      return undefined;
    }
  }
  close(code = 0, reason = ""): void {
    if (this.#own || this.#ended) return;
    this.#own = { code, reason, abrupt: false };
    this.#conn.close({ closeCode: code, reason });
  }

  #both(stream: Deno.QuicBidirectionalStream): QuicBidi {
    return { send: new QuicSend(stream.writable, this), receive: new QuicReceive(stream.readable) };
  }
  #over(info: CloseInfo): CloseInfo {
    this.#ended = true;
    for (const send of this.sends) {
      send.lose();
      send.release();
    }
    return this.#own ?? info;
  }
  readonly #datagramGone = (): void => {
    this.#datagramsInFlight--;
  };
}

/** "ip:port", an IPv6 address in brackets; an IPv4 peer of a socket for both families as IPv4. */
export function printAddress({ hostname, port }: { hostname: string; port: number }): string {
  const plain = hostname.replace(/^::ffff:(?=\d+\.)/, "");
  return plain.includes(":") ? `[${plain}]:${port}` : `${plain}:${port}`;
}
