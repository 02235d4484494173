import { isIetfProtocol, VERSIONS } from "../wire/versions.ts";
import type { Opening } from "./context.ts";
import { NoCommonVersion } from "./errors.ts";
import { agreedByName, isLegacyName } from "./lite/handshake.ts";
import { answerLegacy, hearLegacy, LITE_SERVER } from "./lite/server_side.ts";
import { LiteSession } from "./lite/session.ts";
import { begin } from "./open.ts";
import type { Session, SessionOptions } from "./session.ts";

/**
 * Opens the session of a connection that a peer has dialed, as {@link openSession} does at the other end. Sessions of
 * moq-transport are loaded with the first that asks for one: the client library has this code too.
 * @throws {SessionRefused} @throws {NoCommonVersion} @throws {ProtocolViolation} @throws {ConnectionClosed}
 */
export async function acceptSession(options: SessionOptions): Promise<Session> {
  const { connection: { protocol }, versions = VERSIONS } = options;
  const whole = { ...options, versions };
  if (!isIetfProtocol(protocol)) return await begin(whole, acceptLite);
  const ietf = await import("./ietf/accept.ts");
  return await begin(whole, (opening) => {
    return ietf.openDraft(opening, "server") ?? acceptEither(opening, ietf.acceptSettled);
  }, ietf.codesFor(protocol));
}

async function acceptLite(opening: Opening): Promise<Session> {
  const { connection: { protocol }, versions } = opening;
  return await LiteSession.open(opening, agreedByName(protocol, versions)!, LITE_SERVER);
}

/** The versions of both protocols stand in one list in SETUP, preferred first. */
async function acceptEither(
  opening: Opening,
  acceptSettled: typeof import("./ietf/accept.ts").acceptSettled,
): Promise<Session> {
  const { connection, versions } = opening;
  const { protocol } = connection;
  if (!isLegacyName(protocol)) throw new NoCommonVersion(protocol, versions.join(", "));
  const heard = await hearLegacy(connection);
  for (const offered of heard.versions) {
    const lite = answerLegacy(heard, offered, versions);
    if (lite !== undefined) return await LiteSession.open(opening, lite, LITE_SERVER);
    const settled = acceptSettled(opening, offered, heard);
    if (settled !== undefined) return await settled;
  }
  const offered = heard.versions.map((v) => `0x${v.toString(16)}`).join(", ") || "nothing";
  throw new NoCommonVersion(offered, versions.join(", "));
}
