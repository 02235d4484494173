/**
 * WebTransport as browsers have it. What they keep to themselves (why a session did not come about) is put as advice.
 *
 * @module
 */
import { reasonOf } from "../base/errors.ts";
import { BrowserReceive, BrowserSend } from "./browser_stream.ts";
import { fetchHash, type PinnedUrl } from "./certificate_hash.ts";
import type {
  BidiStream,
  CloseInfo,
  Connection,
  ReceiveStream,
  SendStream,
  StreamOptions,
} from "./connection.ts";
import { ConnectFailed, ConnectionClosed, HandshakeFailed, NoWebTransport } from "./errors.ts";
import type { WebTransportConnectOptions } from "./webtransport_client.ts";

/** Datagrams that wait in either direction; what comes on top is dropped. */
const MAX_WAITING_DATAGRAMS = 256;

/** What newer drafts add and Deno's types lack. */
type Transport = WebTransport & { readonly protocol?: string };
type Datagrams = WebTransportDatagramDuplexStream & {
  createWritable?: () => WritableStream<Uint8Array>;
};

/** A session of a browser's own WebTransport. */
export class BrowserConnection implements Connection {
  readonly kind = "webtransport";
  readonly protocol: string;
  readonly path: string;
  readonly remoteAddress: string;
  readonly #end = Promise.withResolvers<CloseInfo>();
  readonly closed: Promise<CloseInfo> = this.#end.promise;
  readonly #transport: Transport;
  readonly #uni: ReadableStreamDefaultReader<WebTransportReceiveStream>;
  readonly #bidi: ReadableStreamDefaultReader<WebTransportBidirectionalStream>;
  readonly #datagrams: ReadableStreamDefaultReader<Uint8Array>;
  readonly #datagramsOut: WritableStreamDefaultWriter<Uint8Array>;
  #datagramsWaiting = 0;
  #over = false;

  /** @param transport One that is ready. It belongs to the connection from now on. */
  constructor(transport: WebTransport, url: URL) {
    this.#transport = transport;
    this.protocol = this.#transport.protocol ?? "";
    this.path = url.pathname + url.search;
    this.remoteAddress = url.host;
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
    if (this.#datagramsWaiting >= MAX_WAITING_DATAGRAMS) return true; // Lost, as on a full network.
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
  // The types of browsers, which the page is checked with, call the halves plain streams.
  return {
    send: new BrowserSend(writable as WebTransportSendStream),
    receive: new BrowserReceive(readable as WebTransportReceiveStream),
  };
}

/** What arrives next; `undefined` once the session has ended, in whatever way. */
async function next<T>(reader: ReadableStreamDefaultReader<T>): Promise<T | undefined> {
  try {
    return (await reader.read()).value;
  } catch {
    return undefined;
  }
}

/**
 * Connects from a browser: `https:` as it is; `http:` fetches the certificate's hash from `/certificate.sha256` first and
 * accepts that certificate alone.
 *
 * @throws {NoWebTransport} @throws {HandshakeFailed} @throws {ConnectFailed} Unknown scheme, options that no browser has,
 *   no answer in time, or given up.
 */
export async function dialBrowser(
  url: string | URL,
  options: WebTransportConnectOptions,
): Promise<Connection> {
  const asked = new URL(url);
  refuseWhatBrowsersCannot(asked, options);
  const signal = AbortSignal.any([
    AbortSignal.timeout(options.timeoutMs ?? 10_000),
    ...(options.signal ? [options.signal] : []),
  ]);
  const fetched = asked.protocol === "http:" ? await fetchHash(asked, signal) : undefined;
  const at: Partial<PinnedUrl> & { url: URL } = fetched ??
    { url: asked, ...(options.hash ? { hash: Uint8Array.from(options.hash) } : {}) };
  let transport: WebTransport | undefined;
  const gone = Promise.withResolvers<never>();
  const onAbort = () => gone.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    transport = new WebTransport(at.url.href, transportOptions(at.hash, options.protocols));
    transport.closed.catch(ignore);
    await Promise.race([transport.ready, gone.promise]);
    return new BrowserConnection(transport, asked);
  } catch (cause) {
    transport?.close();
    const detail = reasonOf(cause);
    if (!signal.aborted) {
      const advice = adviceFor(options, fetched !== undefined);
      throw new HandshakeFailed(asked.href, detail, advice, { cause });
    }
    const timedOut = cause instanceof DOMException && cause.name === "TimeoutError";
    const why = timedOut
      ? "no answer in time; is a relay there, and does UDP get through?"
      : detail;
    throw new ConnectFailed(asked.href, why, undefined, { cause });
  } finally {
    signal.removeEventListener("abort", onAbort);
    transport?.ready.catch(ignore);
  }
}

/** @throws {NoWebTransport} @throws {ConnectFailed} */
function refuseWhatBrowsersCannot(url: URL, options: WebTransportConnectOptions): void {
  const refuse = (why: string) => {
    throw new ConnectFailed(url.href, why);
  };
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    refuse(`${url.protocol}// needs raw QUIC, which only Deno has here; use https:// or http://`);
  }
  if (options.headers !== undefined && Object.keys(options.headers).length > 0) {
    refuse("a browser sends no headers of one's own; put a token into the query (?jwt=…)");
  }
  if (options.caCerts !== undefined && options.caCerts.length > 0) {
    refuse("a browser has its own root certificates (no caCerts); pin the server's with `hash`");
  }
  requireWebTransport(url);
}

/** @throws {NoWebTransport} There is none here. */
export function requireWebTransport(url: URL): void {
  if (typeof globalThis.WebTransport === "function") return;
  throw new NoWebTransport(url.href, whereIsWebTransport());
}

/** Why there is none, and what helps. */
function whereIsWebTransport(): string {
  const here = globalThis as { isSecureContext?: boolean; Deno?: unknown; document?: unknown };
  if (here.isSecureContext === false) {
    return "browsers have WebTransport in secure pages only; serve the page over https:// or as http://localhost";
  }
  if (here.Deno !== undefined) return "QUIC is switched off; start Deno with --unstable-net";
  if (here.document === undefined) {
    return "this runtime has no WebTransport; connect from Deno or a browser, or give Client.over() a connection";
  }
  return "this browser has no WebTransport; use a current Chrome, Edge, Firefox or Safari";
}

function transportOptions(
  hash: Uint8Array<ArrayBuffer> | undefined,
  protocols: readonly string[],
): WebTransportOptions {
  const options: WebTransportOptions & { protocols: string[] } = {
    protocols: [...protocols],
    congestionControl: "low-latency",
    requireUnreliable: true,
  };
  if (hash !== undefined) options.serverCertificateHashes = [{ algorithm: "sha-256", value: hash }];
  return options;
}

/** Where to look, as far as it is known from here. */
function adviceFor(options: WebTransportConnectOptions, fetched: boolean): string {
  const refusal = `the server refuses the path, the token or the versions (${
    options.protocols.join(", ")
  })`;
  if (fetched) return `HTTP reaches it, so either UDP is held back on the way, or ${refusal}`;
  const certificate = options.hash
    ? "the certificate is not the pinned one, or lasts longer than the two weeks allowed with a hash"
    : "the browser does not trust the certificate (pin a self-made one with `hash`, or use http://)";
  return `the browser does not say more: no server there, UDP held back, ${certificate}, or ${refusal}`;
}

function ignore(): void {}
