import assert from "node:assert/strict";
import { EMBED_CODES, problemOf, targetOf } from "./problems.ts";

const base = "https://site.example/blog/";
const parts = { src: "https://relay.example/", broadcast: "demo", token: undefined, base };

function dialed(changed: Partial<{ src: string; broadcast: string; token: string }>) {
  const found = targetOf({ ...parts, ...changed });
  assert.ok("access" in found);
  return [found.access.dialed, found.broadcast];
}

Deno.test("targetOf() joins relay, root, token and broadcast", () => {
  const src = "https://relay.example/rooms/1?jwt=old#x";
  assert.deepEqual(dialed({ src, token: "a.b+c", broadcast: "/with space//é/" }), [
    "https://relay.example/rooms/1?jwt=a.b%2Bc",
    "with space/é",
  ]);
  assert.deepEqual(dialed({ src }), ["https://relay.example/rooms/1?jwt=old", "demo"]);
  assert.deepEqual(dialed({ src: "../relay" }), ["https://site.example/relay", "demo"]);
});

Deno.test("targetOf() says which attribute is wrong", () => {
  const messageOf = (changed: Partial<typeof parts> | { src: null } | { broadcast: null }) => {
    const found = targetOf({ ...parts, ...changed });
    assert.ok("code" in found);
    assert.equal(found.code, "QUMO_EMBED_SOURCE");
    return found.message;
  };
  assert.match(messageOf({ src: null }), /attribute src/);
  assert.match(messageOf({ src: "https://:x" }), /attribute src/);
  assert.match(messageOf({ src: "javascript:alert(1)" }), /https:\/\//);
  assert.match(messageOf({ broadcast: null }), /attribute broadcast/);
  assert.match(messageOf({ broadcast: "//" }), /attribute broadcast/);
});

Deno.test("problemOf() tells what somebody has to do apart", () => {
  const states = [
    "ok",
    "token_needed",
    "token_refused",
    "forbidden",
    "nothing_here",
    "too_many",
    "silent",
  ] as const;
  const codes = states.map((state) => problemOf(state).code);
  assert.equal(new Set(codes).size, codes.length);
  assert.ok(codes.every((code) => EMBED_CODES.includes(code)));
});
