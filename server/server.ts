/**
 * The running server: QUIC and WebTransport on one UDP port ({@link Node}), HTTP on the TCP port of the same number, the
 * admin listener, the upstream link, and their end.
 *
 * @module
 */
import type { Logger, LogLevel, LogLevelControl } from "../base/logger.ts";
import { formatAddress } from "../config/address.ts";
import { accessWarning, exposuresOf, openingOf } from "../config/exposure.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { PluginConfig } from "../config/plugin_list.ts";
import type { Certificate } from "../config/tls/pem_pair.ts";
import { ConfigError, inOrder, placeOf } from "../config/problems.ts";
import { randomHop } from "../relay/hop.ts";
import type { Connection } from "../transport/connection.ts";
import { dial } from "../transport/dial.ts";
import { alpnsOf } from "../wire/lite/dialect.ts";
import { AccessLog } from "./http/access_log.ts";
import { AdminToken } from "./admin/token.ts";
import { adminApp } from "./admin/admin_http.ts";
import type { Assets } from "../web/build/assets.ts";
import type { ServerView } from "./admin/server_view.ts";
import { checkHooks } from "./hooks/check.ts";
import { Hooks } from "./hooks/hooks.ts";
import { type HttpListener, serveHttp } from "./http/http_listener.ts";
import { sharedCensus } from "./limits/census.ts";
import { Node, type NodeOptions, transportOf } from "./node.ts";
import { pageUrl } from "./http/page_url.ts";
import { checkPlugins, PluginHost } from "./plugins/plugin_host.ts";
import { publicApp } from "./http/public_http.ts";
import type { MediaStore } from "../storage/store.ts";
import type { Strays } from "../plugins/host/strays.ts";
import type { Relay } from "./relay.ts";
import { compareConfigs, inUse, type ReloadOutcome } from "./reload.ts";
import { FurtherCertificates } from "./http/further_certificates.ts";
import { type Door, openDoor } from "./http/tcp_door.ts";
import { Dvr } from "./dvr/dvr.ts";
import { openMediaStore } from "./dvr/media_store.ts";
import { Upstream } from "./cluster/upstream.ts";
import { upstreamTrust } from "./cluster/upstream_trust.ts";
import { Mesh } from "./threads/mesh.ts";
import { Workers } from "./threads/workers.ts";

export interface ServerContext {
  readonly logger: Logger;
  /** Changes the logger's level; without it only the threads of the workers follow. */
  readonly logLevel?: LogLevelControl;
  readonly certificate: Certificate;
  /** Files of the page; without them the server says where to get it. */
  readonly assets?: Assets;
  /** Watches this thread for failures that reach nobody. Without it only plugins are watched. */
  readonly strays?: Strays;
  /** The program's main module, which runs worker threads too. Needed with `server.workers` above 1. */
  readonly module?: string;
  /** Reads the configuration again and calls {@link RunningServer.reload}: what the admin interface asks for. */
  readonly reload?: () => Promise<ReloadOutcome>;
  /** The admin interface asks the program to drain and end. Default: the server drains and closes itself. */
  readonly stop?: () => void;
}

/** A server that listens. Its owner closes it. */
export class RunningServer {
  readonly node: Node;
  readonly upstream: Upstream | undefined;
  readonly plugins: PluginHost;
  readonly hooks: Hooks;
  readonly listeners: { readonly name: string; readonly address: string }[] = [];
  pageUrl?: string;
  /** Where media is kept; there once the server is open. */
  store: MediaStore | undefined;
  dvr: Dvr | undefined;
  #loaded: LoadedConfig;
  readonly #context: ServerContext;
  readonly #log: Logger;
  readonly #http: HttpListener[] = [];
  readonly #threads: { readonly mesh: Mesh; readonly workers: Workers } | undefined;
  readonly #logLevel: LogLevelControl;
  #door: Door | undefined;
  #further: FurtherCertificates | undefined;
  readonly #finished = Promise.withResolvers<void>();
  #certificate: Certificate;
  #adminAddress: ReturnType<ServerView["adminAddress"]>;
  #closing: Promise<void> | undefined;

