import { LITE_SERVER } from "./lite/server_side.ts";
import { LiteSession } from "./lite/session.ts";
import { begin } from "./open.ts";
import type { Session, SessionOptions } from "./session.ts";

/**
 * Opens the session of a connection that a peer has dialed, as {@link openSession} does at the other end.
 * @throws {SessionRefused} @throws {NoCommonVersion} @throws {ProtocolViolation} @throws {ConnectionClosed}
 */
export function acceptSession(options: SessionOptions): Promise<Session> {
  return begin(options, (opening) => LiteSession.open(opening, LITE_SERVER));
}
