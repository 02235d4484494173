import assert from "node:assert/strict";
import { CATALOG } from "../../metrics/catalog.ts";
import { metricsMarkdown } from "./metrics_doc.ts";

Deno.test("docs/metrics.md is what the catalogue renders", async () => {
  const written = await Deno.readTextFile(new URL("../../docs/metrics.md", import.meta.url));
  assert.equal(written.replaceAll("\r\n", "\n"), metricsMarkdown(), "run `deno task docs`");
});

Deno.test("metricsMarkdown() has one row for each metric, with its help", () => {
  const rows = metricsMarkdown().split("\n").filter((line) => line.startsWith("| `qumo_"));
  const metrics = CATALOG.flatMap((section) => section.metrics);
  assert.equal(rows.length, metrics.length);
  for (const [i, { name, help }] of metrics.entries()) {
    assert.ok(rows[i]!.startsWith(`| \`${name}\``) && rows[i]!.includes(help), name);
  }
});
