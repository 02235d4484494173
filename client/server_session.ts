/**
 * One peer of a server, for the program that embeds the server.
 *
 * @module
 */
import { acceptSession } from "../session/accept.ts";
import { silent } from "../base/logger.ts";
import { randomHop } from "../relay/hop.ts";
import { type Announced, Origin } from "../relay/origin.ts";
import type { CloseInfo, Connection } from "../transport/connection.ts";
import { versionsOf } from "../wire/versions.ts";
import { unlessAborted, type WaitOptions } from "../base/bell.ts";
import { Link } from "./link.ts";
import { Peer, type PeerOptions, trackContext } from "./peer.ts";
import { Remote } from "./remote.ts";

/** What a server gives to each of its sessions. */
export interface ServerSessionOptions extends PeerOptions {
  /** Broadcasts for every session. Paths with a segment that begins with a dot are left out. */
  readonly shared: Origin;
}

/** A session that a peer has opened: publish to it, subscribe from it, close it. */
export class ServerSession extends Peer implements AsyncDisposable {
  /** Fulfils when it has ended. Never rejects. */
  readonly closed: Promise<CloseInfo>;
  /**
   * Its session, to drain many at once.
   * @internal
   */
  readonly link: Link;

  /**
   * Takes a connection in.
   * @internal
   * @throws {NoCommonVersion} @throws {ProtocolViolation} @throws {ConnectionClosed} The connection is closed then.
   */
  static async start(
    connection: Connection,
    options: ServerSessionOptions,
  ): Promise<ServerSession> {
    const { shared, versions, log = silent } = options;
    const context = trackContext(options);
    const hop = options.hop ?? randomHop();
    const local = new Origin({ context, hop, lingerMs: 0 });
    const remote = new Remote({ context, resumeMs: 0 });
    const placed = new Map<string, Announced>();
    const mirror = shared.watch({}, ({ path, route }) => {
      placed.get(path)?.end();
      placed.delete(path);
      if (route === undefined) return;
      const place = local.announce(path, route.source, route);
      if (place !== undefined) placed.set(path, place);
    });
    void connection.closed.then(() => mirror.close());
    const link = await Link.start({
      open: acceptSession,
      connection,
      serve: local,
      context,
      hop,
      stats: context.stats,
      clock: context.clock,
      log,
      ...(versions === undefined ? {} : { versions: versionsOf(versions) }),
      ongoaway: () => {},
      onlost: (_, lost) => remote.detach(lost),
    });
    remote.attach(link);
    return new ServerSession(link, local, remote);
  }

  private constructor(link: Link, local: Origin, remote: Remote) {
    super({ local, remote, over: link.session.closed });
    this.link = link;
    this.closed = link.session.closed;
  }

  /** The version of the session: "moq-lite-06". */
  get version(): string {
    return this.link.session.version;
  }

  /** "ip:port" of the peer. */
  get remoteAddress(): string {
    return this.link.session.connection.remoteAddress;
  }

  /** Path of the URL that the peer dialed, without outer slashes. It is the prefix of every path of this session. */
  get path(): string {
    return this.link.session.root;
  }

  /** Asks the peer to leave for `uri`, if the version can (04+). An empty `uri` means to come back here. */
  async goaway(uri = "", options: WaitOptions = {}): Promise<void> {
    await unlessAborted(this.link.session.goaway(uri), options.signal);
  }

  /** Ends it at once. Groups on their way are cut. */
  async close(code = 0, reason = "", options: WaitOptions = {}): Promise<void> {
    this.link.session.close(code, reason);
    await unlessAborted(this.closed, options.signal);
  }

  /** Closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Always. */
  protected override reachable(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    return Promise.resolve();
  }
}
