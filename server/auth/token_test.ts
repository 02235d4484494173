import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { silent } from "../../base/logger.ts";
import { type Claims, decodeClaims, encodeClaims, grantAt, TokenRefused } from "./claims.ts";
import { ALGORITHM_NAMES, BadKey, keyOf, parseKey, parseKeys } from "./keys/key.ts";
import { generateKey, keyJson, publicKeyJson } from "./keys/make_key.ts";
import { FileKeys, fixedKeys } from "./keys/key_source.ts";
import { Pattern } from "../../wire/path_pattern.ts";
import { KEY, TOKEN } from "../../tests/support/fixtures/token_vector.ts";
import { signToken, verifyToken } from "./token.ts";

const NOW_MS = 1_767_300_000_000;

const source = (...keys: unknown[]) => fixedKeys(keys.map(keyOf));

const claimsOf = (changes: Partial<Claims> = {}): Claims => ({
  root: "rooms/123",
  publish: [Pattern.parse("alice/**")],
  subscribe: [Pattern.parse("**")],
  ...changes,
});

const refused = (reason: string, said = /./) => (error: unknown) => {
  assert.ok(error instanceof TokenRefused);
  assert.equal(error.reason, reason);
  assert.match(error.message, said);
  return true;
};

Deno.test("the worked token of moq-token is accepted, and its rights at every path are those of its table", async () => {
  const claims = await verifyToken(TOKEN, source(KEY), NOW_MS);
  assert.deepEqual(encodeClaims(claims), {
    root: "rooms/123",
    put: ["alice"],
    get: [""],
    exp: 4102444800,
    iat: 1767225600,
  });
  const rows: [path: string, publish: string[], subscribe: string[]][] = [
    ["/rooms/123", ["alice/**"], ["**"]],
    ["/rooms/123/alice", ["**"], ["**"]],
    ["/rooms/123/bob", [], ["**"]],
    ["/rooms", ["123/alice/**"], ["123/**"]],
    ["/", ["rooms/123/alice/**"], ["rooms/123/**"]],
  ];
  for (const [path, publish, subscribe] of rows) {
    const root = path.slice(1);
    assert.deepEqual(grantAt(claims, path), { root, publish, subscribe });
  }
  for (const path of ["/other", "/rooms/1234"]) {
    const answer = grantAt(claims, path);
    assert.ok(
      "reason" in answer && answer.status === 403 && answer.closing === "unauthorized",
      path,
    );
  }
});

Deno.test("a key of every algorithm signs, its public half verifies, and another key does not", async () => {
  for (const alg of ALGORITHM_NAMES) {
    const key = await generateKey({ alg, kid: "k1" });
    const token = await signToken(claimsOf({ sub: "alice" }), key);
    const shown = key.jwk.kty === "oct" ? keyJson(key) : publicKeyJson(key);
    assert.equal((await verifyToken(token, source(shown), NOW_MS)).sub, "alice", alg);
    const other = await generateKey({ alg, kid: "k1" });
    await assert.rejects(verifyToken(token, source(keyJson(other)), NOW_MS), refused("bad_token"));
  }
});

Deno.test("the key decides the algorithm, not the token's header", async () => {
  const rsa = await generateKey({ alg: "RS256", kid: "test" });
  // A public key's text as an HMAC secret, and no signature at all: the two classic forgeries.
  const body = TOKEN.split(".")[1];
  const none = btoa('{"alg":"none","kid":"test"}').replace(/=+$/, "");
  for (const forged of [TOKEN, `${none}.${body}.`]) {
    const asked = verifyToken(forged, source(publicKeyJson(rsa)), NOW_MS);
    await assert.rejects(asked, refused("bad_token"));
  }
});

Deno.test("times are held to the second, without leeway, and null is no time", async () => {
  const key = keyOf(KEY);
  const at = NOW_MS / 1000;
  const verify = async (changes: Partial<Claims>) =>
    await verifyToken(await signToken(claimsOf(changes), key), source(KEY), NOW_MS);
  await assert.rejects(verify({ exp: at }), refused("expired"));
  await assert.rejects(verify({ nbf: at + 1 }), refused("bad_token"));
  assert.equal((await verify({ exp: at + 1, nbf: at })).exp, at + 1);
  assert.equal(decodeClaims({ put: "a", exp: null }).exp, undefined);
});

