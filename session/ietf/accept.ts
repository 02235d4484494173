import { dialectOf } from "../../wire/ietf/dialect.ts";
import type { Opening } from "../context.ts";
import type { Session } from "../session.ts";
import { HALVES } from "./halves.ts";
import type { First } from "./handshake.ts";
import { draftBySetup } from "./open.ts";
export { codesFor, openDraft } from "./open.ts";
import { IetfSession } from "./session.ts";

/**
 * Opens the session of a draft that the client offers in SETUP.
 * @param body CLIENT_SETUP.
 * @returns `undefined` where it is no draft of ours.
 * @throws {ProtocolViolation}
 */
export function acceptSettled(
  opening: Opening,
  offered: number,
  { stream, reader, body }: First & { readonly body: Uint8Array },
): Promise<Session> | undefined {
  const draft = draftBySetup(offered, opening.versions);
  if (draft === undefined) return undefined;
  const setup = dialectOf(draft).controls.find((one) => one.kind === "clientSetup")!
    .message.decode(body) as NonNullable<First["setup"]>;
  return IetfSession.open(opening, draft, "server", HALVES, { stream, reader, setup });
}
