import assert from "node:assert/strict";
import { ladder } from "./quality_ladder.ts";

const linesOf = (width: number, height: number) =>
  ladder({ width, height, bitrate: 1_000_000 }).map(({ height }) => height);

Deno.test("ladder() offers what is captured and up to two smaller qualities", () => {
  assert.deepEqual(ladder({ width: 1920, height: 1080, bitrate: 5_000_000 }), [
    { width: 1920, height: 1080, bitrate: 5_000_000 },
    { width: 1280, height: 720, bitrate: 2_722_000 },
    { width: 640, height: 360, bitrate: 962_000 },
  ]);
  assert.deepEqual(linesOf(3840, 2160), [2160, 720, 360]);
  assert.deepEqual(linesOf(1280, 720), [720, 360, 180]);
  assert.deepEqual(linesOf(960, 540), [540, 360, 180]);
  assert.deepEqual(linesOf(640, 360), [360, 180]);
  assert.deepEqual(linesOf(320, 180), [180]);
});

Deno.test("ladder() keeps the shape of a picture that stands upright, and every side even", () => {
  const qualities = ladder({ width: 721, height: 1281, bitrate: 2_500_000 });
  assert.deepEqual(qualities.map(({ width, height }) => [width, height]), [
    [720, 1280],
    [360, 640],
    [180, 320],
  ]);
});
