import assert from "node:assert/strict";
import fc from "fast-check";
import { OBJECT_LAYOUTS, properties } from "../../tests/support/fixtures/bridge.ts";
import { ProtocolViolation } from "../../wire/errors.ts";
import { decodeProperties, encodeProperties, type Pair } from "../../wire/ietf/pairs.ts";
import { type ObjectLayout, profileFor } from "./layouts.ts";
import { PropertyConverter } from "./properties.ts";

function converted(pairs: readonly Pair[], from: ObjectLayout, to: ObjectLayout): Pair[] {
  const [a, b] = [profileFor(from), profileFor(to)];
  const bytes = encodeProperties(pairs, a).slice();
  return decodeProperties(new PropertyConverter(a, b).convert(bytes).slice(), b);
}

Deno.test("properties are the same in every layout", () => {
  fc.assert(
    fc.property(
      properties,
      fc.constantFrom(...OBJECT_LAYOUTS),
      fc.constantFrom(...OBJECT_LAYOUTS),
      (pairs, from, to) => assert.deepEqual(converted(pairs, from, to), pairs),
    ),
    { numRuns: 500 },
  );
});

Deno.test("types that do not ascend are put in order where they have to be", () => {
  const pairs = [{ type: 8, value: 1 }, { type: 3, value: Uint8Array.of(9) }, {
    type: 2,
    value: 4,
  }];
  assert.deepEqual(converted(pairs, "objects14", "objects16"), [...pairs].reverse());
});

Deno.test("properties in properties are converted too; what are none are passed on", () => {
  const inner = [{ type: 6, value: 300 }, { type: 8, value: 90_000 }];
  for (const [from, to] of [["objects14", "objects18"], ["objects18", "objects16"]] as const) {
    const value = encodeProperties(inner, profileFor(from)).slice();
    const [pair] = converted([{ type: 0x0b, value }], from, to);
    assert.deepEqual(decodeProperties(pair!.value as Uint8Array, profileFor(to)), inner);
    const odd = [{ type: 0x0b, value: Uint8Array.of(1, 200) }];
    assert.deepEqual(converted(odd, from, to), odd);
  }
});

Deno.test("properties in properties in properties are bytes: no depth costs more than the first", () => {
  const wrap = (value: Uint8Array) =>
    encodeProperties([{ type: 0x0b, value }], profileFor("objects14"));
  const innermost = encodeProperties(
    [{ type: 3, value: Uint8Array.of(1) }, { type: 2, value: 1 }],
    profileFor("objects14"),
  );
  const second = wrap(innermost.slice()).slice();
  const [outer] = converted([{ type: 0x0b, value: second }], "objects14", "objects16");
  const [inner] = decodeProperties(outer!.value as Uint8Array, profileFor("objects16"));
  assert.deepEqual(inner!.value, innermost.slice());
});

Deno.test("a number that the other layout cannot write is left out", () => {
  const pairs = [{ type: 2, value: 2n ** 64n - 1n }, { type: 4, value: 5 }];
  assert.deepEqual(converted(pairs, "objects18", "objects16"), [pairs[1]]);
});

Deno.test("PropertyConverter only ever throws ProtocolViolation, whatever the bytes", () => {
  const layouts = fc.constantFrom(...OBJECT_LAYOUTS);
  fc.assert(
    fc.property(layouts, layouts, fc.uint8Array({ maxLength: 40 }), (from, to, bytes) => {
      try {
        new PropertyConverter(profileFor(from), profileFor(to)).convert(bytes);
      } catch (e) {
        assert.ok(e instanceof ProtocolViolation, String(e));
      }
    }),
    { numRuns: 1000 },
  );
});
