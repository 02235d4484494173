import assert from "node:assert/strict";
import { frameText, hexDump, MOST_BYTES } from "./frame_text.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("frameText() shows text as text and everything else as hex", () => {
  assert.equal(frameText(bytes('{"a":"ä"}\nb'), "auto"), '{"a":"ä"}\nb');
  assert.equal(frameText(bytes("a\u202eb"), "auto"), "a\\u202eb");
  assert.match(frameText(Uint8Array.of(0xff, 0x41), "auto"), /^0000 {2}ff 41 +\.A$/);
  assert.match(frameText(Uint8Array.of(0, 1, 2), "auto"), /^0000 {2}00 01 02 +\.\.\.$/);
  assert.match(frameText(bytes("hi"), "hex"), /68 69/);
  assert.equal(frameText(Uint8Array.of(0xff), "text"), "\ufffd");
});

Deno.test("frameText() shows the begin of a large frame, even where that ends within a character", () => {
  const large = bytes("ä".repeat(10_000));
  assert.match(frameText(large.subarray(0, MOST_BYTES + 1), "auto"), /^ä+$/);
  assert.match(frameText(bytes(`a${"ä".repeat(10_000)}`), "auto"), /^aä+\ufffd?$/);
  assert.equal(hexDump(large.subarray(0, 33)).split("\n").length, 5);
});
