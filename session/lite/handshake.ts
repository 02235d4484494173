/**
 * How a session begins in each version: a SETUP pair on the first bidirectional stream (01/02), nothing (03/04), or one
 * SETUP each on a unidirectional stream (05+).
 *
 * @module
 */
import type { BidiStream, Connection } from "../../transport/connection.ts";
import { ProtocolViolation } from "../../wire/errors.ts";
import { type Dialect, dialectByAlpn, DIALECTS, UNI } from "../../wire/lite/dialect.ts";
import {
  decodeServerSetup,
  decodeSetup,
  encodeClientSetup,
  encodeSetup,
  LEGACY_PATH,
  LEGACY_SETUP,
  LEGACY_VERSION,
  MAX_SETUP_BYTES,
  type Setup,
} from "../../wire/lite/setup.ts";
import { framed } from "../../wire/message.ts";
import type { Version } from "../../wire/versions.ts";
import { CONTROL_ORDER } from "../context.ts";
import { NoCommonVersion } from "../errors.ts";
import { StreamReader } from "../stream_reader.ts";

/** A version both ends agreed on. */
export interface Agreed {
  readonly dialect: Dialect;
  /** Path and query that the client named in the legacy handshake. */
  readonly path?: string;
  /** The stream of the legacy handshake: the session lives as long as it does. */
  readonly sessionStream?: { readonly stream: BidiStream; readonly reader: StreamReader };
}

export const LEGACY_NUMBER = new Map<number, number>([
  [1, LEGACY_VERSION.lite01],
  [2, LEGACY_VERSION.lite02],
]);

/**
 * Negotiates the version of a connection that we have dialed.
 * @param versions Ours, preferred first.
 * @param path What to tell the server if the transport has no URL.
 * @throws {NoCommonVersion} @throws {ProtocolViolation} @throws {ConnectionClosed}
 */
export async function agree(
  connection: Connection,
  versions: readonly Version[],
  path?: string,
): Promise<Agreed> {
  return agreedByName(connection.protocol, versions) ??
    await askLegacy(connection, legacyDialects(versions), path);
}

/**
 * The version that a protocol's name stands for.
 * @returns `undefined` where SETUP settles it.
 * @throws {NoCommonVersion} It is none of ours.
 */
export function agreedByName(protocol: string, versions: readonly Version[]): Agreed | undefined {
  const dialect = dialectByAlpn(protocol);
  if (dialect !== undefined && versions.includes(dialect.name)) return { dialect };
  if (dialect === undefined && isLegacyName(protocol)) return undefined;
  throw new NoCommonVersion(protocol, versions.join(", "));
}

/** Whether a protocol's name leaves the version to SETUP. */
export function isLegacyName(protocol: string): boolean {
  return protocol === "" || protocol === "moql" || protocol === "moq-00";
}

/** The dialect of a version that SETUP decides on; `undefined` for one with a name of its own. */
export function legacyDialect(version: Version): Dialect | undefined {
  return DIALECTS.find((d) => d.setup === "legacy" && d.name === version);
}

/** Those of ours that SETUP decides between. */
export function legacyDialects(versions: readonly Version[]): readonly Dialect[] {
  return versions.map(legacyDialect).filter((dialect) => dialect !== undefined);
}

/** The number in the legacy SETUP; `undefined` where a version has none. */
export function legacyNumber(version: Version): number | undefined {
  const dialect = legacyDialect(version);
  return dialect && LEGACY_NUMBER.get(dialect.version);
}

/** Opens the legacy handshake. */
async function askLegacy(
  connection: Connection,
  legacy: readonly Dialect[],
  path = "/",
): Promise<Agreed> {
  if (legacy.length === 0) throw new NoCommonVersion("only SETUP", "none of its versions");
  const stream = await connection.openBidi({ sendOrder: CONTROL_ORDER });
  const numbers = legacy.map((d) => LEGACY_NUMBER.get(d.version)!);
  const named = path === "/" ? [] : [[LEGACY_PATH, new TextEncoder().encode(path)] as const];
  stream.send.write(encodeClientSetup(numbers, new Map(named)));
  const reader = new StreamReader(stream.receive, "SERVER_SETUP");
  const body = await legacyBody(reader, LEGACY_SETUP.server, "SERVER_SETUP");
  const { version } = decodeServerSetup(body);
  const dialect = legacy.find((d) => LEGACY_NUMBER.get(d.version) === version);
  if (dialect === undefined) {
    throw new NoCommonVersion(`0x${version.toString(16)}`, namesOf(legacy));
  }
  return { dialect, sessionStream: { stream, reader } };
}

/** Type, 16-bit length, body. */
export async function legacyBody(
  reader: StreamReader,
  type: number,
  name: string,
): Promise<Uint8Array> {
  const got = await reader.varint();
  if (got !== type) throw new ProtocolViolation(name, `stream type ${got}, expected ${type}`);
  const [high, low] = await reader.bytes(2, name);
  const length = high! * 256 + low!;
  if (length > MAX_SETUP_BYTES) {
    throw new ProtocolViolation(
      name,
      `${length} bytes announced, at most ${MAX_SETUP_BYTES} taken`,
    );
  }
  return await reader.bytes(length, name);
}

/** Reads SETUP (05+) after its stream type. @throws {ProtocolViolation} */
export async function readSetup(reader: StreamReader): Promise<Setup> {
  const body = await reader.body("SETUP", MAX_SETUP_BYTES);
  if (body === undefined) throw new ProtocolViolation("SETUP", "the stream ended before it");
  return decodeSetup(body);
}

/** Sends our SETUP (05+) on a stream of its own. @throws {ConnectionClosed} */
export async function sendSetup(connection: Connection, setup: Setup): Promise<void> {
  const stream = await connection.openUni({ sendOrder: CONTROL_ORDER });
  stream.write(framed(encodeSetup(setup), UNI.setup));
  stream.finish();
}

function namesOf(dialects: readonly Dialect[]): string {
  return dialects.map((d) => d.name).join(", ");
}
