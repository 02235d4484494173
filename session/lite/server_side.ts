/**
 * What only the end of a session does that was dialed: it answers the legacy handshake, and learns from the client's SETUP
 * what the client wants before it lets it in.
 *
 * @module
 */
import type { Connection } from "../../transport/connection.ts";
import { ConnectionClosed } from "../../transport/errors.ts";
import type { Dialect } from "../../wire/lite/dialect.ts";
import {
  decodeClientSetup,
  encodeServerSetup,
  LEGACY_PATH,
  LEGACY_SETUP,
} from "../../wire/lite/setup.ts";
import { enter } from "../entry.ts";
import { NoCommonVersion } from "../errors.ts";
import type { EntryWish } from "../session.ts";
import { StreamReader } from "../stream_reader.ts";
import { type Agreed, LEGACY_NUMBER, legacyBody, namesOf } from "./handshake.ts";
import type { ServerSide } from "./session.ts";

/** Roles in SETUP. All other numbers mean both. */
const ROLES: Readonly<Record<number, EntryWish["role"]>> = { 1: "publisher", 2: "subscriber" };

export const LITE_SERVER: ServerSide = {
  answer: answerLegacy,
  enter: (opening, { path, role = 0 }) => enter(opening, path, ROLES[role]),
};

/** Answers the legacy handshake. */
async function answerLegacy(connection: Connection, legacy: readonly Dialect[]): Promise<Agreed> {
  const stream = await connection.acceptBidi();
  if (stream === undefined) throw new ConnectionClosed("it ended before its SETUP");
  const reader = new StreamReader(stream.receive, "CLIENT_SETUP");
  const body = await legacyBody(reader, LEGACY_SETUP.client, "CLIENT_SETUP");
  const { versions, parameters } = decodeClientSetup(body);
  const path = parameters.get(LEGACY_PATH);
  for (const offered of versions) {
    const dialect = legacy.find((d) => LEGACY_NUMBER.get(d.version) === offered);
    if (dialect === undefined) continue;
    stream.send.write(encodeServerSetup(offered));
    const named = path instanceof Uint8Array ? { path: new TextDecoder().decode(path) } : {};
    return { dialect, ...named, sessionStream: { stream, reader } };
  }
  const offered = versions.map((v) => `0x${v.toString(16)}`).join(", ") || "nothing";
  throw new NoCommonVersion(offered, namesOf(legacy));
}
