import assert from "node:assert/strict";
import { parseSamples, total } from "./prometheus_text.ts";

const TEXT = `# HELP qumo_sessions Sessions open now.
# TYPE qumo_sessions gauge
qumo_sessions{transport="quic",version="moq-lite-05"} 2
qumo_sessions{transport="webtransport",version="moq-lite-05"} 3

qumo_odd{a="x\\"y\\\\z\\n"} 1.5e3 1700000000
qumo_limit +Inf
not a metric {
`;

Deno.test("parseSamples() reads names, labels and values, and passes over the rest", () => {
  assert.deepEqual(parseSamples(TEXT).slice(2), [
    { name: "qumo_odd", labels: { a: 'x"y\\z\n' }, value: 1500 },
    { name: "qumo_limit", labels: {}, value: Infinity },
  ]);
});

Deno.test("total() sums over the labels that were not asked for", () => {
  const samples = parseSamples(TEXT);
  assert.equal(total(samples, "qumo_sessions"), 5);
  assert.equal(total(samples, "qumo_sessions", { transport: "quic" }), 2);
  assert.equal(total(samples, "qumo_absent"), undefined);
});
