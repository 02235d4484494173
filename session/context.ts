/**
 * What all parts of a session share: the connection, the origins on both sides, the peer's quota, and what happens when
 * something fails.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { CloseReason, StreamReason } from "./reasons.ts";
import type { GroupTooLarge } from "../relay/errors.ts";
import { randomHop } from "../relay/hop.ts";
import type { Namespace } from "../relay/namespace.ts";
import type { HopId } from "../relay/route.ts";
import type { RelayStats } from "../relay/stats.ts";
import type { Connection, ReceiveStream } from "../transport/connection.ts";
import { ConnectionClosed, StreamReset } from "../transport/errors.ts";
import { ProtocolViolation } from "../wire/errors.ts";
import type { Version } from "../wire/versions.ts";
import { Faults } from "./faults.ts";
import type { Quota } from "./quota.ts";
import type { Entry, SessionOptions } from "./session.ts";
import type { Unfinished } from "./unfinished.ts";

/** The send order of control streams: before all media. */
export const CONTROL_ORDER = 0x7fff_ffff;
/** Longest reason a close carries. */
export const MAX_REASON = 500;

/** The numbers that one protocol has for reasons. */
export interface Codes {
  readonly session: Readonly<Record<CloseReason, number>>;
  readonly stream: Readonly<Record<StreamReason, number>>;
}

/** The options of a session, with their defaults filled in. */
export interface Opening extends SessionOptions {
  readonly versions: readonly Version[];
  readonly setupTimeoutMs: number;
  readonly quota: Quota;
  readonly clock: Clock;
  readonly log: Logger;
}

export class SessionContext {
  readonly connection: Connection;
  /** What the peer may see and subscribe to; absent when it may not. */
  readonly serve: Namespace | undefined;
  /** Where the peer's announcements go; absent when they are not wanted. */
  readonly consume: Namespace | undefined;
  /** The prefix of every path of this session: the path of the connection's URL, or the root of its grant. Normalised. */
  readonly root: string;
  /** Whether it is another node of our cluster. */
  readonly peer: boolean;
  /** Our own hop id. */
  readonly hop: HopId;
  /** The peer's hop id; 0 until the peer has told it. */
  peerHop: HopId = 0n;
  /** The hop id that we give to a publisher of this session that has none. */
  readonly stamp: HopId = randomHop();
  readonly clock: Clock;
  readonly stats: RelayStats;
  readonly log: Logger;
  /** The limits of the peer. */
  readonly quota: Quota;
  /** The peer has sent GOAWAY. Tracks that it ends from now on may go on elsewhere. */
  peerLeaving = false;
  readonly #faults: Faults;

  /** @param unfinished Counts the bytes of messages that are not complete yet. */
  constructor(
    readonly codes: Codes,
    { connection, hop, clock, stats, log, quota, ...opening }: Opening,
    { root, serve, consume, peer = opening.peer ?? false }: Entry,
    readonly unfinished: Unfinished,
  ) {
    this.connection = connection;
    this.peer = peer;
    this.serve = serve;
    this.consume = consume;
    this.root = root;
    this.hop = hop;
    this.clock = clock;
    this.stats = stats;
    this.log = log;
    this.quota = quota;
    this.#faults = new Faults(clock);
  }

  /** Ends the session. @returns The code it ends with. */
  close(reason: CloseReason | number, text: string): number {
    const code = typeof reason === "number" ? reason : this.codes.session[reason];
    this.connection.close(code, text);
    return code;
  }

  /** Runs the task of one stream. A failure ends that stream. */
  spawn(task: Promise<void>): void {
    task.catch((error) => this.failed(error));
  }

  /**
   * Handles the failure of a stream that its reader has ended already. A violation is counted, and too many of them close
   * the session. An internal error closes it at once. A reset or a lost connection does nothing.
   */
  failed(error: unknown): void {
    if (error instanceof StreamReset || error instanceof ConnectionClosed) return;
    if (error instanceof ProtocolViolation) {
      this.stats.streamsMalformed++;
      return this.fault(error);
    }
    this.log.error("session closed: internal error", {
      reason: error instanceof Error ? error.stack ?? error.message : reasonOf(error),
    });
    this.close("internal", "internal error");
  }

  /** A group that the peer sends is too large: its stream is given up. @param track Its name, for the log. */
  tooLarge({ message, what }: GroupTooLarge, stream: ReceiveStream, track: string): void {
    this.log.warn(message, { track });
    this.quota.hits[what === "frame" ? "frameBytes" : "groupBytes"]++;
    stream.stop(this.codes.stream[what === "frame" ? "frameTooLarge" : "groupTooLarge"]);
  }

  /** One stream or datagram could not be read. The session goes on, unless there were too many of them. */
  fault(error: ProtocolViolation): void {
    if (this.#faults.add()) return this.violated(error);
    this.log.info("malformed stream or datagram", { reason: error.message });
  }

  /** Closes the session: the peer does not follow the protocol. */
  violated(error: ProtocolViolation): void {
    this.log.warn("session closed: protocol violation", { reason: error.message });
    this.close("protocolViolation", error.message.slice(0, MAX_REASON));
  }
}
