/**
 * The interface of a session, whatever protocol it speaks. The peer is a viewer, a publisher, another relay or our own client.
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
import type { Swept } from "./sweep.ts";

/** One peer and the version that it speaks. {@link openSession} opens it. */
export interface Session {
  readonly connection: Connection;
  readonly version: Version;
  /** The prefix of every path of this session: the path that was dialed, or the root of its grant. Normalised. */
  readonly root: string;
  /** The peer's hop id; 0 if it did not tell. */
  readonly peerHop: HopId;
  /** Fulfils when {@link Session.peerHop} is known, as far as the peer tells it before it announces something. Never rejects. */
  readonly peerKnown: Promise<void>;
  /** The peer as the source of the broadcasts that it announces. */
  readonly source: BroadcastSource;
  /** Broadcasts that the peer announces now. */
  readonly announcements: number;
  /** Our subscriptions that are open at the peer now. */
  readonly subscriptions: number;
  /** Subscriptions that are served to the peer now. */
  readonly servedCount: number;
  /** Fulfils once the session is over and has withdrawn its routes and subscriptions. Never rejects. */
  readonly closed: Promise<CloseInfo>;

  /** The subscriptions that are served to the peer now. */
  served(): Iterable<Served>;
  /**
   * Asks the peer once for bit rate and round trip.
   * @returns `undefined` where the version cannot ask.
   * @throws {NotFound} The peer refused. @throws {SourceLost} The session ended first.
   */
  probe(): Promise<ProbeReport | undefined>;
  /** Waits until the peer has received what was written, as far as the version can tell. Never rejects. */
  settled(timeoutMs: number): Promise<void>;
  /**
   * Asks the peer to leave, if the transport or the version can.
   * @param uri Where to go; empty means back to the same place.
   */
  goaway(uri?: string): Promise<void>;
  /** Ends every served subscription in order: groups that have begun are sent to their end. */
  drain(): void;
  /** What {@link sweepSession} looks at. */
  readonly swept: Swept;
  /**
   * Ends the session. Groups that have begun are cut; call {@link Session.drain} and wait to avoid that.
   * @param reason A word, or a code of this session's protocol. Default: "none".
   * @param text For people.
   * @returns The code the peer gets.
   */
  close(reason?: CloseReason | number, text?: string): number;
  /** The word for a code of this session's protocol; absent if there is none. */
  reasonFor(code: number): CloseReason | undefined;
}

/** One subscription that is served to the peer. */
export interface Served {
  /** The id that the peer has chosen. */
  readonly id: number;
  readonly track: Track;
  readonly request: TrackRequest;
}

/** What a peer measures of the network path. */
export interface ProbeReport {
  /** Bits per second, 0 where the peer does not know. */
  readonly bitrate: number;
  /** Time to the peer and back, in milliseconds, 0 where the peer does not know. */
  readonly rttMs: number;
}

export interface SessionOptions {
  readonly connection: Connection;
  /** What the peer may see and subscribe to; absent when nothing. */
  readonly serve?: Namespace;
  /** Where the peer's announcements go; absent when they are not wanted. */
  readonly consume?: Namespace;
  /** Our own hop id; 0n when we have none. */
  readonly hop: HopId;
  readonly stats: RelayStats;
  /** Versions we speak, preferred first. Default: all. */
  readonly versions?: readonly Version[];
  /**
   * The peer is another node of our cluster: the price of the link that it names counts. Its `serve` and `consume` are those of
   * a node (`relay/cluster/peer_view.ts`). {@link acceptSession} takes {@link Entry.peer}.
   */
  readonly peer?: boolean;
  /**
   * Cost of this link, added to the cost of the peer's routes (06). Default: what the peer says, else 1. It counts as 1,000,000
   * at most, and where it is no node of our cluster as 1 at least.
   */
  readonly linkCost?: number;
  /** Path and query to tell the server, for transports without a URL. {@link openSession} only. */
  readonly path?: string;
  /** Host and port to tell the server beside the path (moq-transport). {@link openSession} only. */
  readonly authority?: string;
  /**
   * Decides on a peer that has dialed us, after its SETUP and before anything is served. It replaces `serve` and `consume`.
   * {@link acceptSession} only. @throws {SessionRefused}
   */
  readonly enter?: (wish: EntryWish) => Promise<Entry>;
  /** How long the peer may take over its SETUP, in milliseconds. Default 10,000. */
  readonly setupTimeoutMs?: number;
  /** The limits of the peer. Default: none. */
  readonly quota?: Quota;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** The peer asks us to leave and to connect to this URL; empty means to the same one. */
  readonly onGoaway?: (uri: string) => void;
}

/** What a peer says before anything is served to it. */
export interface EntryWish {
  /** Path and query. */
  readonly path: string;
  /** The only role that the peer wants; absent if it did not say. */
  readonly role: "publisher" | "subscriber" | undefined;
  /** What it shows to be let in, beside what stands in the path (moq-transport). Kind 0 is settled out of band: a JWT here. */
  readonly token?: { readonly kind: number | bigint; readonly value: Uint8Array } | undefined;
}

/** A request that the rights of its session do not allow, with a token of its own (moq-transport). */
export interface RequestWish {
  readonly role: "publisher" | "subscriber";
  readonly token: NonNullable<EntryWish["token"]>;
}

/** What one request may do by its own token. Its owner ends it. */
export interface RequestGrant extends Pick<Entry, "serve" | "consume"> {
  /** Calls back once when these rights are over. */
  onLost(callback: (why: string) => void): void;
  /** Nobody uses them any more. Idempotent. */
  end(): void;
}

/** Why the token of a request is not taken. */
export type TokenRefusal = "malformedToken" | "expiredToken" | "unauthorized" | "internal";

/** Where a peer is let in. */
export interface Entry {
  /** The prefix of every path of the session. Normalised. */
  readonly root: string;
  /** What the peer may see and subscribe to; absent when nothing. */
  readonly serve: Namespace | undefined;
  /** Where its announcements go; absent when they are not wanted. */
  readonly consume: Namespace | undefined;
  /** It is another node of our cluster, as in {@link SessionOptions.peer}. */
  readonly peer?: boolean;
  /** Decides on a request that these rights do not allow. Absent where no token changes anything. Never rejects. */
  readonly authorize?: (wish: RequestWish) => Promise<RequestGrant | TokenRefusal>;
}
