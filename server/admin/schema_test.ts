import assert from "node:assert/strict";
import { faultsOf, object, orNull, type Schema, text, time } from "./schema.ts";

const messages = (value: unknown, schema: Schema) =>
  faultsOf(value, schema).map(({ path, message }) => `${path}: ${message}`);

Deno.test("faultsOf() names every member that is wrong, missing or unknown", () => {
  const schema = object<{ name: string; since: string; size: number | null }>({
    name: text("", { minLength: 1, maxLength: 3 }),
    since: time(""),
    size: orNull({ type: "integer", minimum: 1, maximum: 5 }),
  });
  assert.deepEqual(messages({ name: "a", since: "2030-01-31T12:00:00Z", size: null }, schema), []);
  assert.deepEqual(messages({ name: "", since: "2030-02-31", size: 6, more: 1 }, schema), [
    "name: expected 1 to 3 characters",
    "since: expected a time like 2030-01-31T12:00:00Z",
    "size: expected a number from 1 to 5",
    "more: unknown key",
  ]);
  assert.deepEqual(messages({}, schema), [
    "name: is missing",
    "since: is missing",
    "size: is missing",
  ]);
  for (const wrong of [null, [], "x", 5]) {
    assert.deepEqual(messages(wrong, schema), [": expected an object"]);
  }
  assert.deepEqual(messages({ ...JSON.parse('{"__proto__": 1}') }, schema).length, 4);
});

Deno.test("faultsOf() takes exactly one of several choices, and values of a list", () => {
  const either: Schema = { type: "object", oneOf: [{ required: ["a"] }, { required: ["b"] }] };
  assert.deepEqual(messages({ a: 1 }, either), []);
  assert.deepEqual(messages({ a: 1, b: 1 }, either), [": give one of a, b"]);
  assert.deepEqual(messages({}, either), [": give one of a, b"]);
  assert.deepEqual(messages("loud", { enum: ["low", "high"] }), [": expected one of low, high"]);
  assert.deepEqual(messages(1.5, { type: "integer" }), [": expected a whole number"]);
});
