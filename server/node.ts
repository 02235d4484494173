/**
 * What one thread runs: a relay, its UDP port, and the admission of its peers.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { reasonOf } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Config } from "../config/schema.ts";
import { certifiedHosts } from "../config/tls/pem_pair.ts";
import type { Archive } from "../relay/archive.ts";
import type { Place } from "../relay/origin.ts";
import { listenQuic, type QuicListener } from "../transport/quic/quic.ts";
import type { TransportSettings } from "../transport/quic/quic_settings.ts";
import { alpnsOf, isIetfProtocol } from "../wire/versions.ts";
import type { Connection } from "../transport/connection.ts";
import { acceptConnections } from "../transport/accept.ts";
import { AccessLog } from "./http/access_log.ts";
import { Admission, type AdmissionRequest, awaitsToken, type Entrance } from "./admission.ts";
import { Authorizer } from "./auth/authorizer.ts";
import { refusalHeaders } from "./auth/grant.ts";
import { NodeNames } from "./auth/node_names.ts";
import { bearerOfSetup, splitPath, tokenOf } from "./auth/request.ts";
import type { HttpApp } from "./http/http_listener.ts";

import type { Destinations } from "./cluster/moving.ts";
import { Census, type SharedCensus } from "./limits/census.ts";
import { limitsOf } from "./limits/limits.ts";
import { PageOrigins } from "./http/page_origins.ts";
import type { Strays } from "../plugins/host/strays.ts";
import { Relay } from "./relay.ts";
import type { DoorOptions } from "./http/tcp_door.ts";
import { withWebSockets } from "./http/websocket_upgrade.ts";
import type { NodeView } from "./admin/node_view.ts";

export interface NodeOptions {
  readonly config: Config;
  /** The hop id that all nodes of a server share. */
  readonly hop: bigint;
  readonly address: { readonly hostname: string; readonly port: number };
  /** PEM. */
  readonly certificate: { readonly cert: string; readonly key: string };
  readonly log: Logger;
  /** With several nodes: which one this is. */
  readonly place?: Place;
  readonly restarts?: number;
  /** With several nodes: the counts they share. */
  readonly census?: SharedCensus;
  /** Counts failures in this thread that no code handles. */
  readonly strays?: Pick<Strays, "count">;
  /** Holds groups that are no longer in the cache. */
  readonly archive?: Archive;
}

/** How long the last packets may take to be sent. */
const GOODBYE_MS = 20;

/** A relay with its UDP port. Its owner closes it. */
export class Node implements NodeView {
  readonly relay: Relay;
  handshakesFailed = 0;
  readonly webTransportAnswers: Map<number, number> = new Map();
  readonly webSocketAnswers: Map<number, number> = new Map();
  readonly strays: NodeOptions["strays"];
  authorizer: Authorizer;
  /** Decides on every request. */
  readonly admission: Admission;
  #config: Config;
  readonly #log: Logger;
  readonly #accessLog: AccessLog;
  readonly #quic: QuicListener;
  /** Host names and addresses in the certificate in use. */
  #certified: readonly string[];
  #further: readonly string[] = [];
  #nodeHosts: readonly string[] = [];
  readonly #names: NodeNames;
  #closing: Promise<void> | undefined;

