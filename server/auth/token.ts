/**
 * Checks tokens against keys, and signs them.
 *
 * @module
 */
import { CompactSign, compactVerify, decodeProtectedHeader, errors } from "jose";
import { isKid } from "./keys/key.ts";
import { type Claims, decodeClaims, encodeClaims, scopeAllows, TokenRefused } from "./claims.ts";
import { BadKey, cryptoKey, type Key } from "./keys/key.ts";
import type { KeySource } from "./keys/key_source.ts";

/** Longest accepted token, in characters. */
const MAX_TOKEN = 16_384;

/**
 * Checks signature, times and scope. The key decides on the algorithm, not the header.
 * @param nowMs Milliseconds since 1970.
 * @throws {TokenRefused} @throws {KeysUnavailable}
 */
export async function verifyToken(token: string, keys: KeySource, nowMs: number): Promise<Claims> {
  const kid = kidOf(token);
  const key = await keys.find(kid);
  if (key === undefined) {
    const which = kid === undefined ? "it names no key" : "its key is not known here";
    throw new TokenRefused("bad_token", which);
  }
  const payload = await payloadOf(token, key);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    throw new TokenRefused("bad_token", "it is no JSON object");
  }
  const claims = decodeClaims(json);
  const nowSeconds = nowMs / 1000;
  if (claims.exp !== undefined && claims.exp <= nowSeconds) {
    throw new TokenRefused("expired", `it ended at ${timeText(claims.exp)}`);
  }
  if (claims.nbf !== undefined && claims.nbf > nowSeconds) {
    throw new TokenRefused("bad_token", `it does not hold before ${timeText(claims.nbf)}`);
  }
  if (key.scope !== undefined && !scopeAllows(key.scope, claims)) {
    throw new TokenRefused("bad_token", "it grants more than the scope of its key allows");
  }
  return claims;
}

/** Signs a token. @throws {BadKey} The key cannot sign, or its scope does not allow these rights. */
export async function signToken(claims: Claims, key: Key): Promise<string> {
  if (key.scope !== undefined && !scopeAllows(key.scope, claims)) {
    throw new BadKey("its scope does not allow what the token is to grant");
  }
  const header = { typ: "JWT", alg: key.alg, ...(key.kid === undefined ? {} : { kid: key.kid }) };
  return await new CompactSign(new TextEncoder().encode(JSON.stringify(encodeClaims(claims))))
    .setProtectedHeader(header).sign(await cryptoKey(key, "sign"));
}

/** Reads a token without any check, to show it. @throws {TokenRefused} It is not a token. */
export function inspectToken(token: string): { header: unknown; payload: unknown } {
  try {
    const [, payload = ""] = token.split(".");
    const bytes = Uint8Array.fromBase64(payload, { alphabet: "base64url" });
    return {
      header: decodeProtectedHeader(token),
      payload: JSON.parse(new TextDecoder().decode(bytes)),
    };
  } catch {
    throw new TokenRefused("bad_token", "it is no JWT");
  }
}

/** Whether a text can be read as a token at all. */
export function isToken(text: string): boolean {
  try {
    inspectToken(text);
    return true;
  } catch {
    return false;
  }
}

/** Seconds since 1970 as a date. A number without a date stays a number. */
export function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}

/** The key that a token names. Nothing is checked. @throws {TokenRefused} It is no token. */
export function kidOf(token: string): string | undefined {
  if (token.length > MAX_TOKEN) throw new TokenRefused("bad_token", "it is too long");
  let kid: unknown;
  try {
    ({ kid } = decodeProtectedHeader(token));
  } catch {
    throw new TokenRefused("bad_token", "it is no JWT");
  }
  if (kid === undefined || isKid(kid)) return kid;
  throw new TokenRefused("bad_token", 'its "kid" cannot be the name of a key');
}

async function payloadOf(token: string, key: Key): Promise<Uint8Array> {
  try {
    const usable = await cryptoKey(key, "verify");
    return (await compactVerify(token, usable, { algorithms: [key.alg] })).payload;
  } catch (error) {
    if (error instanceof errors.JOSEAlgNotAllowed) {
      throw new TokenRefused("bad_token", `it is not signed with ${key.alg}, as its key wants`);
    }
    if (error instanceof BadKey) throw new TokenRefused("bad_token", "its key cannot verify");
    if (!(error instanceof errors.JOSEError) && !(error instanceof TypeError)) throw error;
    throw new TokenRefused("bad_token", "its signature is wrong");
  }
}
