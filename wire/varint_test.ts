import assert from "node:assert/strict";
import fc from "fast-check";
import {
  getVarint,
  MAX_VARINT,
  putVarint,
  unzigzag,
  varintSize,
  varintWidth,
  zigzag,
} from "./varint.ts";

const hex = (text: string) => Uint8Array.fromHex(text);
const put = (value: number) => {
  const room = new Uint8Array(10).fill(0xee);
  const end = putVarint(room, 1, value);
  assert.equal(room[0], 0xee);
  assert.ok(room.subarray(end).every((byte) => byte === 0xee));
  return room.slice(1, end);
};
/** Where the width changes, both sides of each edge. */
const EDGES: [number, string][] = [
  [0, "00"],
  [63, "3f"],
  [64, "4040"],
  [16_383, "7fff"],
  [16_384, "80004000"],
  [2 ** 30 - 1, "bfffffff"],
  [2 ** 30, "c000000040000000"],
  [2 ** 32 - 1, "c0000000ffffffff"],
  [2 ** 32, "c000000100000000"],
  [MAX_VARINT, "c01fffffffffffff"],
];

Deno.test("putVarint() and getVarint() agree on the bytes at every edge of width", () => {
  for (const [value, text] of EDGES) {
    assert.equal(put(value).toHex(), text);
    assert.equal(getVarint(hex(text), 0), value);
    assert.equal(varintSize(value), text.length / 2);
    assert.equal(varintWidth(hex(text)[0]!), text.length / 2);
  }
});

Deno.test("getVarint() reads the examples of RFC 9000, appendix A.1", () => {
  assert.equal(getVarint(hex("9d7f3e7d"), 0), 494_878_333);
  assert.equal(getVarint(hex("7bbd"), 0), 15_293);
  assert.equal(getVarint(hex("25"), 0), 37);
  assert.equal(getVarint(hex("4025"), 0), 37);
  // 151288809941952652 is not an exact number. It is rounded, to a value above the limit.
  assert.ok(getVarint(hex("c2197c5eff14e88c"), 0) > MAX_VARINT);
});

Deno.test("a varint survives a round trip for any value", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (value) => {
    const bytes = put(value);
    assert.equal(bytes.length, varintSize(value));
    assert.equal(getVarint(bytes, 0), value);
  }));
});

Deno.test("zigzag() keeps small differences small, and unzigzag() gives them back", () => {
  assert.deepEqual([0, -1, 1, -2, 2].map(zigzag), [0, 1, 2, 3, 4]);
  fc.assert(fc.property(fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 }), (delta) => {
    assert.ok(Number.isSafeInteger(zigzag(delta)));
    assert.equal(unzigzag(zigzag(delta)), delta);
  }));
});
