/**
 * The relay: one origin, and all sessions that publish to it or subscribe from it. It does not open sockets or files: its
 * owner gives it connections.
 *
 * @module
 */
import { reasonOf } from "../base/errors.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import type { CloseReason } from "../session/reasons.ts";
import { type Logger, silent } from "../base/logger.ts";
import type { SessionCounters } from "../metrics/snapshot.ts";
import type { Archive } from "../relay/archive.ts";
import { renewals } from "../relay/feed/renewals.ts";
import { fetchesOf } from "../relay/fetches/fetches.ts";
import { fetching } from "../relay/fetches/loading.ts";
import { FramePool } from "../relay/group/frame_pool.ts";
import { NodeNews } from "../relay/cluster/node_news.ts";
import { type OriginNodes, originNodes } from "../relay/cluster/origin_nodes.ts";
import { PeerView } from "../relay/cluster/peer_view.ts";
import { originOffers } from "../relay/offers/origin_offers.ts";
import { Origin, type Place } from "../relay/origin.ts";
import { newRelayStats, type RelayStats } from "../relay/stats.ts";
import type { TrackContext } from "../relay/track.ts";
import { copyOf } from "../session/convert/convert.ts";
import { drainSessions } from "../session/drain.ts";
import { type Destinations, moveAway } from "./cluster/moving.ts";
import { SessionRefused } from "../session/errors.ts";
import { newLimitHits } from "../metrics/limit_keys.ts";
import { NO_LIMITS } from "../session/limits.ts";
import { LimitedQuota } from "../session/quota.ts";
import type { CloseInfo, Connection } from "../transport/connection.ts";
import { acceptSession } from "../session/accept.ts";
import { codesFor } from "../session/ietf/open.ts";
import { sweepSession } from "../session/sweep.ts";
import { openSession, refuse } from "../session/open.ts";
import type {
  Entry,
  EntryWish,
  RequestGrant,
  RequestWish,
  Session,
  TokenRefusal,
} from "../session/session.ts";
import type { Admitted } from "./auth/authorizer.ts";
import type { Grant, Refusal } from "./auth/grant.ts";
import { Holding } from "./auth/holding.ts";
import { type Revocation, Revocations, type Revoked } from "./auth/revocations.ts";
import { CacheKeeper } from "./limits/cache_keeper.ts";
import { Census } from "./limits/census.ts";
import { Doorkeeper } from "./limits/doorkeeper.ts";
import { HttpAnswers } from "./http/answers.ts";
import { DEFAULT_LIMITS, type NodeLimits } from "./limits/limits.ts";
import { entryOf } from "./auth/rights.ts";
import { type Version, VERSIONS } from "../wire/versions.ts";

