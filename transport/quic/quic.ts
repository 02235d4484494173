/**
 * Raw QUIC: dialing, and a listener that also accepts HTTP/3 connections for `webtransport_server.ts`.
 *
 * @module
 */
import { QumoError, reasonOf } from "../../base/errors.ts";
import { CertificateRefused, ConnectFailed, ProtocolRefused } from "../errors.ts";
import { printAddress, QuicConnection } from "./quic_connection.ts";
import { denoTransport, type TransportSettings } from "./quic_settings.ts";
import { Arrivals } from "../queue.ts";

/** Listening failed: the port is taken or not allowed, the address is not ours, or the certificate cannot be used. */
export class ListenFailed extends QumoError {
  readonly code: "QUMO_ADDRESS_IN_USE" | "QUMO_LISTEN_FAILED";
  constructor(readonly address: string, cause: unknown) {
    const inUse = cause instanceof Deno.errors.AddrInUse;
    super(
      inUse
        ? `Address already in use: ${address}; stop the program that listens there, or choose another port`
        : `Cannot listen on ${address}: ${reasonOf(cause)}`,
      { cause },
    );
    this.code = inUse ? "QUMO_ADDRESS_IN_USE" : "QUMO_LISTEN_FAILED";
  }
}

/** Most handshakes at a time by default. */
const MAX_HANDSHAKES = 4096;

/** Address and certificate of a listener. */
export interface ListenOptions {
  /** An address of this machine; "::" accepts IPv4 as well. */
  readonly hostname: string;
  /** 0 for any free port. */
  readonly port: number;
  /** The certificate chain, PEM. */
  readonly cert: string;
  /** Its private key, PEM. */
  readonly key: string;
  /** ALPN names, the preferred first. */
  readonly protocols: readonly string[];
  readonly transport?: TransportSettings;
  /** Called with each failed handshake: wrong ALPN, certificate refused, given up. */
  readonly onHandshakeFailure?: (failure: Error) => void;
  /** Whether to refuse one more handshake, with so many under way. Default: from 4,096 on. */
  readonly full?: (handshakes: number) => boolean;
}

/** Binds a UDP port and accepts connections. @throws {ListenFailed} */
export function listenQuic(options: ListenOptions): QuicListener {
  const { hostname, port } = options;
  requireQuic();
  let endpoint: Deno.QuicEndpoint | undefined;
  try {
    endpoint = new Deno.QuicEndpoint({ hostname, port });
    return new QuicListener(endpoint, options);
  } catch (thrown) {
    endpoint?.close();
    throw new ListenFailed(printAddress({ hostname, port }), thrown);
  }
}

/** Deno has QUIC behind a flag. Without this check the error would not say so. @throws {QuicMissing} */
function requireQuic(): void {
  if (typeof Deno.QuicEndpoint !== "function") throw new QuicMissing();
}

/** This Deno was started without its QUIC. */
export class QuicMissing extends QumoError {
  readonly code = "QUMO_QUIC_MISSING";
  constructor() {
    super(
      "Cannot use QUIC: start Deno with --unstable-net, as in `deno run -A --unstable-net FILE`",
    );
  }
}

/** Iterates over connections whose handshake is done. The owner closes it. */
export class QuicListener implements AsyncIterable<QuicConnection> {
  /** The bound address, with the chosen port where 0 was asked for. */
  readonly addr: { readonly hostname: string; readonly port: number };
  readonly #endpoint: Deno.QuicEndpoint;
  readonly #options: ListenOptions;
  /** One listener per certificate. All are kept: Deno stops listening when one of them is collected. */
  readonly #listeners: Deno.QuicListener[] = [];
  readonly #accepted = new Arrivals<QuicConnection>();
  #handshakes = 0;
  #closed = false;

