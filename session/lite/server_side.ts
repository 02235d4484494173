/**
 * What only the end of a session does that was dialed: it answers the legacy handshake, and learns from the client's SETUP
 * what the client wants before it lets it in.
 *
 * @module
 */
import type { BidiStream, Connection } from "../../transport/connection.ts";
import { ConnectionClosed } from "../../transport/errors.ts";
import {
  decodeClientSetup,
  encodeServerSetup,
  LEGACY_PATH,
  LEGACY_SETUP,
  offeredVersions,
} from "../../wire/lite/setup.ts";
import type { Version } from "../../wire/versions.ts";
import { enter } from "../entry.ts";
import type { EntryWish } from "../session.ts";
import { StreamReader } from "../stream_reader.ts";
import { type Agreed, LEGACY_NUMBER, legacyBody, legacyDialects } from "./handshake.ts";
import type { ServerSide } from "./session.ts";

/** Roles in SETUP. All other numbers mean both. */
const ROLES: Readonly<Record<number, EntryWish["role"]>> = { 1: "publisher", 2: "subscriber" };

export const LITE_SERVER: ServerSide = {
  enter: (opening, { path, role = 0 }) => enter(opening, path, ROLES[role]),
};

/** CLIENT_SETUP of the handshake that old versions share. */
export interface Heard {
  readonly stream: BidiStream;
  readonly reader: StreamReader;
  readonly body: Uint8Array;
  /** The numbers of the client's versions, preferred first. */
  readonly versions: readonly number[];
}

/** Waits for CLIENT_SETUP. @throws {ProtocolViolation} @throws {ConnectionClosed} */
export async function hearLegacy(connection: Connection): Promise<Heard> {
  const stream = await connection.acceptBidi();
  if (stream === undefined) throw new ConnectionClosed("it ended before its SETUP");
  const reader = new StreamReader(stream.receive, "CLIENT_SETUP");
  const body = await legacyBody(reader, LEGACY_SETUP.client, "CLIENT_SETUP");
  return { stream, reader, body, versions: offeredVersions(body) };
}

/** Answers CLIENT_SETUP, if this version is of moq-lite and one of ours. @throws {ProtocolViolation} */
export function answerLegacy(
  { stream, reader, body }: Heard,
  version: number,
  ours: readonly Version[],
): Agreed | undefined {
  const dialect = legacyDialects(ours).find((d) => LEGACY_NUMBER.get(d.version) === version);
  if (dialect === undefined) return undefined;
  const path = decodeClientSetup(body).parameters.get(LEGACY_PATH);
  stream.send.write(encodeServerSetup(version));
  const named = path instanceof Uint8Array ? { path: new TextDecoder().decode(path) } : {};
  return { dialect, ...named, sessionStream: { stream, reader } };
}
