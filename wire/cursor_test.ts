import assert from "node:assert/strict";
import fc from "fast-check";
import { Reader, Writer } from "./cursor.ts";
import { ProtocolViolation } from "./errors.ts";

const hex = (text: string) => Uint8Array.fromHex(text);
const reader = (text: string) => new Reader(hex(text), "TEST");
const written = (fill: (w: Writer) => void) => {
  const w = new Writer();
  fill(w);
  assert.equal(w.length, w.done().length);
  return w.done().toHex();
};

Deno.test("fixed-width numbers travel big-endian and read back", () => {
  const bytes = written((w) => {
    w.u8(0xab);
    w.u16(0x0102);
    w.u32(0xfffefdfc);
  });
  assert.equal(bytes, "ab0102fffefdfc");
  const r = reader(bytes);
  assert.deepEqual([r.u8(), r.u16(), r.u32(), r.left], [0xab, 0x0102, 0xfffefdfc, 0]);
});

Deno.test("Writer refuses a number that does not fit, instead of cutting it", () => {
  const w = new Writer();
  for (const bad of [-1, 1.5, NaN, Infinity, 2 ** 64]) {
    assert.throws(() => w.u8(bad), RangeError);
    assert.throws(() => w.u16(bad), RangeError);
    assert.throws(() => w.u32(bad), RangeError);
    assert.throws(() => w.varint(bad), RangeError);
  }
  assert.throws(() => w.u8(256), RangeError);
  assert.throws(() => w.u16(2 ** 16), RangeError);
  assert.throws(() => w.u32(2 ** 32), RangeError);
  assert.throws(() => w.varint(2 ** 53), RangeError);
  assert.throws(() => w.bigVarint(-1n), RangeError);
  assert.throws(() => w.bigVarint(1n << 62n), RangeError);
  assert.equal(w.length, 0);
});

Deno.test("Reader refuses to read past the end, whatever is asked", () => {
  const asks: ((r: Reader) => unknown)[] = [
    (r) => r.u8(),
    (r) => r.u16(),
    (r) => r.u32(),
    (r) => r.varint(),
    (r) => r.bigVarint(),
    (r) => r.text(),
    (r) => r.take(1),
  ];
  for (const ask of asks) assert.throws(() => ask(reader("")), ProtocolViolation);
  for (const cut of ["40", "800000", "c0000000000000"]) {
    assert.throws(() => reader(cut).varint(), ProtocolViolation);
    assert.throws(() => reader(cut).bigVarint(), ProtocolViolation);
  }
  assert.throws(() => reader("0361 62".replace(" ", "")).text(), ProtocolViolation);
});

Deno.test("Reader.varint() refuses values above 2^53-1 instead of rounding them", () => {
  assert.equal(reader("c01fffffffffffff").varint(), Number.MAX_SAFE_INTEGER);
  for (const large of ["c020000000000000", "c020000000000001", "ffffffffffffffff"]) {
    assert.throws(() => reader(large).varint(), ProtocolViolation);
  }
});

Deno.test("bigVarint() carries all 62 bits exactly", () => {
  assert.equal(written((w) => w.bigVarint((1n << 62n) - 1n)), "ffffffffffffffff");
  assert.equal(reader("c2197c5eff14e88c").bigVarint(), 151_288_809_941_952_652n);
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: (1n << 62n) - 1n }), (value) => {
    assert.equal(reader(written((w) => w.bigVarint(value))).bigVarint(), value);
  }));
});

Deno.test("text travels as UTF-8 and keeps a leading U+FEFF; broken UTF-8 is refused", () => {
  const text = "\ufeffgrüße/🎥";
  assert.equal(reader(written((w) => w.text(text))).text(), text);
  for (const bad of ["01ff", "02c328", "03eda080", "01c3"]) {
    assert.throws(() => reader(bad).text(), ProtocolViolation, bad);
  }
});

Deno.test("take() gives a view and moves on", () => {
  const r = reader("010203");
  const two = r.take(2);
  assert.deepEqual([...two], [1, 2]);
  assert.equal(two.buffer, r.bytes.buffer);
  assert.equal(r.u8(), 3);
});

Deno.test("Writer grows as far as needed", () => {
  const large = Uint8Array.from({ length: 1000 }, (_, i) => i & 0xff);
  const w = new Writer();
  w.u8(9);
  w.put(large);
  w.text("x".repeat(3000));
  const r = new Reader(w.done(), "TEST");
  assert.equal(r.u8(), 9);
  assert.deepEqual(r.take(1000), large);
  assert.equal(r.text(), "x".repeat(3000));
  assert.equal(r.left, 0);
});

Deno.test("Reader.fail() names what was being read", () => {
  const failure = reader("").fail("broken");
  assert.equal(failure.code, "QUMO_PROTOCOL_VIOLATION");
  assert.equal(failure.where, "TEST");
  assert.match(failure.message, /TEST: broken/);
});
