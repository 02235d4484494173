import assert from "node:assert/strict";
import { hex } from "../codec/hex.ts";
import { decodeLegacyFrame, encodeLegacyFrame } from "./legacy_frame.ts";

Deno.test("encodeLegacyFrame() holds the time of day in microseconds", () => {
  const frame = encodeLegacyFrame(1_800_000_000_000_000, Uint8Array.of(7));
  assert.equal(hex(frame), "c0066517289880" + "00" + "07");
});

Deno.test("decodeLegacyFrame() gives back what was written, and nothing of what is cut short", () => {
  for (const timestampUs of [0, 63, 64, 16_384, 2 ** 30, Number.MAX_SAFE_INTEGER]) {
    const frame = encodeLegacyFrame(timestampUs, Uint8Array.of(1, 2));
    assert.deepEqual(decodeLegacyFrame(frame), { timestampUs, data: frame.subarray(-2) });
    assert.equal(decodeLegacyFrame(frame.subarray(0, -2))?.data.length, 0);
    if (frame.length > 3) assert.equal(decodeLegacyFrame(frame.subarray(0, -3)), undefined);
  }
  assert.equal(decodeLegacyFrame(new Uint8Array()), undefined);
  assert.equal(decodeLegacyFrame(new Uint8Array(9).fill(0xff)), undefined, "beyond 2^53 - 1");
});
