/**
 * A session as everybody else knows it: a viewer, a publisher, another relay or our own client, whatever protocol it speaks.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { CloseReason } from "./reasons.ts";
import type { Namespace } from "../relay/namespace.ts";
import type { BroadcastSource, TrackRequest } from "../relay/ports.ts";
import type { HopId } from "../relay/route.ts";
import type { RelayStats } from "../relay/stats.ts";
import type { Track } from "../relay/track.ts";
import type { CloseInfo, Connection } from "../transport/connection.ts";
import type { Version } from "../wire/versions.ts";
import type { Quota } from "./quota.ts";

/** One peer speaking one version. {@link openSession} starts it. */
export interface Session {
  readonly connection: Connection;
  readonly version: Version;
  /** Stands before every path of this session: the path that was dialed, unless the peer was led elsewhere. Normalised. */
  readonly root: string;
  /** The peer's hop id, 0 when it did not tell. */
  readonly peerHop: HopId;
  /** The peer as a source of what it announces. */
  readonly source: BroadcastSource;
  /** Broadcasts that the peer announces now. */
  readonly announcements: number;
  /** Subscriptions of ours that are open at the peer now. */
  readonly subscriptions: number;
  /** Subscriptions that are served to the peer now. */
  readonly servedCount: number;
  /** Fulfils once the session is over and everything of it is cleared away. Never rejects. */
  readonly closed: Promise<CloseInfo>;

  /** What is served to the peer now. */
  served(): Iterable<Served>;
  /**
   * Asks the peer how it sees the path to us, once.
   * @returns `undefined` where the version cannot ask.
   * @throws {NotFound} The peer refused. @throws {SourceLost} The session ended first.
   */
  probe(): Promise<ProbeReport | undefined>;
  /** Waits until the peer has what was written before, as far as the version can tell. Never rejects. */
  settled(timeoutMs: number): Promise<void>;
  /**
   * Asks the peer to leave, where the transport or the version can.
   * @param uri Where to go; empty means back to the same place.
   */
  goaway(uri?: string): Promise<void>;
  /** Ends every served subscription in order: what has begun goes out to its end. */
  drain(): void;
  /** Looks for a peer that has stopped reading, or sends more than it may; call it every second or so. */
  sweep(now: number, writeTimeoutMs: number): void;
  /**
   * Ends the session. Groups that have begun are cut; call {@link Session.drain} and wait to avoid that.
   * @param reason A word, or a code as this version's protocol writes it. Default: in order.
   * @param text For people.
   * @returns The code the peer gets.
   */
  close(reason?: CloseReason | number, text?: string): number;
  /** The word for a code that this session was closed with; absent where the code has none. */
  reasonFor(code: number): CloseReason | undefined;
}

/** One subscription that is served to the peer. */
export interface Served {
  /** As the peer counts. */
  readonly id: number;
  readonly track: Track;
  readonly request: TrackRequest;
}

/** What a peer says of the path to us. */
export interface ProbeReport {
  /** Bits per second, 0 where the peer does not know. */
  readonly bitrate: number;
  /** Time to the peer and back, in milliseconds, 0 where the peer does not know. */
  readonly rttMs: number;
}

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
  readonly versions?: readonly Version[];
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
