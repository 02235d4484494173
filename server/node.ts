/**
 * What one thread runs: a relay, the UDP port its peers come by, and who is let in there.
 *
 * @module
 */
import { reasonOf } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Place } from "../relay/origin.ts";
import { acceptConnections } from "../transport/accept.ts";
import { listenQuic, type QuicListener } from "../transport/quic.ts";
import type { TransportSettings } from "../transport/quic_settings.ts";
import { SESSION_CODE } from "../wire/lite/codes.ts";
import { alpnsOf, dialectByName } from "../wire/lite/dialect.ts";
import { MAX_PATH_PARTS, normalizePath, pathParts } from "../wire/path.ts";
import type { HttpApp } from "./http_listener.ts";
import type { NodeView } from "./node_view.ts";
import { Relay } from "./relay.ts";
import { withWebSockets } from "./websocket_upgrade.ts";

export type ServerConfig = LoadedConfig["config"];

export interface NodeOptions {
  readonly config: ServerConfig;
  /** The hop id that all nodes of a server share. */
  readonly hop: bigint;
  readonly address: { readonly hostname: string; readonly port: number };
  /** PEM. */
  readonly certificate: { readonly cert: string; readonly key: string };
  readonly log: Logger;
  /** Where there are several nodes. */
  readonly place?: Place;
  readonly restarts?: number;
}

/** Who asks for a session, and where. */
export interface AdmissionRequest {
  readonly transport: "webtransport" | "websocket";
  /** Path and query. */
  readonly path: string;
  /** "ip:port" of the peer, where it is known. */
  readonly remoteAddress?: string;
}

/** How long the last packets may take to leave. */
const GOODBYE_MS = 20;

/** A relay with its UDP port. Its owner closes it. */
export class Node {
  readonly relay: Relay;
  /** Handshakes that failed before there was a connection. */
  handshakesFailed = 0;
  /** WebTransport requests by the status they were answered with. */
  readonly answers: Map<number, number> = new Map();
  /** Requests for a WebSocket by the status they were answered with; 200 stands for the upgrade. */
  readonly webSocketAnswers: Map<number, number> = new Map();
  readonly #config: ServerConfig;
  readonly #log: Logger;
  readonly #quic: QuicListener;

  /** Binds the port. @throws {ListenFailed} */
  constructor({ config, hop, address, certificate, log, place, restarts = 0 }: NodeOptions) {
    const { server, relay } = config;
    this.#config = config;
    this.#log = log;
    const versions = server.versions.map((name) => dialectByName(name)!);
    this.#quic = listenQuic({
      ...address,
      cert: certificate.cert,
      key: certificate.key,
      protocols: [...alpnsOf(versions), "h3"],
      transport: transportOf(config),
      onHandshakeFailure: (error) => {
        this.handshakesFailed++;
        log.debug("QUIC handshake failed", { reason: error.message });
      },
    });
    this.relay = new Relay({
      hop,
      restarts,
      ...(place === undefined ? {} : { place }),
      versions,
      frameCapacity: relay.frameCapacity,
      groupCacheSize: relay.groupCacheSize,
      maxGroupBytes: relay.maxGroupBytes,
      maxAgeMs: relay.maxAge,
      lingerMs: relay.linger,
      writeTimeoutMs: server.writeTimeout,
      handshakeTimeoutMs: server.handshakeTimeout,
      log,
    });
  }

  /** UDP address that was bound. */
  get address(): { readonly hostname: string; readonly port: number } {
    return this.#quic.addr;
  }

  /** What it tells of itself. */
  get view(): NodeView {
    return {
      relay: this.relay,
      quicHandshakesFailed: () => this.handshakesFailed,
      webTransportAnswers: () => this.answers,
      webSocketAnswers: () => this.webSocketAnswers,
    };
  }

  /** Takes peers in until it is closed. Rejects when the port fails. */
  async accept(): Promise<void> {
    await acceptConnections(this.#quic, {
      protocols: alpnsOf(this.relay.versions),
      decide: ({ path }) => this.admit({ transport: "webtransport", path }),
      onConnection: (connection) => void this.relay.accept(connection),
      onFailure: (remote, error) => {
        this.#log.debug("no WebTransport session", { remote, reason: reasonOf(error) });
      },
    });
  }

  /** HTTP's requests, with sessions for those who ask for a WebSocket. */
  withWebSockets(app: HttpApp): HttpApp {
    return withWebSockets(app, {
      protocols: alpnsOf(this.relay.versions),
      transport: transportOf(this.#config),
      decide: (request) => this.admit({ transport: "websocket", ...request }),
      onConnection: (connection) => void this.relay.accept(connection),
      onFailure: (remote, error) => {
        this.#log.debug("no WebSocket session", { remote, reason: reasonOf(error) });
      },
    });
  }

  /** Whether a session is granted to who asks for one, as an HTTP status: 200 grants it. The one place that says so. */
  admit({ transport, path }: AdmissionRequest): { readonly status: number } {
    const status = this.#statusFor(path);
    const answers = transport === "websocket" ? this.webSocketAnswers : this.answers;
    answers.set(status, (answers.get(status) ?? 0) + 1);
    return { status };
  }

  /** New connections get this certificate; those that are up stay. */
  replaceCertificate({ cert, key }: NodeOptions["certificate"]): void {
    this.#quic.replaceCertificate(cert, key);
  }

  /** Asks everybody to leave, as configured. @returns Whether all that had begun was out in time. */
  async drain(): Promise<boolean> {
    const { drainTimeout, goawayUri } = this.#config.server;
    return await this.relay.dismiss(drainTimeout, goawayUri ?? "");
  }

  /** Closes every session and the port. Idempotent. @param inTime What {@link Node.drain} said. */
  async close(inTime: boolean): Promise<void> {
    await this.relay.close(inTime ? SESSION_CODE.none : SESSION_CODE.goawayTimeout);
    this.#quic.close();
    // The goodbye is only queued now: a process that exits at once would never send it, and peers would wait for it.
    await new Promise((resolve) => setTimeout(resolve, GOODBYE_MS));
  }

  #statusFor(path: string): number {
    if (this.relay.draining) return 503;
    return pathParts(normalizePath(path.split("?")[0]!)) > MAX_PATH_PARTS ? 404 : 200;
  }
}

/** How QUIC is set up, for peers that come and for relays that are dialed. */
export function transportOf({ server }: ServerConfig): TransportSettings {
  return {
    idleTimeoutMs: server.idleTimeout,
    keepAliveMs: server.keepAlive,
    maxUniStreams: server.maxUniStreams,
    maxBidiStreams: server.maxBidiStreams,
    congestionControl: server.congestionControl,
  };
}
