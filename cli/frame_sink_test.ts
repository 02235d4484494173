import assert from "node:assert/strict";
import fc from "fast-check";
import { fileName } from "./frame_sink.ts";

Deno.test("fileName() leaves ordinary track names as they are", () => {
  for (const name of ["video0", "catalog.json", "a-b_c~d"]) assert.equal(fileName(name), name);
});

Deno.test("fileName() makes one plain name of whatever a peer calls its track", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (track) => {
    const name = fileName(track);
    assert.match(name, /^[\w.!~'()%-]+$/);
    assert.ok(name !== "." && name !== "..");
  }));
  assert.equal(fileName("../../etc/passwd"), "..%2F..%2Fetc%2Fpasswd");
  assert.deepEqual(["", ".", ".."].map(fileName), ["%", "%.", "%.."]);
});
