import assert from "node:assert/strict";
import { EncoderLoad } from "./encoder_load.ts";

/** Windows in which the encoder was behind, at 30 frames per second. */
function behind(seconds: number, taken: (frame: number) => boolean): number {
  const load = new EncoderLoad();
  let count = 0;
  for (let i = 0; i < seconds * 30; i++) if (load.frame(taken(i), i * 33_333)) count++;
  return count;
}

Deno.test("EncoderLoad tells of an encoder that leaves out more than three frames of ten", () => {
  assert.equal(behind(13, () => true), 0);
  assert.equal(behind(13, (i) => i % 4 !== 0), 0, "one of four");
  assert.equal(behind(13, (i) => i % 2 !== 0), 3, "one of two");
});

Deno.test("EncoderLoad forgives a hiccup, and a source that hardly gives anything", () => {
  assert.equal(behind(13, (i) => i < 60 || i > 85), 0);
  const load = new EncoderLoad();
  for (let second = 0; second < 20; second++) {
    assert.equal(load.frame(false, second * 1_000_000), false);
  }
});
