import assert from "node:assert/strict";
import { pluginKit } from "../../plugins/kit.ts";
import { MemoryRelay, runPlugin } from "../../tests/support/plugin_run.ts";
import make from "./ingress.ts";

const { create, options } = make(pluginKit);

Deno.test("template publishes its line until it is ended", async () => {
  await using at = new MemoryRelay();
  const run = await runPlugin(create(), at, { line: "good morning", every: "10ms" });
  await using viewer = await at.client();
  using lines = viewer.subscribe("template", "lines");
  const group = await lines.group();
  assert.equal(new TextDecoder().decode((await group!.frame())!.payload), "good morning");
  await run.end();
  assert.ok(run.ctx.stats.framesOut > 0);
});

Deno.test("template says which of its options is wrong", () => {
  assert.throws(() => options.read({ every: "1ms" }), /every: expected a duration from 10ms/);
});
