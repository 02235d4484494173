import assert from "node:assert/strict";
import { DIALECTS } from "./lite/dialect.ts";
import { alpnsOf, VERSIONS, versionsOf } from "./versions.ts";

Deno.test("each version has its dialect, in the same order", () => {
  assert.deepEqual(DIALECTS.map(({ name }) => name), VERSIONS);
});

Deno.test("alpnsOf() offers the newest first and the legacy name once", () => {
  assert.deepEqual(alpnsOf(VERSIONS), [
    "moq-lite-06",
    "moq-lite-05",
    "moq-lite-04",
    "moq-lite-03",
    "moql",
  ]);
});

Deno.test("versionsOf() takes known names in any order and says which one it does not know", () => {
  assert.deepEqual(versionsOf(["moq-lite-03", "moq-lite-06"]), ["moq-lite-03", "moq-lite-06"]);
  for (const name of ["moq-lite-07", "toString", ""]) {
    assert.throws(
      () => versionsOf(["moq-lite-06", name]),
      (error: Error) => error instanceof RangeError && error.message.includes(`"${name}"`),
    );
  }
});
