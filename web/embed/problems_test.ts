import assert from "node:assert/strict";
import { EMBED_CODES, problemOfStatus, targetOf } from "./problems.ts";

const base = "https://site.example/blog/";
const parts = { src: "https://relay.example/", broadcast: "demo", token: undefined, base };

Deno.test("targetOf() joins relay, root, token and broadcast", () => {
  const root = { ...parts, src: "https://relay.example/rooms/1#x", token: "a.b+c" };
  assert.deepEqual(targetOf({ ...root, broadcast: "/with space//é/" }), {
    url: "https://relay.example/rooms/1?jwt=a.b%2Bc",
    broadcast: "with space/é",
  });
  assert.deepEqual(targetOf({ ...parts, src: "../relay" }), {
    url: "https://site.example/relay",
    broadcast: "demo",
  });
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

Deno.test("problemOfStatus() tells 401, 403, 404, 503, another answer and none apart", () => {
  const codes = [401, 403, 404, 503, 200, 0].map((status) => problemOfStatus(status).code);
  assert.equal(new Set(codes).size, codes.length);
  assert.ok(codes.every((code) => EMBED_CODES.includes(code)));
});
