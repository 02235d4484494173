/**
 * Opens the parts of a server, one after the other. Each open part is on a stack: a failure closes the open parts, the last
 * one first.
 *
 * @module
 */
import { systemClock } from "../base/clock.ts";
import type { Logger, LogLevelControl } from "../base/logger.ts";
import { formatAddress } from "../config/address.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { Certificate } from "../config/tls/pem_pair.ts";
import type { Strays } from "../plugins/host/strays.ts";
import { randomHop } from "../relay/hop.ts";
import { openStore, type StoreOptions } from "../storage/open.ts";
import type { MediaStore } from "../storage/store.ts";
import type { Assets } from "../web/build/assets.ts";
import { adminApp } from "./admin/admin_http.ts";
import { AdminToken } from "./admin/token.ts";
import { Linkage } from "./cluster/linkage.ts";
import { LoadMeter } from "./cluster/load_meter.ts";
import { StoreArchive } from "./dvr/archive.ts";
import { Dvr } from "./dvr/dvr.ts";
import { Hooks } from "./hooks/hooks.ts";
import { AccessLog } from "./http/access_log.ts";
import { FurtherCertificates } from "./http/further_certificates.ts";
import { type HttpListener, serveHttp } from "./http/http_listener.ts";
import { pageUrl } from "./http/page_url.ts";
import { publicApp } from "./http/public_http.ts";
import { type Door, openDoor } from "./http/tcp_door.ts";
import { sharedCensus } from "./limits/census.ts";
import { Node, type NodeOptions } from "./node.ts";
import { PluginHost } from "./plugins/plugin_host.ts";
import type { Relay } from "./relay.ts";
import type { ReloadOutcome } from "./reload.ts";
import { ThreadLinks } from "./threads/thread_links.ts";
import { Workers } from "./threads/workers.ts";
import type { ServerView } from "./admin/server_view.ts";

export interface ServerContext {
  readonly logger: Logger;
  /** Changes the level of the logger. Without it only the worker threads follow. */
  readonly logLevel?: LogLevelControl;
  readonly certificate: Certificate;
  /** Files of the pages. */
  readonly assets?: Assets;
  /** Watches this thread for failures that no code handles. Without it only plugins are watched. */
  readonly strays?: Strays;
  /** The main module of the program. Worker threads run it too; needed with `server.workers` above 1. */
  readonly module?: string;
  /** Reads the configuration again and calls {@link RunningServer.reload}, for the admin interface. */
  readonly reload?: () => Promise<ReloadOutcome>;
  /** Drains and ends the program, for the admin interface. Default: the server closes itself. */
  readonly stop?: () => void;
}

/** The view of the HTTP listeners. The server changes its fields. */
type OwnView =
  & { -readonly [K in keyof ServerView]: ServerView[K] }
  & { readonly plugins: PluginHost; readonly hooks: Hooks };

/** The open parts of a server. It listens; it does not accept peers yet, and hooks, plugins and links are idle. */
export interface ServerParts {
  readonly node: Node;
  readonly workers: Workers | undefined;
  readonly door: Door | undefined;
  readonly further: FurtherCertificates | undefined;
  readonly linkage: Linkage;
  readonly view: OwnView;
  readonly listeners: readonly { readonly name: string; readonly address: string }[];
  readonly pageUrl: string | undefined;
}

/**
 * @param opened Gets each open part. The caller disposes of it, also when this rejects.
 * @throws {ListenFailed} @throws {KeysUnavailable} @throws {AdminTokenUnusable}
 */
