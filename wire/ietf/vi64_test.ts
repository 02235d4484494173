import assert from "node:assert/strict";
import fc from "fast-check";
import { Reader, Writer } from "../cursor.ts";
import { ProtocolViolation } from "../errors.ts";
import type { Varints } from "../varint.ts";
import { getVi64, putVi64, VI64, VI64_OF_17, vi64Size, vi64Width } from "./vi64.ts";
import { wide } from "./integers.ts";

const hex = (text: string) => Uint8Array.fromHex(text);
const reader = (text: string, varints: Varints = VI64) => new Reader(hex(text), "TEST", varints);

/** Where the width changes, both sides of each edge. */
const EDGES: [number, string][] = [
  [0, "00"],
  [0x7f, "7f"],
  [0x80, "8080"],
  [300, "812c"],
  [0x2f00, "af00"],
  [16_383, "bfff"],
  [16_384, "c04000"],
  [2 ** 21 - 1, "dfffff"],
  [2 ** 21, "e0200000"],
  [2 ** 28 - 1, "efffffff"],
  [2 ** 28, "f010000000"],
  [2 ** 35 - 1, "f7ffffffff"],
  [2 ** 35, "f80800000000"],
  [2 ** 42 - 1, "fbffffffffff"],
  [2 ** 42, "fc040000000000"],
  [2 ** 49 - 1, "fdffffffffffff"],
  [2 ** 49, "fe02000000000000"],
  [2 ** 53 - 1, "fe1fffffffffffff"],
];

Deno.test("putVi64() and getVi64() agree on the bytes at every edge of width", () => {
  for (const [value, text] of EDGES) {
    const room = new Uint8Array(12).fill(0xee);
    const end = putVi64(room, 1, value);
    assert.equal(room.slice(1, end).toHex(), text);
    assert.ok(room.subarray(end).every((byte) => byte === 0xee));
    assert.equal(getVi64(hex(text), 0), value);
    assert.equal(vi64Size(value), text.length / 2);
    assert.equal(vi64Width(hex(text)[0]!), text.length / 2);
  }
});

Deno.test("VI64 reads the examples of the draft, the longest and the longer than needed", () => {
  assert.equal(reader("25").varint(), 37);
  assert.equal(reader("8025").varint(), 37);
  assert.equal(reader("bbbd").varint(), 15_293);
  assert.equal(reader("dd7f3e").varint(), 0x1d7f3e);
  assert.equal(reader("ed7f3e7d").varint(), 226_442_877);
  assert.equal(reader("faa1a0e403d8").varint(), 2_893_212_287_960);
  assert.equal(wide.read(reader("fefa318fa8e3ca11")), 70_423_237_261_249_041n);
  assert.equal(wide.read(reader("ffffffffffffffffff")), 2n ** 64n - 1n);
  assert.equal(wide.read(reader("ff0000000000000025")), 37);
  assert.throws(() => reader("ffffffffffffffffff").varint(), ProtocolViolation);
});

Deno.test("draft 17 neither reads nor writes seven bytes", () => {
  assert.equal(reader("fc040000000000").varint(), 2 ** 42);
  assert.throws(() => reader("fc040000000000", VI64_OF_17).varint(), ProtocolViolation);
  const w = new Writer(VI64_OF_17);
  w.varint(2 ** 42);
  assert.equal(w.done().toHex(), "fe00040000000000");
  assert.equal(reader("fe00040000000000", VI64_OF_17).varint(), 2 ** 42);
});

for (const [name, varints] of Object.entries({ VI64, VI64_OF_17 })) {
  Deno.test(`${name}: any integer of 64 bits survives a round trip, and no prefix of it is read`, () => {
    const any = fc.oneof(fc.maxSafeNat(), fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }));
    fc.assert(fc.property(any, (value) => {
      const w = new Writer(varints);
      wide.write(w, value);
      const bytes = w.done();
      assert.equal(wide.read(new Reader(bytes, "TEST", varints)), value);
      for (let n = 0; n < bytes.length; n++) {
        const cut = new Reader(bytes.subarray(0, n), "TEST", varints);
        assert.throws(() => wide.read(cut), ProtocolViolation);
      }
    }));
  });
}

Deno.test("Writer refuses what 64 bits do not hold", () => {
  assert.throws(() => wide.write(new Writer(VI64), 2n ** 64n), RangeError);
  assert.throws(() => wide.write(new Writer(VI64), -1n), RangeError);
});
