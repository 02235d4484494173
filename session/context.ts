/**
 * What all parts of a session share: the connection, whose broadcasts they deal in, what the peer may have of us, and what
 * is done when something fails.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { CloseReason, StreamReason } from "./reasons.ts";
import { randomHop } from "../relay/hop.ts";
import type { Namespace } from "../relay/namespace.ts";
import type { HopId } from "../relay/route.ts";
import type { RelayStats } from "../relay/stats.ts";
import type { Connection } from "../transport/connection.ts";
import { ConnectionClosed, StreamReset } from "../transport/errors.ts";
import { ProtocolViolation } from "../wire/errors.ts";
import type { Version } from "../wire/versions.ts";
import { Faults } from "./faults.ts";
import type { Quota } from "./quota.ts";
import type { Entry, SessionOptions } from "./session.ts";
import type { Unfinished } from "./unfinished.ts";

/** Sends of control streams go before all media. */
export const CONTROL_ORDER = 0x7fff_ffff;
/** Longest reason a close carries. */
const MAX_REASON = 500;

/** The numbers that one protocol has for reasons. */
export interface Codes {
  readonly session: Readonly<Record<CloseReason, number>>;
  readonly stream: Readonly<Record<StreamReason, number>>;
}

/** The options of a session with nothing left open. */
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
  /** What stands before every path of this session: the path of the connection's URL, unless it was led elsewhere. Normalised. */
  readonly root: string;
  /** Our own hop id. */
  readonly hop: HopId;
  /** The peer's hop id, 0 while it has not told. */
  peerHop: HopId = 0n;
  /** Names a publisher of this session that does not name itself. */
  readonly stamp: HopId = randomHop();
  readonly clock: Clock;
  readonly stats: RelayStats;
  readonly log: Logger;
  /** What the peer may have of us. */
  readonly quota: Quota;
  /** The peer has said GOAWAY: what it ends from now on ends for its own sake, not because it is over. */
  peerLeaving = false;
  readonly #faults: Faults;

  /** @param unfinished The account of what has come of messages that are not whole. */
  constructor(
    readonly codes: Codes,
    { connection, hop, clock, stats, log, quota }: Opening,
    { root, serve, consume }: Entry,
    readonly unfinished: Unfinished,
  ) {
    this.connection = connection;
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

  /** Runs one stream's task; what goes wrong there ends the stream. */
  spawn(task: Promise<void>): void {
    task.catch((error) => this.failed(error));
  }

  /**
   * Tells what a stream failed of, which its reader has ended. A violation is counted, and closes the session that has had
   * too many; a fault of ours closes it at once; an end that is nobody's fault does nothing.
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

  /** One stream or datagram could not be read: the others can. Who goes on with that has another protocol than ours. */
  fault(error: ProtocolViolation): void {
    if (this.#faults.add()) return this.violated(error);
    this.log.info("malformed stream or datagram", { reason: error.message });
  }

  /** Nothing more of the peer can be understood. */
  violated(error: ProtocolViolation): void {
    this.log.warn("session closed: protocol violation", { reason: error.message });
    this.close("protocolViolation", error.message.slice(0, MAX_REASON));
  }
}