  /** Binds the port. @throws {ListenFailed} */
  constructor(
    { config, hop, address, certificate, log, place, restarts = 0, census, strays, archive }:
      NodeOptions,
  ) {
    const { server, relay } = config;
    this.#config = config;
    this.#log = log;
    this.strays = strays;
    this.#accessLog = new AccessLog(log, config.logging.access);
    this.#certified = certifiedHosts(certificate.cert);
    const { versions } = server;
    this.#quic = listenQuic({
      ...address,
      cert: certificate.cert,
      key: certificate.key,
      protocols: [...alpnsOf(versions), "h3"],
      transport: transportOf(config),
      full: (handshakes) => {
        const { limits: { maxHandshakes }, doorkeeper, hits } = this.relay;
        if (maxHandshakes === 0 || handshakes + doorkeeper.handshakes < maxHandshakes) return false;
        hits.handshakes++;
        return true;
      },
      onHandshakeFailure: (error) => {
        this.handshakesFailed++;
        log.debug("QUIC handshake failed", { reason: error.message });
      },
    });
    this.#names = new NodeNames({ config, port: this.#quic.addr.port, cert: certificate.cert });
    this.authorizer = this.#authorizerOf(config);
    this.relay = new Relay({
      hop,
      restarts,
      ...(place === undefined ? {} : { place }),
      versions,
      frameCapacity: relay.frameCapacity,
      groupCacheSize: relay.groupCacheSize,
      ...limitsOf(config),
      ...(census === undefined ? {} : { census: new Census(census, place?.index) }),
      lingerMs: relay.linger,
      ...(archive === undefined ? {} : { archive }),
      log,
    });
    this.admission = new Admission({
      relay: this.relay,
      authorizer: this.authorizer,
      pages: new PageOrigins(config, this.#certified),
      log,
    });
  }

  /** UDP address that was bound. */
  get address(): { readonly hostname: string; readonly port: number } {
    return this.#quic.addr;
  }

  /** Accepts peers until it is closed. Rejects when the port fails. */
  async accept(): Promise<void> {
    const { relay } = this;
    await acceptConnections(this.#quic, {
      get timeoutMs() {
        return relay.limits.handshakeTimeoutMs;
      },
      begin: (remoteAddress) => relay.doorkeeper.shake(remoteAddress),
      protocols: alpnsOf(this.relay.versions),
      decide: ({ path, remoteAddress, origin, authority: host, protocol }) => {
        const request = { path, remoteAddress, page: { origin, host } };
        return this.enter({ ...request, transport: "webtransport" }, protocol);
      },
      onConnection: (connection) => this.#acceptQuic(connection),
      onFailure: (remote, error) => {
        this.#log.debug("no WebTransport session", { remote, reason: reasonOf(error) });
      },
      onNothingAsked: (remote) => {
        this.relay.counters.handshakesFailed++;
        this.#log.debug("no WebTransport session", { remote, reason: "none was asked for" });
      },
    });
  }

  /** How connections to the TCP port are limited. */
  get doorOptions(): Pick<
    DoorOptions,
    "handshakeMs" | "keepAliveMs" | "begin" | "enter" | "onLate"
  > {
    const { limits, doorkeeper, hits } = this.relay;
    return {
      handshakeMs: () => limits.handshakeTimeoutMs,
      keepAliveMs: () => limits.httpKeepAliveMs,
      begin: (remoteAddress) => doorkeeper.shake(remoteAddress),
      enter: (remoteAddress) => doorkeeper.connect(remoteAddress),
      onLate: () => hits.handshakeTime++,
    };
  }

  /** Serves `app`; a request for a WebSocket becomes a session. */
  withWebSockets(app: HttpApp): HttpApp {
    return withWebSockets(app, {
      protocols: alpnsOf(this.relay.versions),
      transport: transportOf(this.#config),
      decide: ({ protocol, ...request }) =>
        this.enter({ transport: "websocket", ...request }, protocol),
      onFailure: (remote, error) => {
        this.#log.debug("no WebSocket session", { remote, reason: reasonOf(error) });
      },
    });
  }

  /**
   * Decides on a request for a session, before there is one. The answer has the HTTP status and, where that is 200, takes
   * the connection.
   * @param protocol The one that was chosen.
   */
  async enter(request: AdmissionRequest, protocol: string): Promise<Entrance> {
    const startedAt = performance.now();
    // A URL without a token is not the last word where SETUP may hold one.
    const tokenMayFollow = isIetfProtocol(protocol) &&
      tokenOf({ query: splitPath(request.path).query }) === undefined;
    const asked = { ...request, tokenMayFollow };
    const answer = await this.admission.admit(asked);
    const refused = "reason" in answer && !awaitsToken(asked, answer);
    const answers = request.transport === "websocket"
      ? this.webSocketAnswers
      : this.webTransportAnswers;
    const status = refused ? answer.status : 200;
    answers.set(status, (answers.get(status) ?? 0) + 1);
    // A request for a WebSocket is logged with HTTP.
    if (request.transport === "webtransport") {
      this.#accessLog.write({
        at: "public",
        transport: "webtransport",
        method: "CONNECT",
        path: request.path,
        status,
        durationMs: performance.now() - startedAt,
        remote: request.remoteAddress,
      });
    }
    if (refused) {
      const headers = refusalHeaders(answer, request.path);
      return { status, headers, onConnection: (connection) => connection.close() };
    }
    const node = !("reason" in answer) && answer.grant.peer === true;
    const onConnection = (connection: Connection) =>
      void this.relay.accept(connection, (wish) => this.admission.settle(asked, answer, wish), {
        ...(node ? { unlimited: true } : {}),
        judge: (wish) => this.admission.judge(asked, wish),
      });
    return { status, onConnection };
  }

  /** Raw QUIC has no request: SETUP may hold the path. */
  #acceptQuic(connection: Connection): void {
    const { remoteAddress } = connection;
    let dialed = { path: "/", remoteAddress, transport: "quic" as const };
    void this.relay.accept(
      connection,
      ({ path, role, token }) => {
        const bearer = bearerOfSetup(token);
        dialed = { ...dialed, path };
        return this.admission.admit({
          ...dialed,
          ...(role === undefined ? {} : { role }),
          ...(bearer === undefined ? {} : { bearer }),
        });
      },
      { judge: (wish) => this.admission.judge(dialed, wish) },
    );
  }

  /**
   * Prepares another configuration.
   * @returns Takes it into use.
   * @throws {KeysUnavailable} Then nothing has changed.
   */
  async prepareReload(config: Config): Promise<() => void> {
    const same = isDeepStrictEqual(config.auth, this.#config.auth) &&
      config.cluster.secretFile === this.#config.cluster.secretFile;
    const authorizer = same ? this.authorizer : this.#authorizerOf(config);
    await authorizer.prepare();
    return () => {
      this.#config = config;
      this.authorizer = this.admission.authorizer = authorizer;
      this.#setPages();
      this.relay.setLimits(limitsOf(config));
    };
  }

  /** New connections get this certificate; open ones stay. */
  replaceCertificate({ cert, key }: NodeOptions["certificate"]): void {
    this.#quic.replaceCertificate(cert, key);
    this.#names.replaceCertificate(cert);
    this.#certified = certifiedHosts(cert);
    this.#setPages();
  }

  /** Host names of further certificates: they are names of the relay too. */
  nameFurther(hosts: readonly string[]): void {
    this.#further = hosts;
    this.#setPages();
  }

  /** Hosts of other nodes of the cluster: their pages may come here. */
  nameNodes(hosts: readonly string[]): void {
    this.#nodeHosts = hosts;
    this.#setPages();
  }

  #setPages(): void {
    const own = [...this.#certified, ...this.#further];
    this.admission.pages = new PageOrigins(this.#config, own, this.#nodeHosts);
  }

  /** Decides on tokens, as configured. */
  #authorizerOf({ auth, cluster: { secretFile } }: Config): Authorizer {
    const { isDialed } = this.#names;
    return new Authorizer(auth, { log: this.#log, clusterSecretFile: secretFile, isDialed });
  }

  /**
   * Asks all peers to leave, as configured.
   * @param to Where they go, if the configuration does not say.
   * @returns Whether all groups were sent in time.
   */
  async drain(to?: Destinations): Promise<boolean> {
    const { drainTimeout, goawayUri } = this.#config.server;
    return await this.relay.dismiss(drainTimeout, goawayUri ?? "", goawayUri ? undefined : to);
  }

  /** Closes every session and the port. Idempotent. @param inTime What {@link Node.drain} said. */
  close(inTime: boolean): Promise<void> {
    return this.#closing ??= this.#close(inTime);
  }

  async #close(inTime: boolean): Promise<void> {
    await this.relay.close(inTime ? "none" : "goawayTimeout");
    this.#quic.close();
    this.authorizer.close();
    // The last packets are only queued now. If the process exited at once, peers would wait for them.
    await new Promise((resolve) => setTimeout(resolve, GOODBYE_MS));
  }
}

/**
 * Bidirectional streams that peers of a node may have open. One link carries a subscription for each live track that is watched
 * at the other node, and a listener does not know yet whom it accepts.
 */
const NODE_BIDI_STREAMS = 1_000;

/** Whether other nodes may dial this one: it knows some, or takes them in by a secret. */
function isNode({ nodes, nodesFile, nodesUrl, redisUrl, dns, secretFile }: Config["cluster"]) {
  return nodes.length > 0 ||
    [nodesFile, nodesUrl, redisUrl, dns, secretFile].some((given) => given !== undefined);
}

/** The settings of QUIC, for peers that dial us and for relays that we dial. */
export function transportOf({ server, cluster }: Config): TransportSettings {
  return {
    idleTimeoutMs: server.idleTimeout,
    keepAliveMs: server.keepAlive,
    maxUniStreams: server.maxUniStreams,
    maxBidiStreams: isNode(cluster)
      ? Math.max(server.maxBidiStreams, NODE_BIDI_STREAMS)
      : server.maxBidiStreams,
    congestionControl: server.congestionControl,
  };
}
