/**
 * The running server: QUIC and WebTransport on one UDP port, HTTP on the TCP port of the same number, the admin listener,
 * the upstream link, and their end.
 *
 * @module
 */
import { reasonOf } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { formatAddress } from "../config/address.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Certificate } from "../config/pem_pair.ts";
import { randomHop } from "../relay/hop.ts";
import { acceptConnections } from "../transport/accept.ts";
import type { Connection } from "../transport/connection.ts";
import { dial } from "../transport/dial.ts";
import { type ListenOptions, listenQuic, type QuicListener } from "../transport/quic.ts";
import type { TransportSettings } from "../transport/quic_settings.ts";
import { alpnsOf, type Dialect, dialectByName } from "../wire/lite/dialect.ts";
import { MAX_PATH_PARTS, normalizePath, pathParts } from "../wire/path.ts";
import { adminApp } from "./admin_http.ts";
import type { Assets } from "./assets.ts";
import type { ServerView } from "./deps.ts";
import { type HttpListener, serveHttp } from "./http_listener.ts";
import { pageUrl } from "./page_url.ts";
import { publicApp } from "./public_http.ts";
import { Relay } from "./relay.ts";
import { Upstream } from "./upstream.ts";
import { upstreamTrust } from "./upstream_trust.ts";

export interface ServerContext {
  readonly logger: Logger;
  readonly certificate: Certificate;
  /** Files of the page; without them the server says where to get it. */
  readonly assets?: Assets;
}

/** How long the last packets may take to leave. */
const GOODBYE_MS = 20;

/** A server that listens. Its owner closes it. */
export class RunningServer {
  readonly relay: Relay;
  readonly upstream: Upstream | undefined;
  readonly listeners: { readonly name: string; readonly address: string }[] = [];
  pageUrl?: string;
  readonly #loaded: LoadedConfig;
  readonly #log: Logger;
  readonly #quic: QuicListener;
  readonly #http: HttpListener[] = [];
  readonly #finished = Promise.withResolvers<void>();
  readonly #answers = new Map<number, number>();
  #certificate: Certificate;
  #adminAddress: ReturnType<ServerView["adminAddress"]>;
  #handshakesFailed = 0;
  #closing: Promise<void> | undefined;

