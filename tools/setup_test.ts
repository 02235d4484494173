import assert from "node:assert/strict";
import { report } from "./setup.ts";

Deno.test("setup says where each program is, what is missing, and how to get it", () => {
  const needed = [
    { name: "ffmpeg", path: "/usr/bin/ffmpeg", hint: "" },
    { name: "chromium", hint: "chromium is not on PATH: apt-get install chromium" },
  ];
  const lines = report(needed, [{
    name: "moq",
    hint: "moq is not on PATH: cargo install moq-cli",
  }]);
  assert.ok(lines.includes("  ffmpeg           /usr/bin/ffmpeg"));
  assert.ok(lines.includes("  missing  chromium is not on PATH: apt-get install chromium"));
  assert.match(lines.at(-1)!, /^Missing: 1\./, "what only a few tests use is not counted");
  assert.match(report(needed.slice(0, 1), []).at(-1)!, /^Nothing that is needed is missing/);
});
