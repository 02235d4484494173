import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolViolation } from "./errors.ts";
import {
  absent,
  bigVarint,
  flag,
  framed,
  listOf,
  message,
  optional,
  text,
  u8,
  varint,
} from "./message.ts";

const hex = (bytes: string) => Uint8Array.fromHex(bytes);
const Sample = message("SAMPLE", {
  id: varint,
  name: text,
  level: u8,
  from: optional,
  live: flag,
  later: absent(7),
  hops: listOf(bigVarint, 3),
});
const VALUE = {
  id: 300,
  name: "né",
  level: 9,
  from: 0,
  live: true,
  later: 7,
  hops: [1n, 1n << 60n],
};
const BYTES = "412c" + "036ec3a9" + "09" + "01" + "01" + "02" + "01" + "d000000000000000";

Deno.test("message() writes its fields in the order they are declared", () => {
  assert.equal(Sample.encode({ ...VALUE, later: 7 }).toHex(), BYTES);
  assert.deepEqual(Sample.decode(hex(BYTES)), VALUE);
});

Deno.test("decode() refuses every proper prefix of a valid message, and anything behind it", () => {
  const whole = hex(BYTES);
  for (let end = 0; end < whole.length; end++) {
    assert.throws(() => Sample.decode(whole.subarray(0, end)), ProtocolViolation, `${end}`);
  }
  assert.throws(() => Sample.decode(hex(BYTES + "00")), ProtocolViolation);
});

Deno.test("a message survives a round trip for any field values", () => {
  const value = fc.record({
    id: fc.maxSafeNat(),
    name: fc.string({ unit: "grapheme" }),
    level: fc.nat({ max: 255 }),
    from: fc.option(fc.nat(), { nil: undefined }),
    live: fc.boolean(),
    later: fc.constant(7 as const),
    hops: fc.array(fc.bigInt({ min: 0n, max: (1n << 62n) - 1n }), { maxLength: 3 }),
  }, { noNullPrototype: true });
  fc.assert(fc.property(value, (v) => assert.deepEqual(Sample.decode(Sample.encode(v)), v)));
});

Deno.test("decode() only ever throws ProtocolViolation, whatever the bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    try {
      Sample.decode(bytes);
    } catch (thrown) {
      assert.ok(thrown instanceof ProtocolViolation);
    }
  }));
});

Deno.test("decode() copies out: the body may be overwritten", () => {
  const body = hex(BYTES);
  const value = Sample.decode(body);
  body.fill(0xff);
  assert.deepEqual(value, VALUE);
});

Deno.test("flag is strictly 0 or 1, and a list keeps to its limit both ways", () => {
  const Flag = message("FLAG", { on: flag });
  assert.throws(() => Flag.decode(hex("02")), ProtocolViolation);
  const List = message("LIST", { items: listOf(u8, 2) });
  assert.throws(() => List.decode(hex("03010203")), ProtocolViolation);
  assert.throws(() => List.decode(hex("ffffffffffffffff")), ProtocolViolation);
  assert.throws(() => List.encode({ items: [1, 2, 3] }), RangeError);
});

Deno.test("optional tells absent from zero, and refuses what has no number behind it", () => {
  const Maybe = message("MAYBE", { at: optional });
  assert.equal(Maybe.encode({ at: undefined }).toHex(), "00");
  assert.equal(Maybe.encode({ at: 0 }).toHex(), "01");
  assert.throws(() => Maybe.encode({ at: Number.MAX_SAFE_INTEGER }), RangeError);
});

Deno.test("framed() puts type and length in front", () => {
  assert.equal(framed(hex("aabb")).toHex(), "02aabb");
  assert.equal(framed(hex("aabb"), 0x40).toHex(), "404002aabb");
  assert.equal(framed(new Uint8Array(64)).subarray(0, 2).toHex(), "4040");
});
