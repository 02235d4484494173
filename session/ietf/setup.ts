/**
 * What SETUP says of either side. Spec: draft-ietf-moq-transport-14 … -22, "SETUP".
 *
 * @module
 */
import { VERSION } from "../../base/version.ts";
import type { Connection } from "../../transport/connection.ts";
import { ProtocolViolation } from "../../wire/errors.ts";
import type { SetupOptions } from "../../wire/ietf/message/setup.ts";
import { type Profile, withSizedParameters } from "../../wire/ietf/profile.ts";
import type { Token } from "../../wire/ietf/fields.ts";
import type { EntryWish } from "../session.ts";
import { Fault } from "./fault.ts";
import { FIRST_MAX_REQUEST_ID } from "./requests/request_ids.ts";

/** What we call ourselves. */
export const IMPLEMENTATION = `qumo-relay/${VERSION}`;
const WHERE = "SETUP";

/** What we say of ourselves. @param asked What a client asks for, where the transport does not carry it. */
export function ourOptions(
  profile: Profile,
  { path, authority }: Pick<SetupOptions, "path" | "authority"> = {},
): SetupOptions {
  return {
    ...(path === undefined ? {} : { path }),
    ...(authority === undefined ? {} : { authority }),
    ...(profile.maxRequestId ? { maxRequestId: FIRST_MAX_REQUEST_ID } : {}),
    implementation: IMPLEMENTATION,
  };
}

/** What a client wants, by its SETUP. @throws {ProtocolViolation} */
export function wishOf(
  { path, authority, tokens = [] }: SetupOptions,
  { kind }: Connection,
): { readonly path: string | undefined; readonly token: EntryWish["token"] } {
  if (kind === "webtransport" || kind === "websocket") {
    if (path !== undefined) throw new Fault("invalidPath", WHERE, "a path beside that of the URL");
    if (authority !== undefined) {
      throw new Fault("invalidAuthority", WHERE, "an authority beside that of the URL");
    }
  }
  if (path !== undefined && path !== "" && !path.startsWith("/")) {
    throw new Fault("malformedPath", WHERE, "a path that does not begin with /");
  }
  const [token] = tokens.map(shown);
  return { path: path === "" ? "/" : path, token };
}

/** A token that is to be kept under an alias counts too: it is the sender's loss that nothing is kept here. */
function shown(token: Token): NonNullable<EntryWish["token"]> {
  if (token.kind === "value" || token.kind === "register") {
    return { kind: token.type, value: token.value };
  }
  throw new ProtocolViolation(WHERE, "a token by its alias");
}

/** What @moq/net calls itself from draft 17 on. */
const MOQ_NET = "moq-lite-js";

/** The draft as the peer writes it. @moq/net takes typed parameters for key-value pairs, which no draft does. */
export function spokenBy({ implementation }: SetupOptions, profile: Profile): Profile {
  return implementation === MOQ_NET && profile.typedParameters
    ? withSizedParameters(profile)
    : profile;
}

/** Checks what only a client may say. @throws {Fault} */
export function checkServer({ path, authority }: SetupOptions): void {
  if (path !== undefined) throw new Fault("invalidPath", WHERE, "a path from a server");
  if (authority !== undefined) {
    throw new Fault("invalidAuthority", WHERE, "an authority from a server");
  }
}
