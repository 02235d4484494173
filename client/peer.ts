/**
 * What both sides of a session can do: publish, list, subscribe, fetch. Clients and the sessions of a server are peers.
 *
 * @module
 */
import { type Clock, systemClock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { NotFound } from "../relay/errors.ts";
import { FramePool } from "../relay/group/frame_pool.ts";
import { Origin } from "../relay/origin.ts";
import type { TrackInfo } from "../relay/ports.ts";
import { newRelayStats, type RelayStats } from "../relay/stats.ts";
import type { TrackContext } from "../relay/track.ts";
import { copyOf } from "../session/convert/bridge.ts";
import { givenName, givenPath } from "../wire/path.ts";
import { Announcements } from "./announcements.ts";
import { unlessAborted, type WaitOptions } from "../base/bell.ts";
import { GroupReader } from "./frames.ts";
import { givenNumber } from "../base/given_number.ts";
import { BroadcastProducer, type PublishOptions } from "./publish.ts";
import { Remote, type SoughtTrack } from "./remote.ts";
import { type SubscribeOptions, Subscription } from "./subscription.ts";

/** Options of clients and servers. */
export interface PeerOptions {
  /** Versions to speak by name ("moq-lite-05", "moq-transport-18"), preferred first. Default: those of moq-lite for a
   * client, all for a server, newest first. */
  readonly versions?: readonly string[];
  /** Groups kept per published or subscribed track. Default 8. */
  readonly groupCacheSize?: number;
  /** Most bytes of one group. Default 32 MiB. */
  readonly maxGroupBytes?: number;
  /**
   * Our hop id in routes: 1 … 2^53-1. Default: a random one. A publisher that comes back with the same id within the relay's
   * linger keeps its viewers.
   */
  readonly hop?: bigint;
  /** Time and timers. Default: the machine's own. */
  readonly clock?: Clock;
  /** Takes log lines. Default: none. */
  readonly log?: Logger;
}

/** How one group is fetched. */
export interface FetchOptions extends WaitOptions {
  /** 0–255, higher goes first. Default 128. */
  readonly priority?: number;
}

/** What the tracks of one program share. */
export function trackContext(options: PeerOptions): TrackContext {
  return {
    pool: new FramePool({ shared: false }),
    clock: options.clock ?? systemClock,
    stats: newRelayStats(),
    copyOf,
    limits: {
      groupCacheSize: options.groupCacheSize ?? 8,
      maxAgeMs: 30_000,
      maxGroupBytes: options.maxGroupBytes ?? 32 << 20,
    },
  };
}

/** Where a peer's broadcasts are found, and until when. */
export interface PeerParts {
  /** What is served to the peer. */
  readonly local: Origin;
  /** What the peer has. */
  readonly remote: Remote;
  /** Fulfils when there will be no more sessions. */
  readonly over: Promise<unknown>;
}

/** The other end, over one session or several. */
export abstract class Peer {
  readonly #parts: PeerParts;
  /**
   * What was sent and received so far, over all sessions: groups, frames, bytes and datagrams each way; groups that were
   * skipped for a slow reader or cut short.
   */
  readonly stats: RelayStats;

  /**
   * @internal
   * @param parts Belong to the peer from now on.
   */
  constructor(parts: PeerParts) {
    this.#parts = parts;
    this.stats = parts.local.context.stats;
    void parts.over.then(() => parts.remote.end());
  }

  /**
   * Publishes a broadcast; the peer hears of it at once, and again in every later session.
   * @throws {RangeError} The path is above 1,024 bytes or 32 parts. The names of tracks have the same limit of bytes.
   */
  publish(path: string, options: PublishOptions = {}): BroadcastProducer {
    return new BroadcastProducer(this.#parts.local, path, options);
  }

  /**
   * What the peer announces below a prefix: what there is, then every change. It ends with the peer. A broadcast
   * that a reconnecting client finds again at its path is not told again.
   * @param options.signal When it aborts, the watch is closed, and reading it throws the signal's reason.
   */
  announced(prefix = "", options: WaitOptions = {}): Announcements {
    const { remote, over } = this.#parts;
    const at = givenPath(prefix);
    return new Announcements((listener) => remote.watch(at, listener), { ...options, over });
  }

  /**
   * Subscribes to a track. A broadcast that nobody publishes yet is waited for ({@link SubscribeOptions.waitMs}), through
   * lost sessions too where the client reconnects. Failures show when the subscription is read.
   * @throws {RangeError} `waitMs` or another number is out of its range, or a name is too long.
   */
  subscribe(path: string, track: string, options: SubscribeOptions = {}): Subscription {
    return new Subscription(this.seek(path, track), options);
  }

  /**
   * Where a track is found, for whoever reads it in another way.
   * @internal
   */
  seek(path: string, track: string): SoughtTrack {
    return this.#parts.remote.seek(givenPath(path), givenName(track));
  }

  /**
   * One group by its number, from the cache of whoever has it. It may still be growing. While there is no session, the
   * next one is waited for.
   * @throws {NotFound} @throws {SourceLost} @throws {RangeError} A name is too long, or a number out of its range.
   * @throws The signal's reason.
   */
  async fetch(
    path: string,
    track: string,
    group: number,
    options: FetchOptions = {},
  ): Promise<GroupReader> {
    const { signal } = options;
    const priority = givenNumber("a priority", options.priority ?? 128, 255);
    givenNumber("the number of a group", group);
    await this.reachable(signal);
    const at = givenPath(path);
    const broadcast = this.#parts.remote.broadcast(at);
    const asked = broadcast.fetch(at, givenName(track), { group, priority });
    const fetched = this.#told(asked, at, `group ${group} of track ${track}`);
    try {
      const found = await unlessAborted(fetched, signal);
      const reader = new GroupReader(found);
      found.release();
      return reader;
    } catch (error) {
      if (signal?.aborted) fetched.then((late) => late.release(), () => {});
      throw error;
    }
  }

  /**
   * A track's properties, from its publisher; versions before 05 have none, and the defaults are given.
   * @throws {NotFound} @throws {SourceLost} @throws {RangeError} A name is too long. @throws The signal's reason.
   */
  async trackInfo(path: string, track: string, options: WaitOptions = {}): Promise<TrackInfo> {
    await this.reachable(options.signal);
    const at = givenPath(path);
    const asked = this.#parts.remote.broadcast(at).trackInfo(at, givenName(track));
    return await unlessAborted(this.#told(asked, at, `track ${track}`), options.signal);
  }

  /** Says of what was not found that its broadcast is not there. @throws {NotFound} */
  async #told<T>(asked: Promise<T>, path: string, what: string): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      if (!(error instanceof NotFound) || this.#parts.remote.announces(path)) throw error;
      throw new NotFound(`${what}: nobody publishes ${path} yet`, "broadcast");
    }
  }

  /** Waits until a session stands, or there will be none any more. */
  protected abstract reachable(signal: AbortSignal | undefined): Promise<void>;
}
