import assert from "node:assert/strict";
import { svgOf } from "./graph.ts";

Deno.test("svgOf() draws each series from the left edge to the right one, on an axis from 0", () => {
  const svg = svgOf({
    title: "two lines",
    unit: "MB",
    minutes: 15,
    series: [
      { name: "a", color: "#111", values: [0, 50, 100] },
      { name: "b", color: "#222", values: [100, 100, 100] },
    ],
  });
  assert.match(svg, /stroke="#111"[^>]*points="50,270 420,155 790,40"/);
  assert.match(svg, /stroke="#222"[^>]*points="50,40 420,40 790,40"/);
  assert.match(svg, />15 min</);
});
