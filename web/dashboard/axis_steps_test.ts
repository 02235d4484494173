import assert from "node:assert/strict";
import { Y_STEPS } from "./axis_steps.ts";
import { bitRate, millis } from "../parts/format.ts";

Deno.test("no two ticks of a graph bear the same text, from an idle relay to a full one", () => {
  const [heightPx, spacePx] = [120, 34];
  for (let max = 1; max < 1e12; max *= 1.13) {
    const step = Y_STEPS.find((step) => step / max * heightPx >= spacePx)!;
    const ticks = Array.from({ length: Math.floor(max / step) + 1 }, (_, i) => i * step);
    for (const format of [bitRate, millis, String]) {
      // Hours of latency are no figure of ours.
      if (format === millis && max > 1e7) continue;
      const texts = ticks.map(format);
      assert.equal(new Set(texts).size, texts.length, texts.join(", "));
    }
  }
});
