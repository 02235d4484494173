import assert from "node:assert/strict";
import { parseDurationMs } from "../../base/units.ts";
import { draw, parseRange, plainNumber, printRange, randomOf } from "./range.ts";

Deno.test("parseRange() takes one number or two, and nothing else", () => {
  assert.deepEqual(parseRange("30"), { min: 30, max: 30 });
  assert.deepEqual(parseRange("10:30"), { min: 10, max: 30 });
  assert.deepEqual(parseRange("0.5:2", plainNumber), { min: 0.5, max: 2 });
  assert.deepEqual(parseRange("1s:2m", parseDurationMs), { min: 1000, max: 120_000 });
  for (const text of ["", ":", "1:", ":1", "2:1", "1:2:3", "-1", "1.5", "x", "1e3", "9999999999"]) {
    assert.equal(parseRange(text), undefined, text);
  }
});

Deno.test("printRange() writes what parseRange() read", () => {
  for (const text of ["7", "7:9"]) assert.equal(printRange(parseRange(text)!), text);
});

Deno.test("draw() reaches both ends and never leaves the range", () => {
  const random = randomOf(1);
  const drawn = new Set(Array.from({ length: 500 }, () => draw({ min: 3, max: 6 }, random)));
  assert.deepEqual([...drawn].toSorted(), [3, 4, 5, 6]);
});

Deno.test("randomOf() draws the same again with the same seed", () => {
  const [one, two] = [randomOf(42), randomOf(42)];
  for (let i = 0; i < 10; i++) assert.equal(one(), two());
  assert.notEqual(randomOf(1)(), randomOf(2)());
});
