import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolViolation } from "../errors.ts";
import {
  decodeProperties,
  encodeProperties,
  isMandatoryProperty,
  MAX_PAIRS,
  type Pair,
} from "./pairs.ts";
import { profileOf, PROFILES } from "./profile.ts";

const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));
const cfg = new TextEncoder().encode("cfg");
const pairs: Pair[] = [{ type: 0x0d, value: cfg }, { type: 0x10, value: 12_345 }];

Deno.test("the same pairs are three lists of bytes: absolute, with differences, in the other varints", () => {
  assert.equal(encodeProperties(pairs, profileOf(14)).toHex(), "0d036366671070" + "39");
  assert.equal(encodeProperties(pairs, profileOf(16)).toHex(), "0d03636667037039");
  assert.equal(encodeProperties(pairs, profileOf(18)).toHex(), "0d0363666703b039");
  for (const profile of PROFILES) {
    assert.deepEqual(decodeProperties(encodeProperties(pairs, profile), profile), pairs);
  }
});

Deno.test("absolute types stand in any order, differences need an ascending one", () => {
  const turned = [...pairs].reverse();
  const bytes = encodeProperties(turned, profileOf(15));
  assert.deepEqual(decodeProperties(bytes, profileOf(15)), turned);
  assert.throws(() => encodeProperties(turned, profileOf(16)), RangeError);
});

Deno.test("a difference of 0 repeats the type; only its user knows whether that may be", () => {
  const twice = decodeProperties(hex("1001 0002"), profileOf(18));
  assert.deepEqual(twice, [{ type: 0x10, value: 1 }, { type: 0x10, value: 2 }]);
});

Deno.test("types and values have all their bits", () => {
  const large: Pair[] = [
    { type: 2n ** 60n, value: 2n ** 61n },
    { type: 2n ** 60n + 1n, value: cfg },
    { type: 2n ** 62n - 2n, value: 7 },
  ];
  for (const profile of PROFILES) {
    assert.deepEqual(decodeProperties(encodeProperties(large, profile), profile), large);
  }
});

Deno.test("a type above the largest integer, too long a value and too many pairs are refused", () => {
  const profile = profileOf(18);
  assert.throws(() => decodeProperties(hex("02 00 ffffffffffffffffff"), profile), /type above/);
  assert.throws(() => decodeProperties(hex("01 c10000"), profile), /a value of 65536 bytes/);
  const many = new Uint8Array(2 * (MAX_PAIRS + 1));
  assert.throws(() => decodeProperties(many, profile), ProtocolViolation);
  assert.equal(decodeProperties(many.subarray(2), profile).length, MAX_PAIRS);
  assert.throws(() => encodeProperties([{ type: 1, value: 1 }], profile), RangeError);
  assert.throws(() => encodeProperties([{ type: 2, value: cfg }], profile), RangeError);
});

Deno.test("decodeProperties() only ever throws ProtocolViolation, whatever the bytes", () => {
  for (const profile of PROFILES) {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
      try {
        decodeProperties(bytes, profile);
      } catch (e) {
        assert.ok(e instanceof ProtocolViolation, String(e));
      }
    }));
  }
});

Deno.test("a relay has to know properties of 0x4000 to 0x7fff", () => {
  assert.deepEqual([0x3fff, 0x4000, 0x7fff, 0x8000].map(isMandatoryProperty), [
    false,
    true,
    true,
    false,
  ]);
});
