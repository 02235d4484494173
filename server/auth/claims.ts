/**
 * The claims of a token as patterns: `root` with `put` and `get` (prefixes), or with `publish` and `subscribe` (patterns).
 *
 * @module
 */
import type { RefusalReason } from "../../session/reasons.ts";
import { QumoError } from "../../base/errors.ts";
import { normalizePath, stripPrefix } from "../../wire/path.ts";
import { type Grant, type Refusal, refusal } from "./grant.ts";
import { allContained, BadPattern, compacted, Pattern } from "../../wire/path_pattern.ts";

/** A token is not accepted. The message has no part of the token. */
export class TokenRefused extends QumoError {
  readonly code = "QUMO_TOKEN_REFUSED";
  constructor(readonly reason: RefusalReason, why: string, options?: ErrorOptions) {
    super(`Cannot accept the token: ${why}`, options);
  }
}

/** Patterns under a root, in both roles. */
export interface Rights {
  /** Normalised. */
  readonly root: string;
  readonly publish: readonly Pattern[];
  readonly subscribe: readonly Pattern[];
  /** The holder is another node of the cluster. */
  readonly peer?: true;
}

/** The claims of a token. Times are in seconds since 1970. */
export interface Claims extends Rights {
  readonly exp?: number;
  readonly iat?: number;
  readonly nbf?: number;
  readonly jti?: string;
  readonly sub?: string;
  /** The node that a token of a cluster's secret is for. */
  readonly node?: string;
  readonly cert?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads the payload of a token. @throws {TokenRefused} */
export function decodeClaims(payload: unknown): Claims {
  if (!isFields(payload)) throw bad("it is no JSON object");
  // Other claims are notes of the issuer. This one restricts the token to an audience, and the relay has no such name.
  if (payload["aud"] !== undefined) throw bad('its "aud" names an audience; leave it out');
  const number = (name: string) => seconds(payload, name);
  const text = (name: string) => name in payload ? textOf(payload[name], name) : undefined;
  const [exp, iat, nbf] = [number("exp"), number("iat"), number("nbf")];
  const [jti, sub] = [text("jti"), text("sub")];
  const { node, cert } = payload;
  return {
    ...decodeRights(payload, bad),
    ...(exp === undefined ? {} : { exp }),
    ...(iat === undefined ? {} : { iat }),
    ...(nbf === undefined ? {} : { nbf }),
    ...(jti === undefined ? {} : { jti }),
    ...(sub === undefined ? {} : { sub }),
    ...(typeof node === "string" ? { node } : {}),
    ...(typeof cert === "string" ? { cert } : {}),
  };
}

/** Writes the payload of a token, in the older form where that means the same. */
export function encodeClaims(claims: Claims): Record<string, unknown> {
  const { exp, iat, nbf, jti, sub, node, cert } = claims;
  const rest = { exp, iat, nbf, jti, sub, node, cert };
  return {
    ...encodeRights(claims),
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)),
  };
}

/** Reads `root` and the patterns, of a token or of a key's scope. @throws What `fail` makes. */
export function decodeRights(fields: Fields, fail: (why: string) => Error): Rights {
  const old = ["put", "get"].some((name) => name in fields);
  if (old && ["publish", "subscribe"].some((name) => name in fields)) {
    throw fail("it mixes put and get with publish and subscribe");
  }
  const { root = "" } = fields;
  if (typeof root !== "string") throw fail('its "root" is no text');
  const list = (name: string): Pattern[] => {
    const value = fields[name];
    if (value === undefined) return [];
    const texts: unknown = typeof value === "string" ? [value] : value;
    if (!Array.isArray(texts)) throw fail(`its "${name}" is no list of texts`);
    return texts.map((text: unknown) => {
      if (typeof text !== "string") throw fail(`its "${name}" is no list of texts`);
      try {
        return old ? Pattern.subtree(text) : Pattern.parse(text);
      } catch (error) {
        throw error instanceof BadPattern ? fail(`in its "${name}", ${error.message}`) : error;
      }
    });
  };
  const publish = list(old ? "put" : "publish");
  const subscribe = list(old ? "get" : "subscribe");
  if (publish.length + subscribe.length === 0) throw fail("it grants nothing");
  const { peer = false } = fields;
  if (typeof peer !== "boolean") throw fail('its "peer" is neither true nor false');
  return { root: normalizePath(root), publish, subscribe, ...(peer ? { peer } : {}) };
}

/** Writes `root` and the patterns; as `put` and `get` where every pattern is a whole subtree. */
export function encodeRights({ root, publish, subscribe, peer }: Rights): Record<string, unknown> {
  const whole = [...publish, ...subscribe].every((pattern) => pattern.prefix !== undefined);
  const texts = (patterns: readonly Pattern[]) =>
    patterns.map((pattern) => whole ? pattern.prefix! : pattern.toString());
  return {
    root,
    ...(publish.length === 0 ? {} : { [whole ? "put" : "publish"]: texts(publish) }),
    ...(subscribe.length === 0 ? {} : { [whole ? "get" : "subscribe"]: texts(subscribe) }),
    ...(peer === undefined ? {} : { peer }),
  };
}

/** Whether a scope covers all rights of a token in each role, however the paths are split into root and pattern. */
export function scopeAllows(scope: Rights, wanted: Rights): boolean {
  if (wanted.peer === true && scope.peer !== true) return false;
  const rooted = (rights: Rights, role: "publish" | "subscribe") =>
    rights[role].map((pattern) => pattern.under(rights.root));
  try {
    return (["publish", "subscribe"] as const).every((role) =>
      allContained(rooted(scope, role), rooted(wanted, role))
    );
  } catch (error) {
    if (error instanceof BadPattern) return false; // too deep for any path
    throw error;
  }
}

/**
 * The rights at a dialed path. Below the root they are what is left there; above it they are all rights, with longer
 * paths.
 */
export function grantAt(rights: Rights, dialed: string): Grant | Refusal {
  const path = normalizePath(dialed);
  const within = stripPrefix(path, rights.root);
  const above = stripPrefix(rights.root, path);
  if (within === undefined && above === undefined) {
    return refusal("not_granted", "the token is for another path");
  }
  const at = (patterns: readonly Pattern[]) =>
    compacted(patterns.flatMap((p) => within === undefined ? [p.under(above!)] : p.below(within)))
      .map(String);
  try {
    const grant = {
      ...{ root: path, publish: at(rights.publish), subscribe: at(rights.subscribe) },
      ...(rights.peer === undefined ? {} : { peer: rights.peer }),
    };
    if (grant.publish.length + grant.subscribe.length > 0) return grant;
  } catch (error) {
    if (!(error instanceof BadPattern)) throw error;
  }
  return refusal("not_granted", "the token grants nothing at this path");
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function seconds(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined; // older signers write null
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw bad(`its "${name}" is no number of seconds`);
}

/** Longest `jti` and `sub`, in UTF-16 units. */
const MAX_NAME = 256;

function textOf(value: unknown, name: string): string {
  if (typeof value === "string" && value.length <= MAX_NAME) return value;
  throw bad(`its "${name}" is no text of at most ${MAX_NAME} characters`);
}

const bad = (why: string) => new TokenRefused("bad_token", why);