  constructor(loaded: LoadedConfig, context: ServerContext) {
    const { server, relay } = loaded.config;
    this.#loaded = loaded;
    this.#context = context;
    this.#log = context.logger;
    this.#logLevel = context.logLevel ?? { level: loaded.config.logging.level };
    this.#certificate = context.certificate;
    const several = server.workers > 1;
    const options = {
      ...(several ? { census: sharedCensus(server.workers) } : {}),
      config: loaded.config,
      hop: relay.hopId ?? randomHop(),
      certificate: context.certificate,
      log: this.#log,
    };
    this.node = listenOnAll({
      ...options,
      address: server.address,
      ...(several ? { place: { index: 0, count: server.workers } } : {}),
      ...(context.strays === undefined ? {} : { strays: context.strays }),
    });
    this.#threads = several ? this.#workers(options, context.module) : undefined;
    this.upstream = this.#upstreamLink(relay.upstreamUrl);
    this.plugins = new PluginHost({
      relay: this.relay,
      loaded,
      log: this.#log,
      store: () => this.store,
      admit: (request) => this.node.admit(request),
      ...(context.strays === undefined ? {} : { strays: context.strays }),
      recorded: (instance, recording) => this.hooks.recorded(instance, recording),
    });
    this.hooks = new Hooks({
      relay: this.relay,
      others: this.#threads?.workers,
      log: this.#log,
    });
  }

