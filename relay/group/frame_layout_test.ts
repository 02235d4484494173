import assert from "node:assert/strict";
import { isFrameBoundary } from "./frame_layout.ts";
import { FramePool } from "./frame_pool.ts";
import { Group } from "./group.ts";
import { GroupWriter } from "./group_writer.ts";

const LIMITS = { maxGroupBytes: 1 << 20 };

Deno.test("isFrameBoundary() is true at the ends of frames and nowhere else", () => {
  const group = Group.alone(new FramePool(), 0, 0);
  const writer = new GroupWriter(group, LIMITS);
  for (const size of [3, 0, 70]) writer.frame(0, new Uint8Array(size));
  const ends = Array.from({ length: group.bytes + 1 }, (_, i) => i)
    .filter((at) => isFrameBoundary(group, at));
  assert.deepEqual(ends, [0, 5, 7, 80]);
});
