import assert from "node:assert/strict";
import { pinned, priced } from "./link_url.ts";

Deno.test("priced() takes the price off, and leaves the rest as it is", () => {
  assert.deepEqual(priced("moqt://a.example/x?cost=7&jwt=s"), {
    url: "moqt://a.example/x?jwt=s",
    cost: 7,
  });
  assert.deepEqual(priced("https://a.example/?cost=0"), { url: "https://a.example/", cost: 0 });
  for (const text of ["https://a.example", "moqt://a.example/?cost=-1", "moqt://a/?cost=9999999"]) {
    assert.deepEqual(priced(text), { url: text });
  }
});

Deno.test("pinned() takes the hash of the certificate off", () => {
  const hash = "0a".repeat(32);
  const { url, hash: bytes } = pinned(`https://a.example/?hash=${hash}&jwt=s`);
  assert.equal(url, "https://a.example/?jwt=s");
  assert.deepEqual(bytes, new Uint8Array(32).fill(10));
  assert.deepEqual(pinned("https://a.example/?hash=short"), {
    url: "https://a.example/?hash=short",
  });
});
