import assert from "node:assert/strict";
import { readFrameAddress, readOrder } from "./frame_address.ts";

Deno.test("readFrameAddress() takes several segments, percent-encoding, root and token", () => {
  const read = readFrameAddress(
    "https://relay.example/embed/caf%C3%A9/cam%2F1/a%20b?root=rooms/1&jwt=a.b.c&muted=0&latency=200",
  );
  assert.deepEqual(read, {
    broadcast: "café/cam/1/a b",
    relayUrl: "https://relay.example/rooms/1",
    token: "a.b.c",
    parent: undefined,
    attributes: { latency: "200", autoplay: "", controls: "" },
    clean: "https://relay.example/embed/caf%C3%A9/cam%2F1/a%20b?root=rooms%2F1&muted=0&latency=200",
  });
});

Deno.test("readFrameAddress() takes the token from the fragment first, and leaves it nowhere", () => {
  const read = readFrameAddress("http://localhost:1/embed/demo?jwt=old#jwt=new");
  assert.equal(read.token, "new");
  assert.equal(read.clean, "http://localhost:1/embed/demo");
});

Deno.test("readFrameAddress() names the parent's origin, whatever page of it is given, and nobody for what is no URL", () => {
  const of = (parent: string) =>
    readFrameAddress(`https://relay.example/embed/x?parent=${encodeURIComponent(parent)}`).parent;
  assert.equal(of("https://site.example/page?x"), "https://site.example");
  for (const odd of ["no url", "site.example", "site.example:443", "data:,x", "javascript:0", ""]) {
    assert.equal(of(odd), "none", odd);
  }
});

Deno.test("readFrameAddress() refuses a path that cannot be decoded", () => {
  assert.throws(() => readFrameAddress("https://relay.example/embed/%ff"), URIError);
});

Deno.test("readOrder() takes the orders of the manual and nothing else", () => {
  assert.deepEqual(readOrder({ type: "qumo:token", value: "t" }), { kind: "token", token: "t" });
  assert.deepEqual(readOrder({ type: "qumo:muted", value: false }), {
    kind: "muted",
    muted: false,
  });
  for (
    const odd of [null, "qumo:play", 1, {}, { type: "play" }, { type: "qumo:token", value: 1 }, {
      type: "qumo:volume",
      value: "1",
    }]
  ) assert.equal(readOrder(odd), undefined, JSON.stringify(odd));
});
