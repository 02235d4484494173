import assert from "node:assert/strict";
import { FrameTimes } from "./frame_times.ts";

Deno.test("FrameTimes gives a rounded time back as it was, whatever the order frames came in", () => {
  const times = new FrameTimes();
  for (const [i, timestampUs] of [0, 100_000, 33_333, 66_667].entries()) times.add(timestampUs, i);
  assert.deepEqual(times.find(33_344), { timestampUs: 33_333, atMs: 2 });
  assert.deepEqual(times.find(66_660), { timestampUs: 66_667, atMs: 3 });
  assert.deepEqual(times.find(0), { timestampUs: 0, atMs: 0 });
});

Deno.test("FrameTimes leaves a time that no frame had, with the arrival of the frame before", () => {
  const times = new FrameTimes();
  times.add(0, 5);
  times.add(33_333, 6);
  assert.deepEqual(times.find(20_000), { timestampUs: 20_000, atMs: 5 });
  assert.equal(times.find(-50_000), undefined);
});

Deno.test("FrameTimes is bounded", () => {
  const times = new FrameTimes();
  for (let i = 0; i < 10_000; i++) times.add(i * 33_333, i);
  assert.equal(times.find(0), undefined);
  assert.equal(times.find(9_999 * 33_333)!.atMs, 9_999);
});