  constructor(loaded: LoadedConfig, context: ServerContext) {
    const { server, relay } = loaded.config;
    this.#loaded = loaded;
    this.#log = context.logger;
    this.#certificate = context.certificate;
    const versions = versionsOf(server.versions);
    this.relay = new Relay({
      hop: relay.hopId ?? randomHop(),
      versions,
      frameCapacity: relay.frameCapacity,
      groupCacheSize: relay.groupCacheSize,
      maxGroupBytes: relay.maxGroupBytes,
      maxAgeMs: relay.maxAge,
      lingerMs: relay.linger,
      writeTimeoutMs: server.writeTimeout,
      handshakeTimeoutMs: server.handshakeTimeout,
      log: this.#log,
    });
    this.#quic = listenOnBoth({
      ...server.address,
      cert: context.certificate.cert,
      key: context.certificate.key,
      protocols: [...alpnsOf(versions), "h3"],
      transport: this.#transport,
      onHandshakeFailure: (error) => {
        this.#handshakesFailed++;
        this.#log.debug("QUIC handshake failed", { reason: error.message });
      },
    });
    this.upstream = this.#upstreamLink(relay.upstreamUrl);
  }

  /** Settles when the server has ended; rejects when it failed. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** UDP address that was bound. */
  get address(): { readonly hostname: string; readonly port: number } {
    return this.#quic.addr;
  }

  /** What the HTTP listeners show. */
  get view(): ServerView {
    return {
      relay: this.relay,
      loaded: this.#loaded,
      certificate: () => this.#certificate,
      upstream: this.upstream,
      quicAddress: this.#quic.addr,
      adminAddress: () => this.#adminAddress,
      startedAtMs: Date.now(),
      quicHandshakesFailed: () => this.#handshakesFailed,
      webTransportAnswers: () => this.#answers,
      log: this.#log,
    };
  }

  /** Opens the HTTP listeners and begins to take peers in. @throws {ListenFailed} Everything is closed again then. */
  async open(assets: Assets | undefined): Promise<void> {
    const { server, admin } = this.#loaded.config;
    const { addr } = this.#quic;
    const view = this.view;
    this.listeners.push({ name: "QUIC, WebTransport", address: `${formatAddress(addr)}/udp` });
    try {
      if (server.http) {
        const http = serveHttp(publicApp(view, assets === undefined ? {} : { assets }), addr);
        this.#http.push(http);
        this.listeners.push({ name: "HTTP", address: formatAddress(http.address) });
        this.pageUrl = pageUrl(http.address);
      }
      if (admin.address !== undefined) {
        const http = serveHttp(adminApp(view), admin.address);
        this.#adminAddress = http.address;
        this.#http.push(http);
        this.listeners.push({ name: "admin", address: formatAddress(http.address) });
      }
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#accept().catch((error) => this.#finished.reject(error));
    void this.upstream?.run();
  }

  /** New connections get this certificate; those that are up stay. */
  replaceCertificate(certificate: Certificate): void {
    this.#quic.replaceCertificate(certificate.cert, certificate.key);
    this.#certificate = certificate;
  }

  /** Drains and closes everything. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { drainTimeout, goawayUri } = this.#loaded.config.server;
    this.upstream?.stop();
    await this.relay.drain(drainTimeout, goawayUri ?? "");
    this.#quic.close();
    // The goodbye is only queued now: a process that exits at once would never send it, and peers would wait for it.
    await new Promise((resolve) => setTimeout(resolve, GOODBYE_MS));
    await Promise.all(this.#http.map((http) => http.close()));
    this.#finished.resolve();
  }

  async #accept(): Promise<void> {
    await acceptConnections(this.#quic, {
      protocols: alpnsOf(this.relay.versions),
      decide: ({ path }) => {
        const status = this.#statusFor(path);
        this.#answers.set(status, (this.#answers.get(status) ?? 0) + 1);
        return { status };
      },
      onConnection: (connection) => void this.relay.accept(connection),
      onFailure: (remote, error) => {
        this.#log.debug("no WebTransport session", { remote, reason: reasonOf(error) });
      },
    });
  }

  /** The answer to a WebTransport request, before there is a session. */
  #statusFor(path: string): number {
    if (this.relay.draining) return 503;
    return pathParts(normalizePath(path.split("?")[0]!)) > MAX_PATH_PARTS ? 404 : 200;
  }

  get #transport(): TransportSettings {
    const { server } = this.#loaded.config;
    return {
      idleTimeoutMs: server.idleTimeout,
      keepAliveMs: server.keepAlive,
      maxUniStreams: server.maxUniStreams,
      maxBidiStreams: server.maxBidiStreams,
      congestionControl: server.congestionControl,
    };
  }

  #upstreamLink(url: string | undefined): Upstream | undefined {
    if (url === undefined) return undefined;
    const trust = upstreamTrust(this.#loaded.config.relay);
    const { upstreamBackoffMin, upstreamBackoffMax } = this.#loaded.config.relay;
    return new Upstream({
      url,
      relay: this.relay,
      backoffMinMs: upstreamBackoffMin,
      backoffMaxMs: upstreamBackoffMax,
      log: this.#log,
      dial: (to, signal): Promise<Connection> =>
        dial(to, {
          protocols: alpnsOf(this.relay.versions),
          ...trust,
          signal,
          transport: this.#transport,
        }),
    });
  }
}

/** How often another port is tried when any will do. */
const PORT_TRIES = 20;

/** Listens for QUIC; where any port will do, on one whose TCP twin is free too. @throws {ListenFailed} */
function listenOnBoth(options: ListenOptions): QuicListener {
  if (options.port !== 0) return listenQuic(options);
  for (let tries = 1;; tries++) {
    const tcp = Deno.listen({ hostname: options.hostname, port: 0 });
    const { port } = tcp.addr;
    tcp.close();
    try {
      return listenQuic({ ...options, port });
    } catch (error) {
      if (tries === PORT_TRIES) throw error;
    }
  }
}

/** Starts a server. Fulfils once it listens on everything. @throws {ListenFailed} */
export async function startServer(
  loaded: LoadedConfig,
  context: ServerContext,
): Promise<RunningServer> {
  const server = new RunningServer(loaded, context);
  await server.open(context.assets);
  return server;
}

function versionsOf(names: readonly string[]): Dialect[] {
  return names.map((name) => dialectByName(name)!);
}
