import assert from "node:assert/strict";
import { areaOf, TestProgress } from "./test_progress.ts";

const OUTPUT = `Check file:///x
running 2 tests from ./wire/varint_test.ts
a varint is read ... ok (1ms)
  a step of it ... ok (0ms)
a varint is cut ... ok (1ms)
running 1 test from ./wire/path_test.ts
a path is normal ... ignored (0ms)
running 1 test from ./tests/browser/page_test.ts
the page ... FAILED (3s)

 ERRORS 

the page => ./tests/browser/page_test.ts:1:1
it said 7 of ... ok (1ms)
FAILED | 2 passed (1 step) | 1 failed | 1 ignored (4s)`;

function told(brief: boolean, areas?: number): string[] {
  let nowMs = 0;
  const progress = new TestProgress({
    brief,
    now: () => nowMs += 1000,
    ...(areas === undefined ? {} : { areas }),
  });
  return OUTPUT.split("\n").flatMap((line) => progress.take(line));
}

Deno.test("areaOf() is the folder of a unit test, and the subject of one across folders", () => {
  assert.equal(areaOf("media/mp4/fragment_muxer_test.ts"), "media");
  assert.equal(areaOf("tests/browser/page_test.ts"), "tests/browser");
});

Deno.test("the progress says which area runs and how many passed; errors and summary stay as they are", () => {
  assert.deepEqual(told(true, 2), [
    "Check file:///x",
    "[1/2] wire …",
    "wire: 2 passed, 1 ignored, 1 s; 2 so far",
    "[2/2] tests/browser …",
    "the page ... FAILED (3s)",
    "tests/browser: 0 passed, 1 failed, 1 s; 2 so far",
    ...OUTPUT.split("\n").slice(-5),
  ]);
});

Deno.test("a log gets every line of the tests besides", () => {
  const lines = told(false);
  for (const line of OUTPUT.split("\n")) assert.ok(lines.includes(line), line);
  assert.equal(lines.length, OUTPUT.split("\n").length + 4);
});

Deno.test("of tests side by side each area is named once, when it begins", () => {
  const progress = new TestProgress({ brief: true, areas: 2, now: () => 0 });
  const lines = [
    "./wire/a_test.ts => one ... ok (1ms)",
    "./relay/b_test.ts => two ... ok (1ms)",
    "./wire/a_test.ts => three ... ok (1ms)",
    "ok | 3 passed | 0 failed (1s)",
  ];
  assert.deepEqual(lines.flatMap((line) => progress.take(line)), [
    "[1/2] wire …",
    "[2/2] relay …",
    lines.at(-1),
  ]);
});