Deno.test("a token that says something else, or nothing, is refused", () => {
  const wrong: [payload: unknown, said: RegExp][] = [
    [[], /no JSON object/],
    [{ root: "a" }, /grants nothing/],
    [{ put: [], get: [] }, /grants nothing/],
    [{ put: [1] }, /"put"/],
    [{ put: ["a*"] }, /"put"/],
    [{ put: ["a"], subscribe: ["b"] }, /mixes/],
    [{ publish: ["a/**/b/**"] }, /"publish"/],
    [{ get: "", root: 1 }, /"root"/],
    [{ get: "", exp: "soon" }, /"exp"/],
    [{ get: "", aud: "somebody" }, /"aud"/],
    [{ get: "", jti: "x".repeat(257) }, /"jti"/],
  ];
  for (const [payload, said] of wrong) {
    assert.throws(() => decodeClaims(payload), refused("bad_token", said));
  }
  const read = decodeClaims({ publish: ["cam-*"], subscribe: ["*/chat"], iss: "me", x: 1 });
  assert.deepEqual(encodeClaims(read), { root: "", publish: ["cam-*"], subscribe: ["*/chat"] });
});

Deno.test("a key's scope is the ceiling of its tokens, at signing and at verifying", async () => {
  const scoped = (scope: unknown) => ({ ...KEY, scope });
  const wide = scoped({ root: "rooms", put: ["123"], get: ["123"] });
  const narrow = scoped({ root: "rooms/123", put: ["alice"] });
  assert.equal((await verifyToken(TOKEN, source(wide), NOW_MS)).root, "rooms/123");
  await assert.rejects(verifyToken(TOKEN, source(narrow), NOW_MS), refused("bad_token", /scope/));
  await assert.rejects(signToken(claimsOf(), keyOf(narrow)), BadKey);
});

Deno.test("a key file is JSON or base64url of it, with or without kty and padding; a set keeps what is of use", () => {
  const json = JSON.stringify(KEY);
  const wrapped = new TextEncoder().encode(json).toBase64({ alphabet: "base64url" });
  const { kty: _, ...old } = KEY;
  for (
    const text of [json, `${json}\n`, wrapped, wrapped.replace(/=+$/, ""), JSON.stringify(old)]
  ) {
    assert.equal(parseKey(text).kid, "test");
  }
  const padded = { ...KEY, k: `${KEY.k}=` };
  assert.equal(keyOf(padded).jwk.k, KEY.k);
  const set = { keys: [{ kty: "EC", alg: "ES512", crv: "P-521" }, KEY] };
  assert.deepEqual(parseKeys(JSON.stringify(set)).map(({ kid }) => kid), ["test"]);
});

Deno.test("a key that is none says what is wrong, and nothing of itself", () => {
  const wrong: [json: unknown, said: RegExp][] = [
    [{ ...KEY, k: "AAECAwQ" }, /5 bytes/],
    [{ ...KEY, alg: "none" }, /"alg"/],
    [{ ...KEY, alg: "ES256" }, /"kty"/],
    [{ ...KEY, kid: "../../etc/passwd" }, /"kid"/],
    [{ ...KEY, k: "not base64!" }, /base64url/],
    [{ ...KEY, scope: { root: "a" } }, /scope/],
    [{ keys: [] }, /empty/],
  ];
  for (const [json, said] of wrong) {
    assert.throws(() => parseKeys(JSON.stringify(json)), (error: unknown) => {
      assert.ok(error instanceof BadKey);
      assert.match(error.message, said);
      return !error.message.includes("AAEC");
    });
  }
  assert.throws(() => parseKey("not a key, AAECAwQ"), BadKey);
});

Deno.test("keys of a file are taken anew when it changes; a bad file changes nothing and is told once", async () => {
  const file = await Deno.makeTempFile();
  const clock = new ManualClock();
  const said: string[] = [];
  const log = { ...silent, warn: (message: string) => void said.push(message) };
  try {
    await Deno.writeTextFile(file, JSON.stringify(KEY));
    const keys = new FileKeys(file, { clock, log });
    assert.equal((await keys.find("test"))?.kid, "test");
    await Deno.writeTextFile(file, "{broken");
    clock.advance(2000);
    assert.equal((await keys.find("test"))?.kid, "test");
    clock.advance(2000);
    assert.equal((await keys.find("test"))?.kid, "test");
    assert.equal(said.length, 1);
    assert.match(said[0]!, /keys in use stay/);
    await Deno.writeTextFile(file, JSON.stringify({ ...KEY, kid: "newer" }));
    clock.advance(2000);
    assert.equal(await keys.find("test"), undefined);
    assert.equal((await keys.find("newer"))?.kid, "newer");
  } finally {
    await Deno.remove(file);
  }
});
