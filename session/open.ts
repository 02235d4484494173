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
import { isIetf, LITE_VERSIONS } from "../wire/versions.ts";
import type { Opening } from "./context.ts";
import { NoCommonVersion, SessionRefused } from "./errors.ts";
import { newSessionHits } from "./limits.ts";
import type { Quota } from "./quota.ts";
import { LITE_CODES } from "./lite/context.ts";
import { agree, isLegacyName, legacyDialect, legacyNumber } from "./lite/handshake.ts";
import type { LiteSide } from "./ietf/open.ts";
import { LiteSession } from "./lite/session.ts";
import type { Session, SessionOptions } from "./session.ts";

/** For sessions without any limit. */
const NO_QUOTA: Quota = {
  hits: newSessionHits(),
  maySend: true,
  lift() {},
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
 * Opens the session of a connection that we have dialed. Its protocol tells the version; where old versions share a name, the
 * first message does. Sessions of moq-transport are loaded only where they are asked for.
 * @throws {NoCommonVersion} @throws {ProtocolViolation} @throws {ConnectionClosed} The connection is closed then.
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { connection, versions = LITE_VERSIONS } = options;
  if (versions.some(isIetf)) {
    const { codesFor, openIetf } = await import("./ietf/open.ts");
    const codes = codesFor(connection.protocol);
    return await begin({ ...options, versions }, openIetf(LITE), codes);
  }
  return await begin({ ...options, versions }, openLite);
}

async function openLite(opening: Opening): Promise<Session> {
  const { connection, versions, path } = opening;
  return await LiteSession.open(opening, await agree(connection, versions, path));
}

/** What SETUP may settle on too. */
const LITE: LiteSide = {
  open: openLite,
  leavesOpen: isLegacyName,
  number: legacyNumber,
  settled: (opening, version, sessionStream) =>
    LiteSession.open(opening, { dialect: legacyDialect(version)!, sessionStream }),
};

/** What both ends do. @throws {NoCommonVersion} @throws {ProtocolViolation} @throws {ConnectionClosed} */
export async function begin(
  options: SessionOptions & Pick<Opening, "versions">,
  open: (opening: Opening) => Promise<Session>,
  codes = LITE_CODES,
): Promise<Session> {
  const { connection, clock = systemClock } = options;
  const defaults = { setupTimeoutMs: 10_000, log: silent, quota: NO_QUOTA };
  const opening: Opening = { ...defaults, ...options, clock };
  const cancel = clock.after(opening.setupTimeoutMs, () => {
    opening.quota.hits.handshakeTime++;
    refuse(connection, "controlTimeout", "no SETUP in time", codes);
  });
  try {
    return await open(opening);
  } catch (error) {
    refuse(connection, closeReason(error), reasonOf(error), codes);
    throw error;
  } finally {
    cancel();
  }
}

/** Closes a connection that has no session. @param text For people, and for the peer. */
export function refuse(
  connection: Connection,
  reason: CloseReason,
  text: string,
  codes = LITE_CODES,
): void {
  connection.close(codes.session[reason], text);
}

/** Why a connection is closed whose handshake failed. */
function closeReason(error: unknown): CloseReason {
  if (error instanceof SessionRefused) return error.reason;
  if (error instanceof NoCommonVersion) return "version";
  const theirs = error instanceof ProtocolViolation || error instanceof StreamReset;
  return theirs ? "protocolViolation" : "internal";
}