/** A limit that is absent has the value of {@link DEFAULT_LIMITS}. */
export interface RelayOptions extends Partial<NodeLimits> {
  /** This relay's hop id: 1 … 2^53-1. */
  readonly hop: bigint;
  /** The index of this thread, and how many threads the server has. Default: one thread. */
  readonly place?: Place;
  /** How often this thread was restarted. Session ids stay unique over restarts. Default 0. */
  readonly restarts?: number;
  /** Versions it speaks, the preferred one first. Default: all. */
  readonly versions?: readonly Version[];
  readonly frameCapacity?: number;
  readonly groupCacheSize?: number;
  /** How long a broadcast stays after its publisher was lost without a word. Default 5,000. */
  readonly lingerMs?: number;
  /** Counts sessions over all threads of the server. Default: this thread alone. */
  readonly census?: Census;
  /** Holds groups that are no longer in the cache. */
  readonly archive?: Archive;
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** One peer of the relay. */
export interface RelaySession {
  /** Counted from 1. With several threads each one has its own share of the numbers. */
  readonly id: number;
  readonly session: Session;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** Whether we dialed it: another relay. */
  readonly dialed: boolean;
  /** Whether it is a part of this program: a plugin. */
  readonly internal: boolean;
  /** Whether it is another node of our cluster, whoever dialed. */
  readonly peer: boolean;
  /** What it may do; absent where admission was not asked. */
  readonly grant: Grant | undefined;
}

/** Decides on a peer that is connected, once its path and role are known. */
export type Admit = (wish: EntryWish) => Promise<Admitted | Refusal>;

/** Decides on the token of one request. */
export type Judge = (wish: RequestWish) => Promise<Admitted | TokenRefusal>;

const SWEEP_MS = 1000;

/** Most tracks of one broadcast that its publisher has not confirmed yet. */
const MAX_ASKED_TRACKS = 1000;

/** How many session ids each start of a thread has. */
const SESSIONS_PER_START = 1_000_000;

fetching.provide({ fetchesOf });

export class Relay {
  readonly origin: Origin;
  /** What the origin has for other nodes of a cluster. */
  readonly nodes: OriginNodes;
  readonly context: TrackContext;
  /** What this thread tells other nodes, and hears of them. */
  readonly nodeNews: NodeNews;
  readonly pool: FramePool;
  readonly stats: RelayStats;
  readonly counters: SessionCounters = {
    opened: 0,
    closed: 0,
    handshakesFailed: 0,
    violations: 0,
    lost: 0,
  };
  /** Whether new sessions are refused and open ones were asked to leave. */
  draining = false;
  /** Called when another node of the cluster has come or gone. */
  onPeers: (() => void) | undefined;
  /** The limits in use; {@link Relay.setLimits} changes them. */
  readonly limits: Readonly<NodeLimits> & { readonly groupCacheSize: number };
  /** How often each limit took effect. */
  readonly hits = newLimitHits();
  readonly doorkeeper: Doorkeeper;
  /** What all threads of the server count together. */
  readonly census: Census;
  /** HTTP answers under way, with their rights. */
  readonly answers: HttpAnswers;
  readonly #options: RelayOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #sessions = new Map<number, RelaySession>();
  readonly #pending = new Set<Connection>();
  #nextId: number;
  #cancelSweep: (() => void) | undefined;
  readonly #revocations = new Revocations();
  /** Rights of single requests, by tokens of their own. */
  readonly #holdings = new Set<Holding>();
  readonly #keeper: CacheKeeper;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silent;
    this.stats = newRelayStats();
    this.pool = new FramePool({
      ...(options.frameCapacity === undefined ? {} : { frameCapacity: options.frameCapacity }),
    });
    const { groupCacheSize = 100, census = new Census() } = options;
    this.limits = { ...DEFAULT_LIMITS, ...givenLimits(options), groupCacheSize };
    this.census = census;
    this.doorkeeper = new Doorkeeper(this.limits, this.hits, census);
    this.answers = new HttpAnswers({
      limits: this.limits,
      hits: this.hits,
      clock: this.#clock,
      isRevoked: (grant) => this.isRevoked(grant),
    });
    this.nodeNews = new NodeNews(options.hop);
    this.context = {
      pool: this.pool,
      clock: this.#clock,
      stats: this.stats,
      limits: this.limits,
      maxAskedTracks: MAX_ASKED_TRACKS,
      copyOf,
      onGroup: (now) => this.#keeper.look(now),
      ...(options.archive === undefined ? {} : { archive: options.archive }),
    };
    this.origin = new Origin({
      context: this.context,
      hop: options.hop,
      lingerMs: options.lingerMs ?? 5000,
      renewals,
      ...(options.place === undefined ? {} : { place: options.place }),
    });
    this.origin.allowOffers(originOffers);
    this.nodes = this.origin.allowNodes(originNodes);
    this.#keeper = new CacheKeeper(this.limits, this.hits, census, this.origin);
    const { index, count } = options.place ?? { index: 0, count: 1 };
    this.#nextId = 1 + index + count * SESSIONS_PER_START * (options.restarts ?? 0);
    this.#sweepLater();
  }

  get hop(): bigint {
    return this.origin.hop;
  }

  get versions(): readonly Version[] {
    return this.#options.versions ?? VERSIONS;
  }

