import assert from "node:assert/strict";
import { describe, lengthPrefixed, MAX_UNITS, splitAnnexB } from "./annexb.ts";

Deno.test("splitAnnexB() takes the units between start codes of three and four bytes, and no zeros", () => {
  const bytes = Uint8Array.of(0, 0, 0, 1, 9, 16, 0, 0, 1, 0x65, 1, 2, 0, 0, 0, 1, 0x41, 0);
  assert.deepEqual(splitAnnexB(bytes).map((unit) => [...unit]), [[9, 16], [0x65, 1, 2], [0x41]]);
  assert.deepEqual(splitAnnexB(new Uint8Array(1000)), []);
});

Deno.test("a frame of nothing but start codes makes a thousand units, and none of its bytes is lost", () => {
  const bytes = new Uint8Array(4 << 20);
  for (let at = 0; at < bytes.length; at += 4) bytes.set([1, 0x65], at + 2);
  const units = splitAnnexB(bytes);
  assert.equal(units.length, MAX_UNITS);
  assert.equal(units.at(-1)!.length, bytes.length - 4 * MAX_UNITS + 1);
  assert.ok(lengthPrefixed(units).length < bytes.length + 4 * MAX_UNITS);
});

Deno.test("more parameter sets than a header counts are left out of it", () => {
  const set = (type: number) => Uint8Array.of(type, 0x42, 0, 0x1f);
  const units = [...Array(40).fill(set(0x67)), ...Array(300).fill(set(0x68))] as Uint8Array[];
  const avcC = describe("avc1.42001f", units)!;
  assert.equal(avcC[5]! & 31, 31);
  assert.equal(avcC[6 + 31 * 6], 255);
  assert.equal(avcC.length, 7 + (31 + 255) * 6);
});
