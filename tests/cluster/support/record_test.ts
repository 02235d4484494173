import assert from "node:assert/strict";
import { Record } from "./record.ts";

const GROUP_FRAMES = 3;

function filled(...frames: readonly (readonly [group: number, frame: number])[]): Record {
  const record = new Record();
  for (const [group, frame] of frames) {
    record.frame(group, { group, frame, last: frame === GROUP_FRAMES - 1 });
  }
  return record;
}

Deno.test("a record has nothing to say of groups that came whole, in any order of groups", () => {
  const record = filled([5, 0], [6, 0], [5, 1], [6, 1], [6, 2], [5, 2]);
  assert.deepEqual(record.problems(6), []);
  assert.equal(record.has(6), true);
  assert.equal(record.has(7), false);
});

Deno.test("a record names what is missing, cut off, repeated and out of place", () => {
  const record = filled([1, 0], [1, 1], [1, 2], [3, 0], [3, 0], [4, 1], [4, 2]);
  record.frame(9, { group: 4, frame: 3, last: true });
  assert.deepEqual(record.problems(4), [
    "frame 0 of group 3 came again",
    "frame 1 of group 4 came after 0 frames",
    "group 9 has a frame of group 4",
    "group 2 is missing",
    "group 3 ends after 1 frames",
  ]);
  assert.equal(record.has(4), false);
  assert.equal(record.has(1), true);
  assert.deepEqual(filled([1, 0], [2, 0], [2, 1], [2, 2]).problems(2, 1), []);
});

Deno.test("a record of nothing says so", () => {
  assert.deepEqual(new Record().problems(3), ["nothing came"]);
  assert.equal(new Record().has(0), false);
});