  /** Sessions open now, oldest first. */
  sessions(): Iterable<RelaySession> {
    return this.#sessions.values();
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  session(id: number): RelaySession | undefined {
    return this.#sessions.get(id);
  }

  /**
   * Accepts a peer that has dialed us. Fulfils when its session is over. Never rejects.
   * @param admit Is asked before anything is served. Without it the peer may do everything.
   */
  async accept(connection: Connection, admit?: Admit, options: AcceptOptions = {}): Promise<void> {
    if (this.draining) return turnAway(connection, "none", "shutting down");
    if (options.unlimited === true) return await this.#follow(connection, options, admit);
    const { remoteAddress } = connection;
    const shaken = this.doorkeeper.full(remoteAddress) === undefined
      ? this.doorkeeper.shake(remoteAddress)
      : undefined;
    if (shaken === undefined) return turnAway(connection, "tooMany", "too many sessions");
    const leave = this.doorkeeper.enter(remoteAddress);
    try {
      await this.#follow(connection, options, admit, shaken);
    } finally {
      leave();
    }
  }

  /** @param shaken Called when the handshake is over. */
  async #follow(
    connection: Connection,
    options: AcceptOptions,
    admit: Admit | undefined,
    shaken: () => void = () => {},
  ): Promise<void> {
    const starting = this.#start(connection, "server", options, admit);
    const entry = await starting.catch(() => undefined).finally(shaken);
    await entry?.session.closed;
  }

  /** Changes the limits, for open sessions too. */
  setLimits(limits: NodeLimits): void {
    Object.assign(this.limits, limits);
  }

