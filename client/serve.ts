/**
 * The server for programs that embed it: raw QUIC and WebTransport on one port. Its sessions go to the program or to a mux, or
 * they share one origin as in a relay.
 *
 * @module
 */
import { reasonOf } from "../base/errors.ts";
import { silent } from "../base/logger.ts";
import { randomHop } from "../relay/hop.ts";
import { renewals } from "../relay/feed/renewals.ts";
import { Origin } from "../relay/origin.ts";
import type { RelayStats } from "../relay/stats.ts";
import type { TrackContext } from "../relay/track.ts";
import { drainSessions } from "../session/drain.ts";
import { acceptSession } from "../session/accept.ts";
import { sweepSession } from "../session/sweep.ts";
import { refuse } from "../session/open.ts";
import type { Session } from "../session/session.ts";
import type { Connection } from "../transport/connection.ts";
import type { QuicListener } from "../transport/quic/quic.ts";
import type { TransportSettings } from "../transport/quic/quic_settings.ts";
import { givenPath, isPath, pathOfUrl } from "../wire/path.ts";
import { alpnsOf, type Version, VERSIONS, versionsOf } from "../wire/versions.ts";
import { unlessAborted, type WaitOptions } from "../base/bell.ts";
import { Announcements } from "./announcements.ts";
import type { TrackMux } from "./mux.ts";
import { type PeerOptions, trackContext } from "./peer.ts";
import { BroadcastProducer, type PublishOptions } from "./publish.ts";
import { ServerSession } from "./server_session.ts";

/** A request for a WebTransport session. */
export interface SessionRequest {
  /** Path and query of the URL. */
  readonly path: string;
  /** Host and port as in the client's URL. */
  readonly authority: string;
  /** The page's origin, from browsers. */
  readonly origin: string | undefined;
}

/** What a server serves. */
export interface ServerOptions extends PeerOptions {
  /** Serves broadcasts by their path, to every session. */
  readonly mux?: TrackMux;
  /**
   * Called with each session, to publish and to subscribe. It may run as long as the session lives. If it rejects, the session
   * is closed. Without it, announcements of peers are ignored.
   */
  readonly onsession?: (session: ServerSession) => void | Promise<void>;
  /**
   * A relay: announcements of a peer are passed on to all others. Not together with `onsession`.
   * Cached groups and time are those of {@link ServerOptions.groupCacheSize} and `clock`.
   */
  readonly relay?: boolean;
  /** The HTTP status for a WebTransport client: 200 lets it in. Default: 200 for everybody. */
  readonly decide?: (request: SessionRequest) => number | Promise<number>;
  /** A session that has read nothing for this long is closed, in milliseconds. Default 10,000. */
  readonly writeTimeoutMs?: number;
}

/** Where to listen, and what to serve. */
export interface ServeOptions extends ServerOptions {
  /** An address of this machine; "::" takes IPv4 as well. Default "127.0.0.1". */
  readonly hostname?: string;
  /** 0 for any free one. Default 4433. */
  readonly port?: number;
  /** The certificate chain, PEM. */
  readonly cert: string;
  /** Its private key, PEM. */
  readonly key: string;
  /** Limits of the QUIC connections. */
  readonly transport?: TransportSettings;
}

/** How a server is closed. */
export interface ServerCloseOptions extends WaitOptions {
  /** How long groups that have begun may take to be sent, in milliseconds. Default 0: they are cut. */
  readonly graceMs?: number;
  /** The URL that peers are sent to; empty means back to this one. */
  readonly uri?: string;
}

/** How often sessions are swept. */
const SWEEP_MS = 1000;

/** Takes peers in. Its owner closes it. */
export class Server implements AsyncDisposable {
  /** Our hop id in routes. */
  readonly hop: bigint;
  readonly #options: ServerOptions;
  readonly #versions: readonly Version[];
  readonly #context: TrackContext;
  readonly #origin: Origin;
  readonly #sessions = new Set<Session>();
  readonly #pending = new Set<Connection>();
  readonly #unbind: Disposable | undefined;
  readonly #over = Promise.withResolvers<void>();
  readonly #cancelSweep: { now: () => void };
  #listener: QuicListener | undefined;
  #accepting: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  /** A server without a port: connections are handed to {@link Server.accept}. @throws {TypeError} @throws {RangeError} */
  constructor(options: ServerOptions) {
    if (options.relay === true && options.onsession !== undefined) {
      throw new TypeError("Cannot serve: a relay has no onsession, its sessions share one origin");
    }
    this.#options = options;
    this.#versions = versionsOf(options.versions ?? VERSIONS);
    this.hop = options.hop ?? randomHop();
    this.#context = trackContext(options);
    const lingerMs = options.relay === true ? 5000 : 0;
    this.#origin = new Origin({ context: this.#context, hop: this.hop, lingerMs, renewals });
    this.#unbind = options.mux?.bind(this.#origin);
    this.#cancelSweep = { now: () => {} };
    this.#sweepLater();
  }

  /** The address that it listens on, with the port that was chosen for 0. Absent if it does not listen. */
  get address(): { readonly hostname: string; readonly port: number } | undefined {
    return this.#listener?.addr;
  }

  /** Fulfils when it is closed. */
  get closed(): Promise<void> {
    return this.#over.promise;
  }

  /** Sessions open now. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** What was sent and received. A session given to `onsession` has its own counters. */
  get stats(): RelayStats {
    return this.#context.stats;
  }

