import assert from "node:assert/strict";
import type { CarriedFrame } from "./carry.ts";
import { Hold } from "./hold.ts";

function setUp(encoded: string[]) {
  const given: number[] = [];
  const hold = new Hold(encoded, (_, { timestampUs }) => given.push(timestampUs));
  const add = (timestampUs: number, nowMs: number) =>
    hold.add("audio0", { timestampUs } as CarriedFrame, nowMs);
  return { hold, given, add };
}

Deno.test("Hold gives sound when the slowest picture of its time is there", () => {
  const { hold, given, add } = setUp(["high", "low"]);
  for (const us of [0, 20, 40, 60]) add(us, 0);
  hold.shown("high", 60, 10);
  assert.deepEqual(given, []);
  hold.shown("low", 30, 20);
  assert.deepEqual(given, [0, 20]);
  hold.flush();
  assert.deepEqual(given, [0, 20, 40, 60]);
});

Deno.test("Hold waits half a second for a picture, no longer", () => {
  const { given, add } = setUp(["high"]);
  add(0, 0);
  add(400, 400);
  assert.deepEqual(given, []);
  add(500, 500);
  assert.deepEqual(given, [0]);
});