  /**
   * Revokes tokens: the one with an id, or all that a subject was given so far. Their sessions and HTTP answers end now,
   * and the tokens are refused until they expire.
   * @param untilMs When the last of these tokens expires, in milliseconds since 1970; absent when that is not known.
   * @returns How many sessions were closed.
   */
  revoke({ jti, sub }: Revoked, untilMs?: number): number {
    const hit = [...this.#sessions.values()].filter(({ grant }) =>
      (jti !== undefined && grant?.jti === jti) || (sub !== undefined && grant?.sub === sub)
    );
    const revoked = {
      ...(jti === undefined ? {} : { jti }),
      ...(sub === undefined ? {} : { sub }),
    };
    this.#revocations.add(revoked, this.#clock.wallMs(), untilMs);
    for (const { session } of hit) session.close("unauthorized", "token revoked");
    const requests = [...this.#holdings].filter((one) => one.isOf(revoked));
    for (const one of requests) one.lose("token revoked");
    const answers = this.answers.revoke(revoked);
    this.#log.info("tokens revoked", {
      ...revoked,
      ...{ sessions: hit.length, requests: requests.length, answers },
    });
    return hit.length;
  }

  /** Revoked tokens, the oldest first. */
  revocations(): Revocation[] {
    return this.#revocations.list(this.#clock.wallMs());
  }

  /**
   * Closes one session. Its peer may come back; revoke its token to keep it out.
   * @param why A word, or a code of the session's protocol.
   * @param reason For people.
   * @returns False when there is no such session.
   */
  kick(id: number, why: CloseReason | number, reason: string): boolean {
    const entry = this.#sessions.get(id);
    if (entry === undefined) return false;
    const code = entry.session.close(why, reason);
    this.#log.info("session kicked", { session: id, code, reason });
    return true;
  }

  /** Whether the token of a grant was revoked. */
  isRevoked(grant: Grant): boolean {
    return this.#revocations.covers(grant, this.#clock.wallMs());
  }

  /**
   * Joins another relay that we have dialed: announcements flow both ways.
   * @throws {NoCommonVersion} @throws {ProtocolViolation} @throws {ConnectionClosed}
   */
  async join(connection: Connection, options: JoinOptions = {}): Promise<RelaySession> {
    return await this.#start(connection, "client", options);
  }

  /**
   * Asks all peers to leave, sends groups that have begun to their end, and closes. Idempotent.
   * @param graceMs How long that may take.
   * @param uri Where peers are sent; empty means the same place.
   */
  async drain(graceMs: number, uri = "", to?: Destinations): Promise<void> {
    const inTime = await this.dismiss(graceMs, uri, to);
    await this.close(inTime ? "none" : "goawayTimeout");
  }

  /**
   * The first half of {@link Relay.drain}. The sessions stay open until {@link Relay.close}: others may still read what
   * they publish.
   * @param uri Where peers are sent; empty means the same place.
   * @param to Nodes of the cluster: viewers and publishers are sent there first, some at a time. Other relays leave last.
   * @returns Whether all groups were sent in time.
   */
  async dismiss(graceMs: number, uri = "", to?: Destinations): Promise<boolean> {
    this.draining = true;
    const endsAtMs = this.#clock.now() + graceMs;
    if (to !== undefined) {
      const moving = [...this.#sessions.values()].filter(({ dialed, peer }) => !dialed && !peer);
      const sessions = moving.map(({ session }) => session);
      await moveAway(sessions, to, { clock: this.#clock, graceMs });
    }
    const sessions = [...this.#sessions.values()].map(({ session }) => session);
    const leftMs = Math.max(0, endsAtMs - this.#clock.now());
    return await drainSessions(sessions, { clock: this.#clock, graceMs: leftMs, uri });
  }

  /** Closes every session at once. Idempotent. */
  async close(reason: CloseReason = "none"): Promise<void> {
    this.draining = true;
    this.#cancelSweep?.();
    for (const connection of this.#pending) turnAway(connection, "none", "shutting down");
    const sessions = [...this.#sessions.values()];
    for (const { session } of sessions) session.close(reason, "shutting down");
    await Promise.all(sessions.map(({ session }) => session.closed));
  }

  async #start(
    connection: Connection,
    side: "client" | "server",
    { unlimited = side === "client", internal = false, judge, ...join }:
      & JoinOptions
      & AcceptOptions = {},
    admit?: Admit,
  ): Promise<RelaySession> {
    const id = this.#nextId;
    this.#nextId += this.#options.place?.count ?? 1;
    let admitted: Admitted | undefined;
    const enter = admit && (async (wish: EntryWish): Promise<Entry> => {
      const answer = await admit(wish);
      if ("reason" in answer) throw new SessionRefused(answer.closing, answer.message);
      admitted = answer;
      const { peer = false } = answer.grant;
      if (peer) quota.lift();
      const authorize = judge && (async (wish: RequestWish) => this.#grant(await judge(wish)));
      const entry = entryOf(this.origin, answer.grant);
      return {
        ...entry,
        ...(peer && asNode(entry, this.nodeNews)),
        peer,
        ...(authorize && { authorize }),
      };
    });
    const log = this.#log.with({ session: id, remote: connection.remoteAddress });
    const limits = unlimited ? NO_LIMITS : this.limits;
    const quota = new LimitedQuota(limits, this.hits, this.#clock);
    this.#pending.add(connection);
    const seen = join.peer === true ? new PeerView(this.origin, this.nodeNews) : this.origin;
    let session: Session;
    try {
      const open = side === "client" ? openSession : acceptSession;
      session = await open({
        connection,
        ...{ serve: seen, consume: seen },
        hop: this.hop,
        stats: this.stats,
        versions: this.versions,
        clock: this.#clock,
        log,
        quota,
        setupTimeoutMs: this.limits.handshakeTimeoutMs,
        ...(enter === undefined ? {} : { enter }),
        ...join,
      });
    } catch (error) {
      admitted?.lease?.end("dropped");
      this.counters.handshakesFailed++;
      log.info("no session", { reason: reasonOf(error) });
      throw error;
    } finally {
      this.#pending.delete(connection);
    }
    const entry: RelaySession = {
      id,
      session,
      startedAtMs: this.#clock.wallMs(),
      dialed: side === "client",
      internal,
      peer: admitted?.grant.peer ?? join.peer ?? false,
      grant: admitted?.grant,
    };
    this.#sessions.set(id, entry);
    if (entry.peer) this.onPeers?.();
    this.counters.opened++;
    log.info("session opened", {
      version: session.version,
      transport: connection.kind,
      root: session.root,
      jti: entry.grant?.jti,
      sub: entry.grant?.sub,
    });
    if (admitted !== undefined) this.#hold(session, admitted);
    session.closed.then((info) => this.#ended(entry, info, log));
    if (this.draining) session.close("none", "shutting down");
    return entry;
  }

  /** Closes the session when its rights end, and ends its lease with the session. */
  #hold(session: Session, admitted: Admitted): void {
    const holding = new Holding(this.#clock, admitted, (why) => {
      session.close("unauthorized", why);
    });
    session.closed.then((info) => {
      holding.end(this.draining ? "shutdown" : info.abrupt ? "dropped" : "closed");
    });
  }

  /** Holds the rights of one request until they end, or it does. */
  #grant(admitted: Admitted | TokenRefusal): RequestGrant | TokenRefusal {
    if (typeof admitted === "string") return admitted;
    const lost = Promise.withResolvers<string>();
    const holding = new Holding(this.#clock, admitted, lost.resolve);
    this.#holdings.add(holding);
    const { serve, consume } = entryOf(this.origin, admitted.grant);
    return {
      ...{ serve, consume },
      onLost: (callback) => void lost.promise.then(callback),
      end: () => {
        this.#holdings.delete(holding);
        holding.end(this.draining ? "shutdown" : "closed");
      },
    };
  }

  #ended({ id, session, peer }: RelaySession, info: CloseInfo, log: Logger): void {
    this.#sessions.delete(id);
    if (peer) this.onPeers?.();
    this.counters.closed++;
    if (info.abrupt) this.counters.lost++;
    if (session.reasonFor(info.code) === "protocolViolation") this.counters.violations++;
    log.info("session closed", { code: info.code, reason: info.reason, abrupt: info.abrupt });
  }

  #sweepLater(): void {
    this.#cancelSweep = this.#clock.after(SWEEP_MS, () => {
      const now = this.#clock.now();
      const { writeTimeoutMs } = this.limits;
      this.#keeper.look(now); // another thread may have grown
      this.census.setSentBytes(this.stats.bytesOut);
      for (const { session } of [...this.#sessions.values()]) {
        sweepSession(session, now, writeTimeoutMs);
      }
      this.#sweepLater();
    });
  }
}

/** Options for one peer that has dialed us. */
export interface AcceptOptions {
  /** Versions to speak with it. Default: the relay's. */
  readonly versions?: readonly Version[];
  /** Whether the limits do not apply to it. */
  readonly unlimited?: boolean;
  /** Whether it is a part of this program. */
  readonly internal?: boolean;
  /** It is another node of our cluster, as in {@link SessionOptions.peer}. Its entry may say so too. */
  readonly peer?: boolean;
  /** Decides on tokens in its requests. Without it they are not looked at. */
  readonly judge?: Judge;
}

/** Closes a connection that gets no session, with a code of the protocol that it was meant for. */
function turnAway(connection: Connection, reason: CloseReason, text: string): void {
  refuse(connection, reason, text, codesFor(connection.protocol));
}

function givenLimits(options: Partial<NodeLimits>): Partial<NodeLimits> {
  const names = Object.keys(DEFAULT_LIMITS) as (keyof NodeLimits)[];
  return Object.fromEntries(names.map((name) => [name, options[name] ?? DEFAULT_LIMITS[name]]));
}

/** Options for a relay that we have dialed. */
export interface JoinOptions {
  /** Path and query of its URL, where the transport does not carry them. */
  readonly path?: string;
  /** Its host and port, likewise. */
  readonly authority?: string;
  readonly linkCost?: number;
  /** It is another node of our cluster, as in {@link SessionOptions.peer}. */
  readonly peer?: boolean;
  readonly onGoaway?: (uri: string) => void;
}

/** The origin as another node of the cluster sees it. */
function asNode({ serve, consume }: Pick<Entry, "serve" | "consume">, news: NodeNews) {
  return {
    serve: serve && new PeerView(serve, news),
    consume: consume && new PeerView(consume, news),
  };
}
