/**
 * How a session of moq-transport begins: a SETUP pair on the first bidirectional stream (up to 16), or one SETUP each on a
 * unidirectional stream that stays the control stream (17+).
 *
 * @module
 */
import { ConnectionClosed } from "../../transport/errors.ts";
import type { BidiStream } from "../../transport/connection.ts";
import { ProtocolViolation } from "../../wire/errors.ts";
import { peekStreamType, SETUP_STREAM } from "../../wire/ietf/data/stream_head.ts";
import { type ControlMessage, dialectOf } from "../../wire/ietf/dialect.ts";
import type { Setup, SetupOptions } from "../../wire/ietf/message/setup.ts";
import type { Profile } from "../../wire/ietf/profile.ts";
import { CONTROL_ORDER, type Opening } from "../context.ts";
import { NoCommonVersion } from "../errors.ts";
import { Intake } from "../intake.ts";
import { StreamReader } from "../stream_reader.ts";
import type { Unfinished } from "../unfinished.ts";
import type { Channel } from "./requests/channel.ts";
import { codesOf, type IetfContext } from "./context.ts";
import { ControlChannel } from "./requests/control_channel.ts";
import { readControl } from "./requests/control_reader.ts";
import type { Side } from "./requests/request_ids.ts";
import { ourOptions } from "./setup.ts";
import { StreamChannel } from "./requests/stream_channel.ts";

/** The first bidirectional stream, whose SETUP settles the version. */
export interface First {
  readonly stream: BidiStream;
  readonly reader: StreamReader;
  /** The peer's SETUP on it, if it was read already. */
  readonly setup?: Setup;
}

/** What is known when both sides have said who they are. */
export interface Greeted {
  /** What the peer says of itself. */
  readonly options: SetupOptions;
  readonly intake: Intake;
  /** A server that lets the client in answers with its SETUP now, where it did not before. */
  welcome(): void;
  channel(context: IetfContext): Channel;
}

/** @throws {ProtocolViolation} @throws {ConnectionClosed} @throws {NoCommonVersion} */
export function greet(
  profile: Profile,
  side: Side,
  opening: Opening,
  unfinished: Unfinished,
  first?: First,
): Promise<Greeted> {
  const codes = codesOf(profile);
  const { connection, quota } = opening;
  // A type is not taken off its stream: it is a part of the head, or of SETUP.
  const intake = new Intake(connection, codes, unfinished, quota.hits, async (reader) => {
    const peeked = await reader.parsed((bytes) => peekStreamType(bytes, profile));
    return peeked?.type;
  });
  const hands = { profile, side, opening, unfinished, intake };
  return profile.control === "uni" ? overUni(hands) : overBidi(hands, first);
}

interface Hands {
  readonly profile: Profile;
  readonly side: Side;
  readonly opening: Opening;
  readonly unfinished: Unfinished;
  readonly intake: Intake;
}

async function overUni({ profile, side, opening, intake }: Hands): Promise<Greeted> {
  const { connection } = opening;
  const dialect = dialectOf(profile);
  intake.start(SETUP_STREAM);
  const send = await connection.openUni({ sendOrder: CONTROL_ORDER });
  const options = side === "client" ? ourOptions(profile, opening) : ourOptions(profile);
  send.write(dialect.encode("clientSetup", { versions: [], options }));
  const reader = await intake.first();
  const setup = setupOf(await readControl(reader, dialect), "clientSetup");
  return {
    options: setup.options,
    intake,
    welcome() {},
    channel: (context) => new StreamChannel(context, side, { send, reader }),
  };
}

async function overBidi(
  { profile, side, opening, unfinished, intake }: Hands,
  first?: First,
): Promise<Greeted> {
  const { connection } = opening;
  const dialect = dialectOf(profile);
  const versions = profile.setupVersion === undefined ? [] : [profile.setupVersion];
  const begun = first ?? await begin(side, connection, unfinished);
  const { stream, reader } = begun;
  reader.unfinished = unfinished; // nobody counted before the version was known
  let setup = begun.setup;
  if (side === "client" && setup === undefined) {
    const options = ourOptions(profile, opening);
    stream.send.write(dialect.encode("clientSetup", { versions, options }));
  }
  const answered = side === "client" ? "serverSetup" : "clientSetup";
  setup ??= setupOf(await readControl(reader, dialect), answered);
  intake.start();
  const { options, versions: [version] } = setup;
  if (side === "client" && version !== profile.setupVersion) {
    throw new NoCommonVersion(`0x${version?.toString(16)}`, profile.name);
  }
  const { maxRequestId = 0 } = options;
  return {
    options,
    intake,
    welcome() {
      if (side === "client") return;
      const answer = { versions, options: ourOptions(profile) };
      stream.send.write(dialect.encode("serverSetup", answer));
    },
    channel: (context) =>
      new ControlChannel(context, side, { send: stream.send, reader, maxRequestId }),
  };
}

async function begin(
  side: Side,
  connection: Opening["connection"],
  unfinished: Unfinished,
): Promise<First> {
  const stream = side === "client"
    ? await connection.openBidi({ sendOrder: CONTROL_ORDER })
    : await connection.acceptBidi();
  if (stream === undefined) throw new ConnectionClosed("it ended before its SETUP");
  return { stream, reader: new StreamReader(stream.receive, "SETUP", unfinished) };
}

/** @throws {ProtocolViolation} It is something else. */
function setupOf(
  message: ControlMessage | undefined,
  expected: "clientSetup" | "serverSetup",
): Setup {
  if (message?.kind === expected) return message.value as Setup;
  throw new ProtocolViolation("SETUP", `${message?.kind ?? "the end of the stream"} in its place`);
}
