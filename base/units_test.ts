import assert from "node:assert/strict";
import fc from "fast-check";
import { formatDuration, formatSize, parseDurationMs, parseSizeBytes } from "./units.ts";

Deno.test("parseDurationMs() reads every unit and a fraction", () => {
  const cases = { "500ms": 500, "10s": 10_000, "2m": 120_000, "1h": 3_600_000, "1.5s": 1_500 };
  for (const [text, ms] of Object.entries(cases)) assert.equal(parseDurationMs(text), ms, text);
});

Deno.test("parseDurationMs() refuses what has no unit, a sign, words or too many digits", () => {
  for (const text of ["", "10", "-1s", "5 sec", "s", "1d", "1s2m", "1e3s", "9".repeat(20) + "h"]) {
    assert.equal(parseDurationMs(text), undefined, text);
  }
});

Deno.test("parseSizeBytes() reads plain bytes and binary units in any case", () => {
  const cases = { "1500": 1500, "4KB": 4096, "4k": 4096, "4KiB": 4096, "32MB": 33_554_432 };
  for (const [text, bytes] of Object.entries(cases)) {
    assert.equal(parseSizeBytes(text), bytes, text);
  }
  assert.equal(parseSizeBytes("1.5MB"), 1_572_864);
  assert.equal(parseSizeBytes("1 GB"), 1_073_741_824);
});

Deno.test("parseSizeBytes() refuses what is no size", () => {
  for (const text of ["", "KB", "-1", "1.5", "4 bytes", "1TB", "0x10", "9".repeat(20)]) {
    assert.equal(parseSizeBytes(text), undefined, text);
  }
});

Deno.test("formatDuration() and formatSize() write what their parsers read back", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (n) => {
    assert.equal(parseDurationMs(formatDuration(n)), n);
    assert.equal(parseSizeBytes(formatSize(n)), n);
  }));
});
