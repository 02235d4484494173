/**
 * Makes keys and writes them as JWKs.
 *
 * @module
 */
import { exportJWK, generateKeyPair } from "jose";
import { encodeRights, type Rights } from "../claims.ts";
import { type Algorithm, type Key, keyOf, type KeyUse } from "./key.ts";

export interface KeyWanted {
  readonly alg: Algorithm;
  readonly kid?: string;
  readonly scope?: Rights;
}

/** Bytes of a secret: as many as the hash of the algorithm. */
const SECRET_BYTES: Partial<Record<Algorithm, number>> = { HS256: 32, HS384: 48, HS512: 64 };

/** Makes a key that signs and verifies. */
export async function generateKey({ alg, kid, scope }: KeyWanted): Promise<Key> {
  const jwk = await freshJwk(alg);
  const named = kid === undefined ? {} : { kid };
  const key = keyOf({ ...jwk, alg, key_ops: ["sign", "verify"], ...named });
  return scope === undefined ? key : { ...key, scope };
}

async function freshJwk(alg: Algorithm): Promise<object> {
  const bytes = SECRET_BYTES[alg];
  if (bytes !== undefined) {
    const secret = crypto.getRandomValues(new Uint8Array(bytes));
    return { kty: "oct", k: secret.toBase64({ alphabet: "base64url", omitPadding: true }) };
  }
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return await exportJWK(privateKey);
}

/** A key as a JWK. */
export function keyJson(key: Key): Record<string, unknown> {
  return written(key, key.jwk, key.uses);
}

/** The public half, which verifies. A secret does not have one. */
export function publicKeyJson(key: Key): Record<string, unknown> {
  const { kty, crv, x, y, n, e } = key.jwk;
  return written(key, { kty, crv, x, y, n, e }, ["verify"]);
}

function written(key: Key, jwk: object, uses: readonly KeyUse[]): Record<string, unknown> {
  const { alg, kid, scope } = key;
  const fields = {
    alg,
    key_ops: uses,
    ...jwk,
    ...(kid === undefined ? {} : { kid }),
    ...(scope === undefined ? {} : { scope: encodeRights(scope) }),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
