import assert from "node:assert/strict";
import { z } from "zod";
import { faultsOf } from "./faults.ts";
import { eitherOf, time } from "./kinds.ts";

const messages = (value: unknown, shape: z.ZodType) =>
  faultsOf(value, shape).map(({ path, message }) => `${path}: ${message}`);

Deno.test("faultsOf() names every member that is wrong, missing or unknown", () => {
  const shape = z.strictObject({
    name: z.string().min(1).max(3),
    since: time(""),
    size: z.int().min(1).max(5).nullable(),
  });
  assert.deepEqual(messages({ name: "a", since: "2030-01-31T12:00:00Z", size: null }, shape), []);
  assert.deepEqual(messages({ name: "", since: "2030-02-31", size: 6, more: 1 }, shape), [
    "name: expected 1 to 3 characters",
    "since: expected a time like 2030-01-31T12:00:00Z",
    "size: expected a number from 1 to 5",
    "more: unknown key",
  ]);
  assert.deepEqual(messages({}, shape), [
    "name: is missing",
    "since: is missing",
    "size: is missing",
  ]);
  for (const wrong of [null, [], "x", 5]) {
    assert.deepEqual(messages(wrong, shape), [": expected an object"]);
  }
  assert.deepEqual(messages({ ...JSON.parse('{"__proto__": 1}') }, shape).length, 4);
});

Deno.test("faultsOf() takes exactly one of several choices, and values of a list", () => {
  const either = eitherOf(["a", "b"], { a: z.int().optional(), b: z.int().optional() });
  assert.deepEqual(messages({ a: 1 }, either), []);
  assert.deepEqual(messages({ a: 1, b: 1 }, either), [": give one of a, b"]);
  assert.deepEqual(messages({}, either), [": give one of a, b"]);
  assert.deepEqual(messages({ c: 1 }, either), ["c: unknown key", ": give one of a, b"]);
  assert.deepEqual(messages([], either), [": expected an object"]);
  assert.deepEqual(messages("loud", z.enum(["low", "high"])), [": expected one of low, high"]);
  for (const wrong of [1.5, "1", 2 ** 53, null]) {
    assert.deepEqual(messages(wrong, z.int().max(9)), [": expected a whole number"]);
  }
});
