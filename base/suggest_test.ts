import assert from "node:assert/strict";
import { didYouMean, distance, nearest } from "./suggest.ts";

Deno.test("nearest() finds a slip of the keyboard and ignores case and separators", () => {
  const known = ["address", "cert_file", "idle_timeout"];
  assert.equal(nearest("adress", known), "address");
  assert.equal(nearest("certFile", known), "cert_file");
  assert.equal(nearest("idle-timeuot", known), "idle_timeout");
});

Deno.test("nearest() stays silent when nothing is near", () => {
  assert.equal(nearest("colour", ["address", "cert_file"]), undefined);
  assert.equal(didYouMean("colour", ["address"]), "");
});

Deno.test("distance() counts a swap of neighbours as one edit", () => {
  assert.equal(distance("serve", "sevre"), 1);
  assert.equal(distance("", "abc"), 3);
  assert.equal(distance("kitten", "sitting"), 3);
});
