/**
 * Which protocol a connection speaks that we have dialed, where drafts of moq-transport are among our versions.
 *
 * @module
 */
import type { BidiStream } from "../../transport/connection.ts";
import { ProtocolViolation } from "../../wire/errors.ts";
import { dialectOf } from "../../wire/ietf/dialect.ts";
import { type Profile, profileByAlpn, PROFILES } from "../../wire/ietf/profile.ts";
import type { Version } from "../../wire/versions.ts";
import { type Codes, CONTROL_ORDER, type Opening } from "../context.ts";
import { NoCommonVersion } from "../errors.ts";
import type { Session } from "../session.ts";
import { StreamReader } from "../stream_reader.ts";
import { codesOf } from "./context.ts";
import { readControl } from "./requests/control_reader.ts";
import type { Side } from "./requests/request_ids.ts";
import { HALVES } from "./halves.ts";
import { IetfSession } from "./session.ts";
import { ourOptions } from "./setup.ts";

/** What the other protocol does. */
export interface LiteSide {
  /** Opens a session by itself. */
  open(opening: Opening): Promise<Session>;
  /** Whether a protocol's name leaves the version to SETUP. */
  leavesOpen(protocol: string): boolean;
  /** The number of a version in the SETUP that both protocols share; `undefined` where it has none. */
  number(version: Version): number | undefined;
  /** Opens the session of a version that was settled on this stream. */
  settled(
    opening: Opening,
    version: Version,
    sessionStream: { readonly stream: BidiStream; readonly reader: StreamReader },
  ): Promise<Session>;
}

/** The drafts whose SETUP settles the version. */
const SETTLED = PROFILES.filter((p) => p.setupVersion !== undefined);

/** The draft whose number stands in SETUP. */
export function draftBySetup(number: number, versions: readonly Version[]): Profile | undefined {
  return SETTLED.find((p) => p.setupVersion === number && versions.includes(p.name));
}

/** The codes to refuse a connection with; `undefined` for those of moq-lite. */
export function codesFor(protocol: string): Codes | undefined {
  const profile = PROFILES.find((p) => p.alpn === protocol);
  return profile && codesOf(profile);
}

/**
 * Opens the session of a draft that has a protocol name of its own, at either end.
 * @returns `undefined` where the name is not that of a draft.
 * @throws {NoCommonVersion} It is none of ours.
 */
export function openDraft(opening: Opening, side: Side): Promise<Session> | undefined {
  const { connection: { protocol }, versions } = opening;
  const draft = profileByAlpn(protocol);
  if (draft === undefined) return undefined;
  if (!versions.includes(draft.name)) throw new NoCommonVersion(protocol, versions.join(", "));
  return IetfSession.open(opening, draft, side, HALVES);
}

/** Opens the session of a connection that we have dialed. */
export function openIetf(lite: LiteSide): (opening: Opening) => Promise<Session> {
  return async (opening) => {
    const named = openDraft(opening, "client");
    if (named !== undefined) return await named;
    const { connection: { protocol }, versions } = opening;
    const settled = SETTLED.find((p) => versions.includes(p.name));
    if (settled === undefined || !lite.leavesOpen(protocol)) return await lite.open(opening);
    return await ask(opening, settled, lite);
  };
}

/** Offers the versions of both protocols in one SETUP. */
async function ask(opening: Opening, draft: Profile, lite: LiteSide): Promise<Session> {
  const { connection, versions } = opening;
  const dialect = dialectOf(draft);
  const numbered = versions.flatMap((version) => {
    const number = version === draft.name ? draft.setupVersion : lite.number(version);
    return number === undefined ? [] : [{ version, number }];
  });
  const stream = await connection.openBidi({ sendOrder: CONTROL_ORDER });
  const offer = {
    versions: numbered.map((one) => one.number),
    options: ourOptions(draft, opening),
  };
  stream.send.write(dialect.encode("clientSetup", offer));
  const reader = new StreamReader(stream.receive, "SERVER_SETUP");
  const answer = await readControl(reader, dialect);
  if (answer?.kind !== "serverSetup") {
    throw new ProtocolViolation("SERVER_SETUP", `${answer?.kind ?? "nothing"} in its place`);
  }
  const [number] = answer.value.versions;
  const chosen = numbered.find((one) => one.number === number)?.version;
  if (chosen === undefined) {
    throw new NoCommonVersion(`0x${number?.toString(16)}`, numbered.map((o) => o.version).join());
  }
  if (chosen !== draft.name) return await lite.settled(opening, chosen, { stream, reader });
  const first = { stream, reader, setup: answer.value };
  return await IetfSession.open(opening, draft, "client", HALVES, first);
}