  /** Announcements to all sessions, and in a relay those of all sessions: what there is, then every change. */
  announced(prefix = "", options: WaitOptions = {}): Announcements {
    const at = givenPath(prefix);
    return new Announcements(
      (listener) =>
        this.#origin.watch(
          { prefix: at },
          ({ path, route }) =>
            listener({ path, active: route !== undefined, hops: route?.hops ?? [] }),
        ),
      {
        ...options,
        over: this.#over.promise,
      },
    );
  }

  /** Publishes a broadcast to every session, now and later. */
  publish(path: string, options: PublishOptions = {}): BroadcastProducer {
    return new BroadcastProducer(this.#origin, path, options);
  }

  /** Takes a peer in. Fulfils when its session is over. Never rejects. */
  async accept(connection: Connection): Promise<void> {
    const { onsession, log = silent } = this.#options;
    if (this.#closing !== undefined) return refuse(connection, "none", "shutting down");
    this.#pending.add(connection);
    let opened: ServerSession | undefined;
    let session: Session;
    try {
      if (onsession === undefined) session = await this.#share(connection);
      else {
        const options = { ...this.#options, hop: this.hop, shared: this.#origin };
        opened = await ServerSession.start(connection, options);
        session = opened.link.session;
      }
    } catch (error) {
      log.info("no session", { remote: connection.remoteAddress, reason: reasonOf(error) });
      return;
    } finally {
      this.#pending.delete(connection);
    }
    this.#sessions.add(session);
    if (this.#closing !== undefined) session.close("none", "shutting down");
    if (opened !== undefined) void this.#hand(opened);
    await session.closed;
    this.#sessions.delete(session);
  }

  /** New connections get this certificate; open ones stay. @throws {ListenFailed} The old one stays then. */
  replaceCertificate(cert: string, key: string): void {
    this.#listener?.replaceCertificate(cert, key);
  }

  /** Asks every peer to leave, waits for groups that have begun, and ends. Idempotent. */
  async close(options: ServerCloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options);
    await unlessAborted(this.#closing, options.signal);
  }

  /** Closes at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Listens from now on. Called once, by {@link serve}.
   * @internal
   */
  listen(listener: QuicListener, accepting: Promise<void>): void {
    this.#listener = listener;
    this.#accepting = accepting;
  }

  /**
   * The answer to a WebTransport request.
   * @internal
   */
  async decide(request: SessionRequest): Promise<{ status: number }> {
    if (this.#closing !== undefined) return { status: 503 };
    const root = pathOfUrl(request.path.split("?")[0]!);
    if (root === undefined || !isPath(root)) return { status: 404 };
    return { status: await this.#options.decide?.(request) ?? 200 };
  }

  async #close({ graceMs = 0, uri = "" }: ServerCloseOptions): Promise<void> {
    this.#cancelSweep.now();
    for (const connection of this.#pending) refuse(connection, "none", "shutting down");
    const sessions = [...this.#sessions];
    const { clock } = this.#context;
    if (graceMs > 0) await drainSessions(sessions, { clock, graceMs, uri });
    for (const session of this.#sessions) session.close("none", "shutting down");
    await Promise.all([...this.#sessions].map((session) => session.closed));
    this.#listener?.close();
    await this.#accepting;
    this.#unbind?.[Symbol.dispose]();
    this.#over.resolve();
  }

  async #share(connection: Connection): Promise<Session> {
    return await acceptSession({
      connection,
      serve: this.#origin,
      hop: this.hop,
      stats: this.stats,
      versions: this.#versions,
      clock: this.#context.clock,
      ...(this.#options.log === undefined ? {} : { log: this.#options.log }),
      ...(this.#options.relay === true ? { consume: this.#origin } : {}),
    });
  }

  async #hand(session: ServerSession): Promise<void> {
    try {
      await this.#options.onsession!(session);
    } catch (error) {
      const { log = silent } = this.#options;
      log.warn("session closed: onsession failed", { reason: reasonOf(error) });
      session.link.session.close("internal", "internal error");
    }
  }

  #sweepLater(): void {
    const { clock } = this.#context;
    this.#cancelSweep.now = clock.after(SWEEP_MS, () => {
      const writeTimeoutMs = this.#options.writeTimeoutMs ?? 10_000;
      for (const session of [...this.#sessions]) {
        sweepSession(session, clock.now(), writeTimeoutMs);
      }
      this.#sweepLater();
    });
  }
}

/**
 * Listens for raw QUIC and WebTransport on one UDP port, in Deno.
 * @returns A running server. The caller closes it.
 * @throws {ListenFailed} The port is taken, or the certificate cannot be used.
 * @throws {RangeError} There is no such version.
 */
export async function serve(options: ServeOptions): Promise<Server> {
  const { hostname = "127.0.0.1", port = 4433, cert, key, transport, log = silent } = options;
  // Sockets are loaded only when they are needed: a browser has no use for them.
  const [{ listenQuic }, { acceptConnections }] = await Promise.all([
    import("../transport/quic/quic.ts"),
    import("../transport/accept.ts"),
  ]);
  const protocols = alpnsOf(versionsOf(options.versions ?? VERSIONS));
  const listener = listenQuic({
    hostname,
    port,
    cert,
    key,
    protocols: [...protocols, "h3"],
    ...(transport === undefined ? {} : { transport }),
    onHandshakeFailure: (error) => log.debug("QUIC handshake failed", { reason: error.message }),
  });
  const server = new Server(options);
  const accepting = acceptConnections(listener, {
    protocols,
    decide: (request) => server.decide(request),
    onConnection: (connection) => void server.accept(connection),
    onFailure: (remote, error) =>
      log.debug("no WebTransport session", { remote, reason: reasonOf(error) }),
  });
  server.listen(listener, accepting);
  return server;
}
