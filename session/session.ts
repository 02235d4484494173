/**
 * One peer speaking one version of moq-lite: a half that serves it and a half that brings in what it announces.
 * Symmetric: a viewer, a publisher, another relay and our own client are this class with other origins behind it.
 *
 * @module
 */
import { type Clock, systemClock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import { type Logger, silent } from "../base/logger.ts";
import type { Namespace } from "../relay/namespace.ts";
import { randomHop } from "../relay/hop.ts";
import type { HopId } from "../relay/route.ts";
import type { RelayStats } from "../relay/stats.ts";
import type { BidiStream, CloseInfo, Connection, ReceiveStream } from "../transport/connection.ts";
import { ConnectionClosed, StreamReset } from "../transport/errors.ts";
import { ProtocolViolation } from "../wire/errors.ts";
import { SESSION_CODE, STREAM_CODE } from "../wire/lite/codes.ts";
import { BIDI, type Dialect, DIALECTS, UNI } from "../wire/lite/dialect.ts";
import type { Setup } from "../wire/lite/setup.ts";
import { Goaway } from "../wire/lite/track.ts";
import { framed } from "../wire/message.ts";
import { isPath, pathOfUrl } from "../wire/path.ts";
import { Faults } from "./faults.ts";
import { agree, NoCommonVersion, sendSetup, SessionRefused } from "./handshake.ts";
import { Intake, readSetup } from "./intake.ts";
import { newLimitHits, NO_LIMITS } from "./limits.ts";
import { CONTROL_ORDER, type Link } from "./link.ts";
import { Publisher } from "./lite/publisher.ts";
import type { ServedSubscription } from "./lite/served_subscription.ts";
import { Subscriber } from "./lite/subscriber.ts";
import { Quota } from "./quota.ts";
import { StreamReader } from "./stream_reader.ts";
import { Unfinished } from "./unfinished.ts";

export interface SessionOptions {
  readonly connection: Connection;
  readonly side: "client" | "server";
  /** What the peer may see and subscribe to; absent when nothing. */
  readonly serve?: Namespace;
  /** Where the peer's announcements go; absent when they are not wanted. */
  readonly consume?: Namespace;
  /** Our own hop id; 0n when we have none. */
  readonly hop: HopId;
  readonly stats: RelayStats;
  /** Versions we speak, preferred first. Default: all. */
  readonly versions?: readonly Dialect[];
  /** Price of this link, added to the cost of the peer's routes (06). Default: what the peer says, else 1. */
  readonly linkCost?: number;
  /** Path and query to tell the server, where the transport carries none. Client only. */
  readonly path?: string;
  /**
   * Decides on a peer that has dialed us, once it has said where it wants to go and before anything is served; instead of
   * `serve` and `consume`. Server only. @throws {SessionRefused}
   */
  readonly enter?: (wish: EntryWish) => Promise<Entry>;
  /** How long the peer may take over its SETUP, in milliseconds. Default 10,000. */
  readonly setupTimeoutMs?: number;
  /** What the peer may have of us. Default: everything. */
  readonly quota?: Quota;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** The peer wants us to go to another place, or to come back to the same one when empty. */
  readonly onGoaway?: (uri: string) => void;
}

/** What a peer says before anything is served to it. */
export interface EntryWish {
  /** Path and query. */
  readonly path: string;
  /** What it means to do here and nothing else; absent when it did not say. */
  readonly role: "publisher" | "subscriber" | undefined;
}

/** Where a peer is let in. */
export interface Entry {
  /** Stands before every path of the session. Normalised. */
  readonly root: string;
  /** What the peer may see and subscribe to; absent when nothing. */
  readonly serve: Namespace | undefined;
  /** Where its announcements go; absent when they are not wanted. */
  readonly consume: Namespace | undefined;
}

/** How long GOAWAY may take behind the transport's own word. */
const DRAIN_MS = 1000;

export class Session {
  readonly dialect: Dialect;
  readonly connection: Connection;
  /** Fulfils once the session is over and everything of it is cleared away. Never rejects. */
  readonly closed: Promise<CloseInfo>;
  readonly publisher: Publisher;
  readonly subscriber: Subscriber;
  readonly #link: Link;
  readonly #options: SessionOptions;
  readonly #intake: Intake;
  readonly #faults: Faults;
  #peerSetup: Setup = {};
  #setupSeen = false;
  #peerKnown!: () => void;
  #announceSeen!: () => void;
  readonly #announceAsked = new Promise<void>((resolve) => this.#announceSeen = resolve);
  #goawaySent = false;
  #goawaySeen = false;

  /**
   * Settles the version and starts the session.
   * @throws {NoCommonVersion} @throws {ProtocolViolation} @throws {ConnectionClosed} The connection is closed then.
   */
  static async start(options: SessionOptions): Promise<Session> {
    const { connection, side } = options;
    const clock = options.clock ?? systemClock;
    const cancel = clock.after(
      options.setupTimeoutMs ?? 10_000,
      () => {
        if (options.quota !== undefined) options.quota.hits.handshakeTime++;
        connection.close(SESSION_CODE.controlTimeout, "no SETUP in time");
      },
    );
    try {
      const { versions = DIALECTS, path } = options;
      const agreed = await agree(connection, side, versions, path);
      const quota = options.quota ?? new Quota(NO_LIMITS, newLimitHits(), clock);
      const unfinished = new Unfinished(clock, quota.hits);
      const intake = new Intake(connection, agreed.dialect, unfinished, quota.hits);
      intake.start(side === "server" && agreed.dialect.setup === "uni");
      const setup = await Session.#firstSetup(options, agreed.dialect, intake);
      const entry = await Session.#enter(options, setup?.path ?? agreed.path, setup);
      const before = { quota, unfinished, intake, setup };
      const session = new Session(options, agreed.dialect, before, entry);
      if (agreed.sessionStream !== undefined) session.#follow(agreed.sessionStream);
      session.#run();
      return session;
    } catch (error) {
      connection.close(closeCode(error), reasonOf(error));
      throw error;
    } finally {
      cancel();
    }
  }

  /** @param named The path that the client named inside the connection. */
  static async #enter(options: SessionOptions, named?: string, setup?: Setup): Promise<Entry> {
    const { connection, side, serve, consume, enter } = options;
    // A URL that was dialed counts, and has been decided on; what is said behind it leads nowhere else.
    const path = connection.kind === "quic" || connection.path === "/"
      ? named ?? connection.path
      : connection.path;
    if (side === "server" && enter !== undefined) {
      return await enter({ path, role: ROLES[setup?.role ?? 0] });
    }
    return { root: side === "client" ? "" : rootOf(path), serve, consume };
  }

  /** Says who we are (05+). A server learns from the client's SETUP which path it wants; streams that came before are kept. */
  static async #firstSetup(
    options: SessionOptions,
    dialect: Dialect,
    intake: Intake,
  ): Promise<Setup | undefined> {
    if (dialect.setup !== "uni") return undefined;
    const { connection, side, hop, path } = options;
    await sendSetup(connection, {
      ...(hop === 0n ? {} : { hop }),
      ...(side === "client" && path !== undefined ? { path } : {}),
      ...(side === "client" && options.linkCost !== undefined ? { cost: options.linkCost } : {}),
    });
    return side === "client" ? undefined : await intake.setup();
  }

  private constructor(
    options: SessionOptions,
    dialect: Dialect,
    { quota, unfinished, intake, setup }: Before,
    { root, serve, consume }: Entry,
  ) {
    const { connection } = options;
    this.#options = options;
    this.dialect = dialect;
    this.connection = connection;
    const log = options.log ?? silent;
    const clock = options.clock ?? systemClock;
    const peerKnown = new Promise<void>((resolve) => this.#peerKnown = resolve);
    if (dialect.setup !== "uni") this.#peerKnown();
    else if (setup === undefined) {
      const late = clock.after(options.setupTimeoutMs ?? 10_000, this.#peerKnown);
      void peerKnown.then(late);
    }
    this.#link = {
      connection,
      dialect,
      serve,
      consume,
      root,
      hop: options.hop,
      peerHop: 0n,
      peerKnown,
      stamp: randomHop(),
      linkCost: () => options.linkCost ?? this.#peerSetup.cost ?? 1,
      clock,
      quota,
      unfinished,
      stats: options.stats,
      log,
      peerLeaving: false,
      failed: (error) => this.#failed(error),
    };
    this.subscriber = new Subscriber(this.#link, connection.remoteAddress);
    this.publisher = new Publisher(this.#link, this.subscriber);
    this.#faults = new Faults(clock);
    this.#intake = intake;
    if (setup !== undefined) this.#setup(setup);
    this.closed = this.#end();
    void connection.draining?.then(() => this.#drained());
  }

  /** What stands before every path of this session: the path that was dialed, unless the peer was led elsewhere. */
  get root(): string {
    return this.#link.root;
  }

  /** The peer's hop id, 0 when it did not tell. */
  get peerHop(): HopId {
    return this.#link.peerHop;
  }

  /** Subscriptions served to the peer. */
  served(): Iterable<ServedSubscription> {
    return this.publisher.served();
  }

  /**
   * Asks the peer to leave, where the transport or the version can (04+). The version's word waits for the peer's first stream: older relays end a
   * session in which it comes too early.
   * @param uri Where to go; empty means back to the same place.
   */
  async goaway(uri = ""): Promise<void> {
    if (this.#goawaySent) return;
    this.#goawaySent = true;
    this.connection.drain?.();
    if (!this.dialect.goaway) return;
    const early = new Promise<void>((resolve) => this.#link.clock.after(500, resolve));
    await Promise.race([this.#announceAsked, early]);
    try {
      const stream = await this.connection.openBidi({ sendOrder: CONTROL_ORDER });
      stream.send.write(framed(Goaway.encode({ uri }), BIDI.goaway));
      stream.send.finish();
    } catch (error) {
      if (!(error instanceof ConnectionClosed)) throw error;
    }
  }

  /** Ends the session. Groups that have begun are cut; call {@link Publisher.drain} and wait to avoid that. */
  close(code: number = SESSION_CODE.none, reason = ""): void {
    this.connection.close(code, reason);
  }

  /** Looks for a peer that has stopped reading, or sends more than it may; call it every second or so. */
  sweep(now: number, writeTimeoutMs: number): void {
    const { quota, unfinished } = this.#link;
    unfinished.sweep(now);
    if (quota.sweep(now)) {
      quota.hits.receiveRate++;
      this.#link.log.warn("session closed: the peer sends more than it may");
      return this.close(SESSION_CODE.tooMany, "more media than this server takes");
    }
    if (this.publisher.sweep(now) <= writeTimeoutMs) return;
    quota.hits.writeTime++;
    this.#link.log.warn("session closed: the peer has stopped reading");
    this.close(SESSION_CODE.controlTimeout, "the peer has stopped reading");
  }

  #run(): void {
    this.#intake.open({
      uni: (stream, reader, type) => this.#spawn(this.#uni(stream, reader, type)),
      bidi: (stream, reader) => this.#spawn(this.#bidi(stream, reader)),
    });
    if (this.#link.consume !== undefined) this.#spawn(this.subscriber.follow());
    if (this.dialect.timestamps) this.#spawn(this.#readDatagrams());
  }

  async #end(): Promise<CloseInfo> {
    const info = await this.connection.closed;
    this.#peerKnown();
    // Who was asked to come back elsewhere is waited for like one who was lost.
    this.subscriber.close(
      info.abrupt || info.code !== SESSION_CODE.none || this.#link.peerLeaving,
    );
    this.publisher.close();
    this.#link.quota.close();
    return info;
  }

  async #readDatagrams(): Promise<void> {
    for (;;) {
      const bytes = await this.connection.readDatagram();
      if (bytes === undefined) return;
      try {
        this.subscriber.datagram(bytes);
      } catch (error) {
        if (!(error instanceof ProtocolViolation)) throw error;
        this.#link.stats.datagramsMalformed++;
        this.#fault(error);
      }
    }
  }

  async #bidi(stream: BidiStream, reader: StreamReader): Promise<void> {
    try {
      const wait = this.#link.quota.message();
      if (wait !== undefined) await reader.prefetch(wait);
      await this.#request(stream, reader);
    } catch (error) {
      // Cancelled before its request was whole, or wrong: our half must not stay behind.
      stream.send.reset(STREAM_CODE.cancel);
      stream.receive.stop(STREAM_CODE.cancel);
      throw error;
    }
  }

  async #request(stream: BidiStream, reader: StreamReader): Promise<void> {
    const type = await reader.varint();
    switch (type) {
      case undefined: // cancelled before its first byte: browsers do that
        return stream.send.finish();
      case BIDI.announce:
        this.#announceSeen();
        return await this.publisher.announce(stream, reader);
      case BIDI.subscribe:
        return await this.publisher.subscribe(stream, reader);
      case BIDI.fetch:
        return await this.publisher.fetch(stream, reader);
      case BIDI.probe:
        return await this.publisher.probe(stream, reader);
      case BIDI.track:
        return await this.publisher.trackInfo(stream, reader);
      case BIDI.goaway:
        if (this.dialect.goaway) return await this.#goaway(stream, reader);
    }
    this.#link.stats.streamsRefused++;
    this.#link.log.debug("stream of an unknown type refused", { type });
    stream.send.reset(STREAM_CODE.cancel);
    stream.receive.stop(STREAM_CODE.cancel);
  }

  async #uni(stream: ReceiveStream, reader: StreamReader, known?: number): Promise<void> {
    try {
      const type = known ?? await reader.varint();
      if (type === undefined) return;
      if (type === UNI.group) return await this.subscriber.group(stream, reader);
      if (type === UNI.setup && this.dialect.setup === "uni") return await this.#late(reader);
      this.#link.stats.streamsRefused++;
      this.#link.log.debug("stream of an unknown type refused", { type });
      stream.stop(STREAM_CODE.cancel);
    } catch (error) {
      stream.stop(STREAM_CODE.cancel);
      throw error;
    }
  }

  /** SETUP of a server, or one too many. Without it the rest cannot be understood. */
  async #late(reader: StreamReader): Promise<void> {
    try {
      this.#setup(await readSetup(reader));
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.#violated(error);
    }
  }

  #setup(setup: Setup): void {
    if (this.#setupSeen) throw new ProtocolViolation("SETUP", "it came twice");
    this.#setupSeen = true;
    this.#peerSetup = setup;
    if (setup.hop !== undefined) this.#link.peerHop = setup.hop;
    this.#peerKnown();
  }

  async #goaway(stream: BidiStream, reader: StreamReader): Promise<void> {
    const message = await reader.message(Goaway);
    stream.send.finish();
    if (message === undefined) return;
    if (this.#goawaySeen) throw new ProtocolViolation("GOAWAY", "it came twice");
    this.#goawaySeen = true;
    this.#leave(message.uri);
  }

  /** The transport says that the peer wants us to leave. GOAWAY says more: it has a moment to come. */
  #drained(): void {
    const cancel = this.#link.clock.after(DRAIN_MS, () => {
      if (!this.#goawaySeen) this.#leave("");
    });
    void this.closed.then(cancel);
  }

  #leave(uri: string): void {
    if (this.#link.peerLeaving) return;
    this.#link.peerLeaving = true;
    this.#link.log.info("the peer asks us to leave", { uri });
    this.subscriber.devalue();
    this.#options.onGoaway?.(uri);
  }

  /** The legacy session stream: what comes on it is stepped over, its end is the session's. */
  #follow({ stream, reader }: { stream: BidiStream; reader: StreamReader }): void {
    this.#spawn(
      reader.drain().then(() => {
        stream.send.finish();
        this.close(SESSION_CODE.none, "the session stream ended");
      }),
    );
  }

  /** Runs one stream's task; what goes wrong there ends the stream. */
  #spawn(task: Promise<void>): void {
    task.catch((error) => this.#failed(error));
  }

  #failed(error: unknown): void {
    if (error instanceof StreamReset || error instanceof ConnectionClosed) return;
    if (error instanceof ProtocolViolation) {
      this.#link.stats.streamsMalformed++;
      return this.#fault(error);
    }
    this.#link.log.error("session closed: internal error", {
      reason: error instanceof Error ? error.stack ?? error.message : reasonOf(error),
    });
    this.close(SESSION_CODE.internal, "internal error");
  }

  /** One stream or datagram could not be read: the others can. Who goes on with that has another protocol than ours. */
  #fault(error: ProtocolViolation): void {
    if (this.#faults.add()) return this.#violated(error);
    this.#link.log.info("malformed stream or datagram", { reason: error.message });
  }

  #violated(error: ProtocolViolation): void {
    this.#link.log.warn("session closed: protocol violation", { reason: error.message });
    this.close(SESSION_CODE.protocolViolation, error.message.slice(0, MAX_REASON));
  }
}

/** Longest reason a close carries. */
const MAX_REASON = 500;

/** Of SETUP; other numbers mean both. */
const ROLES: Readonly<Record<number, EntryWish["role"]>> = { 1: "publisher", 2: "subscriber" };

/** What a handshake that failed is closed with. */
function closeCode(error: unknown): number {
  if (error instanceof SessionRefused) return error.sessionCode;
  if (error instanceof NoCommonVersion) return SESSION_CODE.version;
  const theirs = error instanceof ProtocolViolation || error instanceof StreamReset;
  return theirs ? SESSION_CODE.protocolViolation : SESSION_CODE.internal;
}

/** What there is of a session before it stands. */
interface Before {
  readonly quota: Quota;
  readonly unfinished: Unfinished;
  readonly intake: Intake;
  /** The peer's, where it has come. */
  readonly setup: Setup | undefined;
}

/** As HTTP's 404, where no application has its say. */
const NO_SUCH_PATH = 64 + 404;

/** @throws {SessionRefused} It is no path of a URL. */
function rootOf(path: string): string {
  const root = pathOfUrl(path.split("?")[0]!);
  if (root === undefined || !isPath(root)) {
    throw new SessionRefused(NO_SUCH_PATH, "nothing can be at this path");
  }
  return root;
}
