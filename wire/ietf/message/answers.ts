/**
 * REQUEST_OK and REQUEST_ERROR, whatever a draft calls them. Spec: draft-ietf-moq-transport-18, "REQUEST_OK", -14 for the
 * answers that each request had of its own.
 *
 * @module
 */
import { absent, checked, type Field, flag, type Message, u8, uri } from "../../message.ts";
import { anyOrder, reason } from "../fields.ts";
import { type Filter, inlineFilter } from "../filter.ts";
import { type FullName, redirectNamespace, trackName } from "../names.ts";
import { parameters } from "../parameter_codec.ts";
import type { Parameters } from "../parameters.ts";
import type { Profile } from "../profile.ts";
import type { Scope } from "../scopes.ts";
import {
  answeredId,
  declare,
  folded,
  MAX_NUMBERS_BYTES,
  maybeLocation,
  properties,
} from "./parts.ts";
import { capped, optionalCapped, wide, type WideInteger } from "../integers.ts";

/** A request is accepted. */
export interface RequestOk {
  readonly requestId: number | undefined;
  readonly parameters: Parameters;
  /** The track's properties as they are written, as the answer to TRACK_STATUS (18+); empty otherwise. */
  readonly properties: Uint8Array;
}

const NO_PROPERTIES = absent<Uint8Array>(new Uint8Array());

/** Draft 14's answer to what concerns namespaces: that it is accepted, and no more. */
export function bareOk14(p: Profile, name: string): Message<RequestOk> {
  return declare(p, name, {
    requestId: answeredId(p),
    parameters: absent<Parameters>({}),
    properties: NO_PROPERTIES,
  }, MAX_NUMBERS_BYTES);
}
/** Draft 14 writes it as SUBSCRIBE_OK. The alias has no meaning. */
export function trackStatusOk14(p: Profile): Message<RequestOk> {
  const flat = declare(p, "TRACK_STATUS_OK", {
    requestId: answeredId(p),
    alias: ignoredAlias,
    expiresMs: capped,
    groupOrder: anyOrder,
    largest: maybeLocation,
    parameters: parameters(p, "requestOk"),
    properties: NO_PROPERTIES,
  });
  const message = folded<RequestOk & { readonly alias: 0 }>(flat as Message<unknown>, {
    expiresMs: 0,
    groupOrder: "ascending",
    largest: undefined,
  });
  return {
    ...message,
    encode: (value) => message.encode({ ...value, alias: 0 }),
    decode(body) {
      const { alias: _, ...value } = message.decode(body);
      return value;
    },
  };
}
const ignoredAlias: Field<WideInteger> = {
  write: (w) => w.varint(0),
  read: (r) => wide.read(r),
};
const ALL: Filter = { kind: "all" };

export function publishOk14(p: Profile): Message<RequestOk> {
  const flat = declare(p, "PUBLISH_OK", {
    requestId: answeredId(p),
    forward: flag,
    priority: u8,
    groupOrder: anyOrder,
    filter: inlineFilter,
    parameters: parameters(p, "publishOk"),
    properties: NO_PROPERTIES,
  });
  return folded<RequestOk>(flat as Message<unknown>, {
    forward: true,
    priority: 128,
    groupOrder: "ascending",
    filter: ALL,
  });
}
export function requestOk15(
  p: Profile,
  name = "REQUEST_OK",
  scope: Scope = "requestOk",
): Message<RequestOk> {
  return declare(p, name, {
    requestId: answeredId(p),
    parameters: parameters(p, scope),
    properties: properties(p, p.propertiesInOk),
  });
}

/** A request is refused. */
export interface RequestError {
  readonly requestId: number | undefined;
  /** Why; the numbers are in `codes.ts`. */
  readonly code: number;
  /** After which time the request may be sent again; absent: never. */
  readonly retryMs: number | undefined;
  readonly reason: string;
  /** Where to ask instead. It stands beside {@link REDIRECT_CODE} and nowhere else. */
  readonly redirect: Redirect | undefined;
}

/** Another place to ask at, or another name to ask for. What is empty stays as it is. */
export interface Redirect extends FullName {
  readonly uri: string;
}

/** The code of an error that says where to go. */
export const REDIRECT_CODE = 0x34;

const redirect: Field<Redirect | undefined> = {
  write(w, v) {
    if (v === undefined) return;
    uri.write(w, v.uri);
    redirectNamespace.write(w, v.namespace);
    trackName.write(w, v.track);
  },
  read(r) {
    if (r.left === 0) return undefined;
    return { uri: uri.read(r), namespace: redirectNamespace.read(r), track: trackName.read(r) };
  },
};

export function requestError(p: Profile, name = "REQUEST_ERROR"): Message<RequestError> {
  const message = declare(p, name, {
    requestId: answeredId(p),
    code: capped,
    retryMs: p.retryInterval ? optionalCapped : absent<number | undefined>(undefined),
    reason,
    redirect: p.redirect ? redirect : absent<Redirect | undefined>(undefined),
  });
  if (!p.redirect) return message;
  return checked(
    message,
    (v) =>
      (v.code === REDIRECT_CODE) === (v.redirect !== undefined)
        ? undefined
        : `code ${v.code} ${v.redirect === undefined ? "without" : "with"} a redirect`,
  );
}
