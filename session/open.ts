/**
 * Opens sessions: picks the protocol of a connection and lets the peer in.
 *
 * @module
 */
import { systemClock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import { silent } from "../base/logger.ts";
import type { CloseReason } from "./reasons.ts";
import type { Connection } from "../transport/connection.ts";
import { StreamReset } from "../transport/errors.ts";
import { ProtocolViolation } from "../wire/errors.ts";
import { VERSIONS } from "../wire/versions.ts";
import type { Opening } from "./context.ts";
import { NoCommonVersion, SessionRefused } from "./errors.ts";
import { newSessionHits } from "./limits.ts";
import type { Quota } from "./quota.ts";
import { LITE_CODES } from "./lite/context.ts";
import { LiteSession } from "./lite/session.ts";
import type { Session, SessionOptions } from "./session.ts";

/** For sessions without any limit. */
const NO_QUOTA: Quota = {
  hits: newSessionHits(),
  maySend: true,
  mayAnnounce: () => true,
  maySubscribe: () => true,
  message() {},
  told() {},
  settled() {},
  sent() {},
  wait() {},
  leave() {},
  received() {},
  sweep: () => false,
  close() {},
};

/**
 * Opens the session of a connection that we have dialed. All versions so far are of moq-lite. The ALPN tells which one; with
 * the ALPN of old versions the first message does.
 * @throws {NoCommonVersion} @throws {ProtocolViolation} @throws {ConnectionClosed} The connection is closed then.
 */
export function openSession(options: SessionOptions): Promise<Session> {
  return begin(options, (opening) => LiteSession.open(opening));
}

/** What both ends do. @throws {NoCommonVersion} @throws {ProtocolViolation} @throws {ConnectionClosed} */
export async function begin(
  options: SessionOptions,
  open: (opening: Opening) => Promise<Session>,
): Promise<Session> {
  const { connection, clock = systemClock } = options;
  const defaults = { versions: VERSIONS, setupTimeoutMs: 10_000, log: silent, quota: NO_QUOTA };
  const opening: Opening = { ...defaults, ...options, clock };
  const cancel = clock.after(opening.setupTimeoutMs, () => {
    opening.quota.hits.handshakeTime++;
    refuse(connection, "controlTimeout", "no SETUP in time");
  });
  try {
    return await open(opening);
  } catch (error) {
    refuse(connection, closeReason(error), reasonOf(error));
    throw error;
  } finally {
    cancel();
  }
}

/** Closes a connection that has no session. @param text For people, and for the peer. */
export function refuse(connection: Connection, reason: CloseReason, text: string): void {
  connection.close(LITE_CODES.session[reason], text);
}

/** Why a connection is closed whose handshake failed. */
function closeReason(error: unknown): CloseReason {
  if (error instanceof SessionRefused) return error.reason;
  if (error instanceof NoCommonVersion) return "version";
  const theirs = error instanceof ProtocolViolation || error instanceof StreamReset;
  return theirs ? "protocolViolation" : "internal";
}