export async function openParts(
  loaded: LoadedConfig,
  context: ServerContext & { readonly stop: () => void },
  opened: AsyncDisposableStack,
): Promise<ServerParts> {
  const { config, config: { server, admin, storage, relay } } = loaded;
  const { logger: log, certificate, strays, module } = context;
  const store = opened.use(await openStore(storeOf(storage), { log, clock: systemClock }));
  const several = server.workers > 1;
  const options = {
    ...(several ? { census: sharedCensus(server.workers) } : {}),
    config,
    hop: relay.hopId ?? randomHop(),
    certificate: { cert: certificate.cert, key: certificate.key },
    log,
  };
  const node = listenOnAll({
    ...options,
    address: server.address,
    ...(several ? { place: { index: 0, count: server.workers } } : {}),
    ...(strays === undefined ? {} : { strays }),
    ...(storage.record.length === 0 ? {} : { archive: new StoreArchive(store) }),
  });
  opened.defer(() => node.close(true));
  const meter = new LoadMeter({ census: node.relay.census });
  opened.defer(() => meter.stop());
  meter.start((load) => node.relay.doorkeeper.capacity.measured(load));
  const dvr = recorderOf(storage, store, node.relay, log);
  opened.defer(() => dvr?.stop());
  const adminToken = new AdminToken(admin, log);
  await adminToken.prepare();
  await node.authorizer.prepare();

  const { address } = node;
  const at = formatAddress;
  const listeners = [{ name: "QUIC, WebTransport", address: `${at(address)}/udp` }];
  let workers: Workers | undefined;
  if (several) {
    if (module === undefined) throw new TypeError("Cannot start workers without a main module");
    const links = new ThreadLinks(node.relay.origin, log);
    opened.defer(() => links.close());
    const started = workers = new Workers({
      ...options,
      address,
      count: server.workers,
      links,
      module,
    });
    opened.defer(() => started.close(true));
    await workers.start();
    for (let index = 1; index < server.workers; index++) {
      const its = { ...address, port: address.port + index };
      listeners.push({ name: `worker ${index}`, address: `${at(its)}/udp` });
    }
  }

  const hooks = new Hooks({ relay: node.relay, others: workers, log });
  const plugins = new PluginHost({
    relay: node.relay,
    loaded,
    log,
    store,
    admit: (request) => node.admission.admit(request),
    ...(strays === undefined ? {} : { strays }),
    recorded: (instance, recording) => hooks.recorded(instance, recording),
  });
  const linkage = new Linkage({
    ...{ config, relay: node.relay, address, workers, log },
    load: () => meter.load,
  });
  const view: OwnView = {
    node,
    relay: node.relay,
    others: workers,
    loaded,
    certificate,
    cluster: linkage.cluster,
    quicAddress: address,
    adminAddress: undefined,
    startedAtMs: Date.now(),
    dvr,
    plugins,
    hooks,
    reload: context.reload,
    drain: context.stop,
    log,
    logLevel: levelOfAll(context.logLevel ?? { level: config.logging.level }, workers),
  };

  // They close at the same time: each gives its open answers a moment.
  const http: HttpListener[] = [];
  opened.defer(() => Promise.all(http.map((listener) => listener.close())).then(() => {}));
  const accessLog = new AccessLog(log, config.logging.access);
  let door: Door | undefined;
  let further: FurtherCertificates | undefined;
  if (server.http) {
    const { assets } = context;
    const app = publicApp(view, assets === undefined ? {} : { assets });
    const served = accessLog.around(server.websocket ? node.withWebSockets(app) : app, "public");
    const opening = door = openDoor(served, address, { certificate, ...node.doorOptions, log });
    http.push(door);
    further = opened.adopt(
      new FurtherCertificates({
        pairs: () => view.loaded.config.server.certificates,
        onChange: (certificates) => {
          opening.setFurther(certificates);
          node.nameFurther(certificates.flatMap(({ hosts }) => hosts));
        },
        log,
      }),
      (its) => its.close(),
    );
    await further.look();
    const also = server.websocket ? "HTTPS, WebSocket" : "HTTPS";
    listeners.push({ name: "HTTP", address: at(door.address) });
    listeners.push({ name: also, address: at(door.address) });
  }
  if (admin.address !== undefined) {
    const app = accessLog.around(adminApp(view, adminToken), "admin");
    const listener = serveHttp(app, admin.address, { log });
    http.push(listener);
    view.adminAddress = listener.address;
    listeners.push({ name: "admin", address: at(listener.address) });
  }
  opened.defer(() => hooks.close());
  return {
    ...{ node, workers, door, further, linkage, view, listeners },
    pageUrl: door && pageUrl(door.address),
  };
}

/** How many ports are tried where any will do. */
const PORT_TRIES = 20;

/**
 * Listens for QUIC. For port 0 it finds a port that is free for TCP too, with free UDP ports for the workers after it.
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

/** Where media is kept. */
function storeOf(storage: Config["storage"]): StoreOptions {
  if (storage.type === "memory" || storage.redisUrl === undefined) {
    return { type: "memory", maxBytes: storage.maxBytes };
  }
  const { redisUrl: url, redisPrefix: prefix, redisTtl: ttlMs, maxWaitingBytes } = storage;
  return { type: "redis", url, prefix, ttlMs, maxWaitingBytes };
}

/** The recorder of the configured broadcasts; `undefined` where none are configured. */
function recorderOf(
  storage: Config["storage"],
  store: MediaStore,
  relay: Relay,
  log: Logger,
): Dvr | undefined {
  if (storage.record.length === 0) return undefined;
  return new Dvr({
    relay,
    store,
    record: storage.record,
    tracks: storage.recordTracks,
    maxTracks: storage.recordMaxTracks,
    retention: { maxAgeMs: storage.recordMaxAge, maxBytes: storage.recordMaxBytes },
    log,
  });
}

/** The log level of this thread and of the workers. */
function levelOfAll(own: LogLevelControl, workers: Workers | undefined): LogLevelControl {
  return {
    get level() {
      return own.level;
    },
    set level(level) {
      own.level = level;
      workers?.setLogLevel(level);
    },
  };
}
