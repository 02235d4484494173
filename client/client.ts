/**
 * One session with a relay or publisher: what is announced there, its tracks, and what we publish to it.
 *
 * @module
 */
import { type Clock, systemClock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { Broadcast } from "../relay/broadcast.ts";
import { FramePool } from "../relay/frame_pool.ts";
import { randomHop } from "../relay/hop.ts";
import { Origin } from "../relay/origin.ts";
import { newRelayStats, type RelayStats } from "../relay/stats.ts";
import type { TrackContext } from "../relay/track.ts";
import type { ProbeReport } from "../session/lite/subscriber.ts";
import { Session } from "../session/session.ts";
import type { CloseInfo, Connection } from "../transport/connection.ts";
import type { Dialect } from "../wire/lite/dialect.ts";
import { normalizePath } from "../wire/path.ts";
import { Announcements } from "./announcements.ts";
import { GroupReader } from "./frames.ts";
import { BroadcastProducer, type PublishOptions } from "./publish.ts";
import { settled } from "./settle.ts";
import { type SubscribeOptions, Subscription } from "./subscription.ts";

export interface ClientOptions {
  /** Versions to speak, preferred first. Default: all. */
  readonly versions?: readonly Dialect[];
  /** Groups kept per published or subscribed track. Default 8. */
  readonly groupCacheSize?: number;
  /** Most bytes of one group. Default 32 MiB. */
  readonly maxGroupBytes?: number;
  /** Path and query told in SETUP, for transports that carry no URL. */
  readonly path?: string;
  /**
   * Who we are, for routes: 1 … 2^53-1. Default: made anew. One that comes back with the same id within the relay's
   * linger is taken for the same publisher, and its viewers stay.
   */
  readonly hop?: bigint;
  /** The peer asks us to go elsewhere (or to come back, when empty). */
  readonly ongoaway?: (uri: string) => void;
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** How long a goodbye may take to leave this machine, in milliseconds: transports do not tell when it has. */
const GOODBYE_MS = 20;

/** Groups of a received track that are known at least: streams overtake each other, and a forgotten one is refused. */
const MIN_RECEIVED_GROUPS = 128;

/** A live session. Close it in the end. */
export class Client implements AsyncDisposable {
  readonly #session: Session;
  readonly #local: Origin;
  readonly #remote: Origin;
  /** Broadcasts that were asked for without being announced. */
  readonly #asked = new Map<string, Broadcast>();
  /** What this client has sent and received so far. */
  readonly stats: RelayStats;

  /** Starts a session over a connection that is there already. @throws {NoCommonVersion} @throws {ProtocolViolation} */
  static async over(connection: Connection, options: ClientOptions = {}): Promise<Client> {
    const stats = newRelayStats();
    const context: TrackContext = {
      pool: new FramePool({ shared: false }),
      clock: options.clock ?? systemClock,
      stats,
      limits: {
        groupCacheSize: options.groupCacheSize ?? 8,
        maxAgeMs: 30_000,
        maxGroupBytes: options.maxGroupBytes ?? 32 << 20,
      },
    };
    const hop = options.hop ?? randomHop();
    const local = new Origin({ context, hop, lingerMs: 0 });
    const received = {
      ...context.limits,
      groupCacheSize: Math.max(MIN_RECEIVED_GROUPS, context.limits.groupCacheSize),
    };
    const remote = new Origin({ context: { ...context, limits: received }, hop, lingerMs: 0 });
    const { versions, path, ongoaway, clock, log } = options;
    const session = await Session.start({
      connection,
      side: "client",
      serve: local,
      consume: remote,
      hop,
      stats,
      ...(versions === undefined ? {} : { versions }),
      ...(path === undefined ? {} : { path }),
      ...(clock === undefined ? {} : { clock }),
      ...(log === undefined ? {} : { log }),
      ...(ongoaway === undefined ? {} : { onGoaway: ongoaway }),
    });
    return new Client(session, local, remote, stats);
  }

  private constructor(session: Session, local: Origin, remote: Origin, stats: RelayStats) {
    this.#session = session;
    this.#local = local;
    this.#remote = remote;
    this.stats = stats;
  }

  /** The version that was agreed on: "moq-lite-06". */
  get version(): string {
    return this.#session.dialect.name;
  }

  /** Fulfils when the session has ended. Never rejects. */
  get closed(): Promise<CloseInfo> {
    return this.#session.closed;
  }

  /** Publishes a broadcast; the peer hears of it at once. */
  publish(path: string, options: PublishOptions = {}): BroadcastProducer {
    return new BroadcastProducer(this.#local, path, options);
  }

  /** What the peer announces below a prefix: what there is, then every change. */
  announced(prefix = ""): Announcements {
    return new Announcements(this.#remote, normalizePath(prefix));
  }

  /**
   * Subscribes to a track. The peer need not have announced the broadcast: it is asked all the same.
   * Failures show when the subscription is read.
   */
  subscribe(path: string, track: string, options: SubscribeOptions = {}): Subscription {
    const broadcast = this.#broadcast(path);
    return new Subscription(broadcast.track(normalizePath(path), track), options);
  }

  /** One group by its number, from the cache of whoever has it. @throws {NotFound} @throws {SourceLost} */
  async fetch(path: string, track: string, group: number, priority = 128): Promise<GroupReader> {
    const broadcast = this.#broadcast(path);
    const found = await broadcast.fetch(normalizePath(path), track, { group, priority });
    const reader = new GroupReader(found);
    found.release();
    return reader;
  }

  /**
   * Asks the peer how it sees the path to us: PROBE.
   * @returns `undefined` where the version has none (01, 02); 0 where the peer does not know.
   * @throws {NotFound} The peer refused. @throws {SourceLost}
   */
  async probe(): Promise<ProbeReport | undefined> {
    return await this.#session.subscriber.probe();
  }

  /**
   * Ends in order: waits until the peer has all of the groups that were closed, then ends the session. Close what is
   * published first; a track that is not goes on being served until the time is up.
   *
   * @param timeoutMs Longest time this may take, in milliseconds.
   */
  async end(timeoutMs = 5000): Promise<void> {
    const { connection, dialect, publisher } = this.#session;
    const endsAtMs = performance.now() + timeoutMs;
    let over = false;
    connection.closed.then(() => over = true);
    while (publisher.subscriptions > 0 && !over && performance.now() < endsAtMs) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await settled(connection, dialect, Math.min(1000, endsAtMs - performance.now()));
    await this.close();
  }

  /** Ends the session at once; groups that are on their way are cut. */
  async close(code = 0, reason = ""): Promise<void> {
    this.#session.close(code, reason);
    await this.#session.closed;
    // A program that ends right now would take the goodbye with it, and the peer would wait for us until its idle timeout.
    await new Promise((resolve) => setTimeout(resolve, GOODBYE_MS));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #broadcast(path: string): Broadcast {
    const at = normalizePath(path);
    const announced = this.#remote.find(at);
    if (announced !== undefined) return announced;
    // Not announced, or not yet: the peer is the only one who could have it.
    const known = this.#asked.get(at);
    if (known !== undefined) return known;
    const asked = new Broadcast(at, undefined, { context: this.#remote.context, lingerMs: 0 });
    asked.setRoute({
      source: this.#session.subscriber,
      hops: [0n],
      warm: 0,
      cold: Infinity,
      order: 0,
    });
    this.#asked.set(at, asked);
    return asked;
  }
}
