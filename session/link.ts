/**
 * What both halves of a session share: the connection, the version they speak, whose broadcasts they deal in.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Namespace } from "../relay/namespace.ts";
import type { HopId } from "../relay/route.ts";
import type { RelayStats } from "../relay/stats.ts";
import type { Connection } from "../transport/connection.ts";
import type { Dialect } from "../wire/lite/dialect.ts";
import type { Quota } from "./quota.ts";
import type { Unfinished } from "./unfinished.ts";

export interface Link {
  readonly connection: Connection;
  readonly dialect: Dialect;
  /** What the peer may see and subscribe to; absent when it may not. */
  readonly serve: Namespace | undefined;
  /** Where the peer's announcements go; absent when they are not wanted. */
  readonly consume: Namespace | undefined;
  /** What stands before every path of this session: the path of the connection's URL, unless it was led elsewhere. Normalised. */
  readonly root: string;
  /** Our own hop id. */
  readonly hop: HopId;
  /** The peer's hop id, 0 while it has not told. */
  peerHop: HopId;
  /** Fulfils when the peer has said who it is: with its SETUP where the version has one. Never rejects. */
  readonly peerKnown: Promise<void>;
  /** Names a publisher of this session that does not name itself. */
  readonly stamp: HopId;
  /** What is added to the cost of the peer's routes. */
  readonly linkCost: () => number;
  readonly clock: Clock;
  readonly stats: RelayStats;
  readonly log: Logger;
  /** What the peer may have of us. */
  readonly quota: Quota;
  /** The account of what has come of messages that are not whole. */
  readonly unfinished: Unfinished;
  /** The peer has said GOAWAY: what it ends from now on ends for its own sake, not because it is over. */
  peerLeaving: boolean;
  /**
   * Tells what a stream failed of, which its reader has ended. A violation is counted, and closes the session that has had
   * too many; a fault of ours closes it at once; an end that is nobody's fault does nothing.
   */
  failed(error: unknown): void;
}

/** Sends of control streams go before all media. */
export const CONTROL_ORDER = 0x7fff_ffff;