  constructor(endpoint: Deno.QuicEndpoint, options: ListenOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    const { hostname, port } = endpoint.addr;
    this.addr = { hostname, port };
    this.#listeners.push(this.#listen(options.cert, options.key));
    this.#run(this.#listeners[0]!);
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<QuicConnection, void> {
    for (let next; (next = await this.#accepted.next());) yield next;
  }
  /** New connections get this certificate; open ones stay. @throws {ListenFailed} Then the old one stays. */
  replaceCertificate(cert: string, key: string): void {
    try {
      this.#listeners.push(this.#listen(cert, key));
    } catch (thrown) {
      throw new ListenFailed(printAddress(this.addr), thrown);
    }
  }
  /** Accepts no new connections; open ones stay. */
  stop(): void {
    for (const listener of this.#listeners) listener.stop();
    for (const waiting of this.#accepted.end()) waiting.close(0, "shutting down");
  }
  /** Closes the endpoint and all its connections. Deno frees the port when it collects the endpoint. */
  close(code = 0, reason = ""): void {
    if (this.#closed) return;
    this.#closed = true;
    this.stop();
    this.#endpoint.close({ closeCode: code, reason });
  }

  #listen(cert: string, key: string): Deno.QuicListener {
    return this.#endpoint.listen({
      ...denoTransport(this.#options.transport),
      cert,
      key,
      alpnProtocols: [...this.#options.protocols],
    });
  }
  /** The listeners of an endpoint share one queue: the first one gets the connections of later certificates too. */
  async #run(listener: Deno.QuicListener): Promise<void> {
    while (!this.#closed) {
      try {
        const incoming = await listener.incoming();
        if (this.#full()) incoming.refuse();
        else this.#accept(incoming);
      } catch (thrown) {
        if (this.#closed || thrown instanceof Deno.errors.BadResource) return;
        this.#failed(thrown);
      }
    }
  }
  #full(): boolean {
    const { full } = this.#options;
    return full === undefined ? this.#handshakes >= MAX_HANDSHAKES : full(this.#handshakes);
  }
  async #accept(incoming: Deno.QuicIncoming): Promise<void> {
    this.#handshakes++;
    try {
      const conn = new QuicConnection(await incoming.accept<false>());
      if (!this.#accepted.push(conn)) conn.close(0, "shutting down");
    } catch (thrown) {
      this.#failed(thrown);
    } finally {
      this.#handshakes--;
    }
  }
  #failed(thrown: unknown): void {
    this.#options.onHandshakeFailure?.(
      thrown instanceof Error ? thrown : new Error(reasonOf(thrown)),
    );
  }
}

/** How to dial. */
export interface ConnectOptions {
  /** Protocols offered, the preferred first. Raw QUIC: ALPN names; WebTransport: `wt-available-protocols`. */
  readonly protocols: readonly string[];
  /** SHA-256 of the only accepted certificate. Then its signature is not checked. */
  readonly hash?: Uint8Array;
  /** Further root certificates, PEM. */
  readonly caCerts?: readonly string[];
  /** The name that the certificate has. Default: the host of the URL. Not for WebSocket. */
  readonly serverName?: string;
  /** Gives up when aborted. It has no effect on an open connection. */
  readonly signal?: AbortSignal;
  /** Gives up after this long. Default 10,000. */
  readonly timeoutMs?: number;
  readonly transport?: TransportSettings;
}

/** Dials `moqt://host:port/path` or `moql://…` by raw QUIC. @throws {ConnectFailed} */
export function connectQuic(url: string | URL, options: ConnectOptions): Promise<QuicConnection> {
  return connectAlpn(new URL(url), options.protocols, options);
}

/** Time between attempts at the addresses of one name, as in RFC 8305. */
const NEXT_ADDRESS_MS = 250;

/** Dials the host and port of any URL with the ALPN names given. @throws {ConnectFailed} */
export async function connectAlpn(
  url: URL,
  alpn: readonly string[],
  options: ConnectOptions,
): Promise<QuicConnection> {
  requireQuic();
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const attempts = new AbortController();
  const signal = AbortSignal.any([
    attempts.signal,
    AbortSignal.timeout(options.timeoutMs ?? 10_000),
    ...(options.signal ? [options.signal] : []),
  ]);
  try {
    signal.throwIfAborted();
    const addresses = ipVersion(hostname) ? [hostname] : await resolve(hostname);
    const conn = await Promise.any(
      addresses.map((address, i) =>
        attempt({ address, hostname, url, alpn, options, signal, delayMs: i * NEXT_ADDRESS_MS })
      ),
    );
    return new QuicConnection(conn, url.pathname + url.search || "/");
  } catch (thrown) {
    const cause = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
    const timedOut = cause instanceof DOMException && cause.name === "TimeoutError";
    const why = timedOut ? "no answer in time" : reasonOf(cause);
    throw failure(url.href, why, alpn, options, cause);
  } finally {
    attempts.abort();
  }
}

/** The error for a failed dial. Deno has the number of a TLS alert (RFC 8446 §6) only in its message. */
function failure(
  url: string,
  why: string,
  alpn: readonly string[],
  options: ConnectOptions,
  cause: unknown,
): ConnectFailed {
  const alert = Number(/handshake failed: error (\d+)/.exec(why)?.[1]);
  if (alert === 120) return new ProtocolRefused(url, alpn, { cause });
  if (alert >= 42 && alert <= 49) {
    const detail = why.replace(/^.*error \d+: /, "");
    return new CertificateRefused(url, detail, options.hash !== undefined, { cause });
  }
  return new ConnectFailed(url, why, undefined, { cause });
}

interface Attempt {
  readonly address: string;
  readonly hostname: string;
  readonly url: URL;
  readonly alpn: readonly string[];
  readonly options: ConnectOptions;
  readonly signal: AbortSignal;
  readonly delayMs: number;
}

async function attempt(at: Attempt): Promise<Deno.QuicConn> {
  const gone = Promise.withResolvers<never>();
  gone.promise.catch(() => {});
  const onAbort = () => gone.reject(at.signal.reason);
  at.signal.addEventListener("abort", onAbort, { once: true });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let endpoint: Deno.QuicEndpoint | undefined;
  let up = false;
  try {
    if (at.delayMs > 0) {
      await Promise.race([
        new Promise<void>((resolve) => timer = setTimeout(resolve, at.delayMs)),
        gone.promise,
      ]);
    }
    endpoint = new Deno.QuicEndpoint({ hostname: ipVersion(at.address) === 6 ? "::" : "0.0.0.0" });
    const pinned = at.options.hash && [{ algorithm: "sha-256", value: at.options.hash }];
    const dialing = Deno.connectQuic<false>({
      ...denoTransport(at.options.transport),
      hostname: at.address,
      port: Number(at.url.port || 443),
      serverName: at.options.serverName ?? at.hostname,
      alpnProtocols: [...at.alpn],
      endpoint,
      ...(at.options.caCerts ? { caCerts: [...at.options.caCerts] } : {}),
      // Not in Deno's types, but in its implementation.
      ...(pinned ? { serverCertificateHashes: pinned } : {}),
    });
    dialing.catch(() => {});
    const conn = await Promise.race([dialing, gone.promise]);
    const own = endpoint;
    conn.closed.then(() => own.close(), () => own.close());
    up = true;
    return conn;
  } finally {
    clearTimeout(timer);
    at.signal.removeEventListener("abort", onAbort);
    // A handshake can only be given up by closing the endpoint.
    if (!up) endpoint?.close();
  }
}

/** 4 or 6 for an address as URLs write it, 0 for a name. */
function ipVersion(hostname: string): 0 | 4 | 6 {
  if (hostname.includes(":")) return 6;
  return /^\d+(\.\d+){3}$/.test(hostname) ? 4 : 0;
}

/** The addresses of a name, from the system. */
async function resolve(hostname: string): Promise<string[]> {
  // Imported here, so that a bundle for browsers can contain this module.
  const { lookup } = await import("node:dns/promises");
  return (await lookup(hostname, { all: true })).map((found) => found.address);
}