  /** Settles when the server has ended; rejects when it failed. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  get relay(): Relay {
    return this.node.relay;
  }

  /** Peers that are connected now. */
  get sessionCount(): number {
    return this.relay.sessionCount + (this.#threads?.workers.sessionCount ?? 0);
  }

  /** UDP address that was bound. */
  get address(): { readonly hostname: string; readonly port: number } {
    return this.node.address;
  }

  /** The least important lines that are written, in every thread. */
  get logLevel(): LogLevel {
    return this.#logLevel.level;
  }

  set logLevel(level: LogLevel) {
    this.#logLevel.level = level;
    this.#threads?.workers.setLogLevel(level);
  }

  /** What the HTTP listeners show. */
  get view(): ServerView {
    const loaded = () => this.#loaded;
    const { reload, stop } = this.#context;
    return {
      ...this.node.view,
      ...(this.#threads === undefined ? {} : { others: this.#threads.workers }),
      get loaded() {
        return loaded();
      },
      certificate: () => this.#certificate,
      upstream: this.upstream,
      quicAddress: this.address,
      adminAddress: () => this.#adminAddress,
      startedAtMs: Date.now(),
      ...(this.dvr === undefined ? {} : { dvr: this.dvr }),
      admit: (request) => this.node.admit(request),
      pages: () => this.node.admission.pages,
      foreign: (...asked) => this.node.admission.foreign(...asked),
      plugins: this.plugins,
      hooks: this.hooks,
      ...(reload === undefined ? {} : { reload }),
      drain: stop ?? (() => void this.close()),
      log: this.#log,
      logLevel: leveled(this),
    };
  }

  /** Opens the HTTP listeners and begins to take peers in. @throws {ListenFailed} Everything is closed again then. */
  async open(assets: Assets | undefined): Promise<void> {
    const { server, admin, logging } = this.#loaded.config;
    const accessLog = new AccessLog(this.#log, logging.access);
    const adminToken = new AdminToken(admin, this.#log);
    await this.#openStore();
    const { address, view } = this;
    this.listeners.push({ name: "QUIC, WebTransport", address: `${formatAddress(address)}/udp` });
    try {
      await adminToken.prepare();
      await this.node.authorizer.prepare();
      await this.#threads?.workers.start();
      for (let index = 1; index < server.workers; index++) {
        const port = address.port + index;
        const its = `${formatAddress({ ...address, port })}/udp`;
        this.listeners.push({ name: `worker ${index}`, address: its });
      }
      if (server.http) {
        const app = publicApp(view, assets === undefined ? {} : { assets });
        const door = this.#door = openDoor(
          accessLog.around(server.websocket ? this.node.withWebSockets(app) : app, "public"),
          address,
          {
            certificate: this.#certificate,
            ...this.node.doorOptions,
            log: this.#log,
          },
        );
        this.#http.push(door);
        this.#further = new FurtherCertificates({
          pairs: () => this.#loaded.config.server.certificates,
          onChange: (certificates) => {
            door.setFurther(certificates);
            this.node.nameFurther(certificates.flatMap(({ hosts }) => hosts));
          },
          log: this.#log,
        });
        await this.#further.look();
        const at = formatAddress(door.address);
        this.listeners.push({ name: "HTTP", address: at });
        const also = server.websocket ? "HTTPS, WebSocket" : "HTTPS";
        this.listeners.push({ name: also, address: at });
        this.pageUrl = pageUrl(door.address);
      }
      if (admin.address !== undefined) {
        const app = accessLog.around(adminApp(view, adminToken), "admin");
        const http = serveHttp(app, admin.address, { log: this.#log });
        this.#adminAddress = http.address;
        this.#http.push(http);
        this.listeners.push({ name: "admin", address: formatAddress(http.address) });
      }
    } catch (error) {
      await this.close();
      throw error;
    }
    this.applyHooks();
    void checkHooks(this.#loaded.hooks).then((problems) => {
      for (const { origin, path, message } of problems) {
        this.#log.warn("a hook will fail", { at: placeOf(origin), key: path, reason: message });
      }
    });
    this.node.accept().catch((error) => this.#finished.reject(error));
    void this.upstream?.run();
    void this.applyPlugins(this.#loaded.plugins);
  }

  /**
   * Makes the instances of plugins those of a configuration: what is the same keeps running, what differs is started anew,
   * what is gone stops. Fulfils when what had to stop has; never rejects.
   */
  async applyPlugins(plugins: readonly PluginConfig[]): Promise<void> {
    await this.plugins.apply(plugins);
  }

  /** Tells those that the configuration in use names of what happens, and nobody else. */
  applyHooks(): void {
    this.hooks.apply(this.#loaded.hooks.map(({ hook }) => hook));
  }

  /** New connections get this certificate; those that are up stay. */
  replaceCertificate(certificate: Certificate): void {
    this.node.replaceCertificate(certificate);
    this.#threads?.workers.replaceCertificate(certificate);
    this.#door?.replaceCertificate(certificate);
    this.#certificate = certificate;
  }

  /**
   * Takes a configuration that was read again into use, as far as that goes while the server runs, in every thread. Nobody's
   * session ends for it.
   * @throws {ConfigError} @throws {KeysUnavailable} Nothing has changed then.
   */
  async reload(read: LoadedConfig, certificate: Certificate): Promise<ReloadOutcome> {
    const problems = [
      ...exposuresOf(read),
      ...openingOf(this.#loaded.config, read),
      ...await checkPlugins(read.plugins),
      ...await checkHooks(read.hooks),
    ];
    if (problems.length > 0) {
      throw new ConfigError(read.file ?? "the configuration", inOrder(problems));
    }
    const { applied, needsRestart } = compareConfigs(this.#loaded, read);
    const next = inUse(this.#loaded, read);
    const take = await this.node.prepareReload(next.config);
    // Nothing is refused from here on.
    this.#loaded = next;
    take();
    this.logLevel = next.config.logging.level;
    if (applied.includes("hooks")) this.applyHooks();
    const access = accessWarning(next.config);
    if (access !== undefined && applied.some((path) => path.startsWith("auth."))) {
      this.#log.warn(access.replaceAll("\n", " "));
    }
    const renewed = certificate.cert !== this.#certificate.cert;
    if (renewed) this.replaceCertificate(certificate);
    await Promise.all([
      this.#further?.look(),
      this.#threads?.workers.reload(next.config),
      applied.includes("plugins") ? this.applyPlugins(next.plugins) : undefined,
    ]);
    return { applied: renewed ? [...applied, "certificate"] : applied, needsRestart };
  }

  /** Drains and closes everything. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Nobody is let in from here on; plugins finish what they hand on while their sessions still stand.
    this.relay.draining = true;
    this.#threads?.workers.refuse();
    await this.plugins.stop();
    const { node } = this;
    const workers = this.#threads?.workers;
    // All first let out what has begun: a publisher here may have viewers over there.
    const drained = await Promise.all([node.drain(), workers?.drain() ?? true]);
    const inTime = drained.every((out) => out);
    // Not before: viewers on their way out still watch what comes by it.
    this.upstream?.stop();
    await Promise.all([node.close(inTime), workers?.close(inTime)]);
    await this.hooks.close();
    this.#further?.close();
    this.#threads?.mesh.close();
    await Promise.all(this.#http.map((http) => http.close()));
    this.dvr?.stop();
    await this.store?.[Symbol.asyncDispose]();
    this.#finished.resolve();
  }

  #workers(options: Omit<NodeOptions, "address">, module: string | undefined) {
    if (module === undefined) throw new TypeError("Cannot start workers without a main module");
    const mesh = new Mesh(this.relay.origin, this.#log);
    const { certificate: { cert, key }, ...rest } = options;
    const workers = new Workers({
      ...rest,
      certificate: { cert, key },
      address: this.address,
      count: this.#loaded.config.server.workers,
      mesh,
      module,
    });
    return { mesh, workers };
  }

  async #openStore(): Promise<void> {
    const { storage } = this.#loaded.config;
    const { clock } = this.relay.context;
    this.store = await openMediaStore(storage, { log: this.#log, clock });
    if (storage.record.length === 0) return;
    this.dvr = new Dvr({
      relay: this.relay,
      store: this.store,
      record: storage.record,
      tracks: storage.recordTracks,
      maxTracks: storage.recordMaxTracks,
      retention: { maxAgeMs: storage.recordMaxAge, maxBytes: storage.recordMaxBytes },
      log: this.#log,
    });
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
          transport: {
            ...transportOf(this.#loaded.config),
            maxUniStreams: Math.max(this.#loaded.config.server.maxUniStreams, UPSTREAM_UNI_STREAMS),
          },
        }),
    });
  }
}

const leveled = (server: RunningServer): LogLevelControl => ({
  get level() {
    return server.logLevel;
  },
  set level(level) {
    server.logLevel = level;
  },
});

/** Groups the upstream relay may have open at once: all the live tracks that anybody here watches come over one session. */
const UPSTREAM_UNI_STREAMS = 10_000;
/** How often another port is tried when any will do. */
const PORT_TRIES = 20;

/**
 * Listens for QUIC; where any port will do, on one whose TCP twin is free too, and the UDP ports of the workers behind it.
 * @throws {ListenFailed}
 */
function listenOnAll(options: NodeOptions): Node {
  const { hostname, port } = options.address;
  if (port !== 0) return new Node(options);
  for (let tries = 1;; tries++) {
    const tcp = Deno.listen({ hostname, port: 0 });
    const { port } = tcp.addr;
    tcp.close();
    try {
      for (let index = 1; index < (options.place?.count ?? 1); index++) {
        Deno.listenDatagram({ transport: "udp", hostname, port: port + index }).close();
      }
      return new Node({ ...options, address: { hostname, port } });
    } catch (error) {
      if (tries === PORT_TRIES) throw error;
    }
  }
}

/**
 * Starts a server. Fulfils once it listens on everything.
 * @throws {ListenFailed} @throws {KeysUnavailable} @throws {ConfigError} The admin interface would be open to others, and nobody said so.
 */
export async function startServer(
  loaded: LoadedConfig,
  context: ServerContext,
): Promise<RunningServer> {
  const exposures = exposuresOf(loaded);
  if (exposures.length > 0) throw new ConfigError(loaded.file ?? "the configuration", exposures);
  const server = new RunningServer(loaded, context);
  await server.open(context.assets);
  return server;
}
