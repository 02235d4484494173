/**
 * One key: a JWK as the tools of moq write it, as JSON or as base64url of that JSON.
 *
 * @module
 */
import { importJWK, type JWK } from "jose";
import { QumoError, reasonOf } from "../../../base/errors.ts";
import { decodeRights, isFields, type Rights } from "../claims.ts";

/** A text has no usable key. The message has no part of the key. */
export class BadKey extends QumoError {
  readonly code = "QUMO_BAD_KEY";
  constructor(why: string, options?: ErrorOptions) {
    super(`Cannot use the key: ${why}`, options);
  }
}

/** Algorithm -> the fields of its keys. */
const ALGORITHMS = {
  HS256: { kty: "oct" },
  HS384: { kty: "oct" },
  HS512: { kty: "oct" },
  ES256: { kty: "EC", crv: "P-256" },
  ES384: { kty: "EC", crv: "P-384" },
  RS256: { kty: "RSA" },
  RS384: { kty: "RSA" },
  RS512: { kty: "RSA" },
  PS256: { kty: "RSA" },
  PS384: { kty: "RSA" },
  PS512: { kty: "RSA" },
  EdDSA: { kty: "OKP", crv: "Ed25519" },
} as const satisfies Record<string, { kty: string; crv?: string }>;

export type Algorithm = keyof typeof ALGORITHMS;

export const ALGORITHM_NAMES = Object.keys(ALGORITHMS) as readonly Algorithm[];

/** What a key may be used for. */
export type KeyUse = "sign" | "verify";

export interface Key {
  readonly alg: Algorithm;
  readonly kid?: string;
  readonly uses: readonly KeyUse[];
  /** Most that its tokens may grant. */
  readonly scope?: Rights;
  /** For jose: base64url without padding. */
  readonly jwk: JWK;
  /** Whether it can sign: it has a secret or a private half. */
  readonly secret: boolean;
}

/** Shortest secret, in bytes. */
const MIN_SECRET_BYTES = 32;
const SECRET_FIELDS = ["d", "p", "q", "dp", "dq", "qi"] as const;
const BYTE_FIELDS = ["k", "x", "y", "n", "e", ...SECRET_FIELDS] as const;

/**
 * Reads the text of a file: one key, or a set `{"keys":[…]}`. The sets of issuers also have keys for other purposes: these
 * are skipped, as long as one key is left. @throws {BadKey}
 */
export function parseKeys(text: string): Key[] {
  const json = parseJson(text.trim());
  if (!isFields(json) || !Array.isArray(json["keys"])) return [keyOf(json)];
  const keys: Key[] = [];
  let why = "the set is empty";
  for (const entry of json["keys"]) {
    try {
      keys.push(keyOf(entry));
    } catch (error) {
      if (!(error instanceof BadKey)) throw error;
      why = `no key of the set is of use; of the last one: ${error.message}`;
    }
  }
  if (keys.length === 0) throw new BadKey(why);
  return keys;
}

/** Reads the text of a file with one key. @throws {BadKey} */
export function parseKey(text: string): Key {
  const keys = parseKeys(text);
  if (keys.length === 1) return keys[0]!;
  throw new BadKey(`there are ${keys.length} in it, where one is needed`);
}

/** @throws {BadKey} */
export function keyOf(json: unknown): Key {
  if (!isFields(json)) throw new BadKey("it is no JSON object");
  const { alg, kid, key_ops, scope } = json;
  if (typeof alg !== "string" || !Object.hasOwn(ALGORITHMS, alg)) {
    const known = ALGORITHM_NAMES.join(", ");
    throw new BadKey(`its "alg" is not one of ${known}`);
  }
  const expected: { kty: string; crv?: string } = ALGORITHMS[alg as Algorithm];
  const kty = json["kty"] ?? "oct"; // older files do not have it
  if (kty !== expected.kty || (expected.crv !== undefined && json["crv"] !== expected.crv)) {
    throw new BadKey(`its "kty" and "crv" are not those of ${alg}`);
  }
  if (kid !== undefined && !isKid(kid)) {
    throw new BadKey('its "kid" is not made of letters, digits, "_" and "-"');
  }
  const jwk: Record<string, unknown> = { kty, alg, ...(expected.crv ? { crv: expected.crv } : {}) };
  for (const name of BYTE_FIELDS) {
    if (json[name] !== undefined) jwk[name] = unpadded(json[name], name);
  }
  if (kty === "oct") {
    const bytes = typeof jwk["k"] === "string" ? base64url(jwk["k"]).length : 0;
    if (bytes < MIN_SECRET_BYTES) {
      throw new BadKey(`its secret has ${bytes} bytes, at least ${MIN_SECRET_BYTES} are needed`);
    }
  }
  return {
    alg: alg as Algorithm,
    ...(kid === undefined ? {} : { kid }),
    uses: usesOf(key_ops),
    ...(scope === undefined || scope === null ? {} : { scope: scopeOf(scope) }),
    jwk: jwk as JWK,
    secret: kty === "oct" || jwk["d"] !== undefined,
  };
}

/** The key for one purpose, as jose takes it. @throws {BadKey} */
export async function cryptoKey(key: Key, use: KeyUse): Promise<CryptoKey | Uint8Array> {
  if (!key.uses.includes(use)) throw new BadKey(`its "key_ops" do not include "${use}"`);
  if (use === "sign" && !key.secret) throw new BadKey("it is a public key and cannot sign");
  const jwk: Record<string, unknown> = { ...key.jwk };
  if (use === "verify") { for (const name of SECRET_FIELDS) delete jwk[name]; }
  try {
    return await importJWK(jwk as JWK, key.alg);
  } catch (cause) {
    // The message of the parser names a field or a format, not the key.
    throw new BadKey(`its numbers do not make a key for ${key.alg}`, { cause });
  }
}

/** Whether a text can be the id of a key. It becomes part of a file name, so it has no path in it. */
export function isKid(value: unknown): value is string {
  return typeof value === "string" && /^[A-Za-z0-9_-]{1,128}$/.test(value);
}

function usesOf(value: unknown): KeyUse[] {
  if (value === undefined || value === null) return ["sign", "verify"];
  if (!Array.isArray(value)) throw new BadKey('its "key_ops" is no list');
  return (["sign", "verify"] as const).filter((use) => value.includes(use));
}

function scopeOf(value: unknown): Rights {
  const fail = (why: string) => new BadKey(`its scope: ${why}`);
  if (!isFields(value)) throw fail("it is no JSON object");
  return decodeRights(value, fail);
}

function parseJson(text: string): unknown {
  try {
    const json = text.startsWith("{") ? text : new TextDecoder().decode(base64url(text));
    return JSON.parse(json);
  } catch {
    // The parser's message would quote the text.
    throw new BadKey("it is neither JSON nor base64url of JSON");
  }
}

function unpadded(value: unknown, name: string): string {
  if (typeof value === "string") {
    try {
      return base64url(value).toBase64({ alphabet: "base64url", omitPadding: true });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw new BadKey(reasonOf(error));
    }
  }
  throw new BadKey(`its "${name}" is no base64url`);
}

/** With or without padding. @throws {SyntaxError} */
const base64url = (text: string) =>
  Uint8Array.fromBase64(text.replace(/=+$/, ""), { alphabet: "base64url" });
