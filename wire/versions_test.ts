import assert from "node:assert/strict";
import { DIALECTS } from "./lite/dialect.ts";
import { PROFILES } from "./ietf/profile.ts";
import { alpnOf, alpnsOf, IETF_VERSIONS, LITE_VERSIONS, VERSIONS, versionsOf } from "./versions.ts";

Deno.test("each version has its dialect, in the same order", () => {
  assert.deepEqual(DIALECTS.map(({ name }) => name), LITE_VERSIONS);
});

Deno.test("each draft of moq-transport has its profile, under the same names", () => {
  const names = PROFILES.map(({ name, alpn }) => [name, alpn]).toSorted();
  assert.deepEqual(IETF_VERSIONS.map((name) => [name, alpnOf(name)]).toSorted(), names);
});

Deno.test("alpnsOf() offers moq-lite first, then the drafts that most peers speak, and the legacy name once", () => {
  assert.deepEqual(alpnsOf(VERSIONS), [
    "moq-lite-06",
    "moq-lite-05",
    "moq-lite-04",
    "moq-lite-03",
    "moql",
    "moqt-18",
    "moqt-16",
    "moqt-22",
    "moqt-20",
    "moqt-19",
    "moqt-21",
    "moqt-17",
    "moqt-15",
    "moq-00",
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
