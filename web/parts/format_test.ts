import assert from "node:assert/strict";
import { age, bitRate, bytes, codecName, millis } from "./format.ts";

Deno.test("rates and sizes have three digits and a unit", () => {
  assert.deepEqual([0, 950, 999.9, 2_400_000, 12_340_000, 123_400_000].map(bitRate), [
    ...["0 bit/s", "950 bit/s", "1.00 kbit/s", "2.40 Mbit/s", "12.3 Mbit/s", "123 Mbit/s"],
  ]);
  assert.deepEqual([1, 1500, 2e9, 3e12, 4e15].map(bytes), [
    ...["1 B", "1.50 kB", "2.00 GB", "3.00 TB", "4000 TB"],
  ]);
});

Deno.test("times are told in the units people use", () => {
  assert.deepEqual([12, 999, 2500].map(millis), ["12 ms", "999 ms", "2.5 s"]);
  assert.deepEqual([-1, 12_000, 300_000, 12_000_000, 187_200_000].map(age), [
    ...["0 s", "12 s", "5 min", "3 h 20 min", "2 d 4 h"],
  ]);
});

Deno.test("a codec is called by its name where it has one", () => {
  assert.deepEqual(["avc1.42e01f", "mp4a.40.2", "flac"].map(codecName), ["H.264", "AAC", "flac"]);
});
