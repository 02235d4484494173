import assert from "node:assert/strict";
import { pluginKit } from "../../plugins/kit.ts";
import { MemoryRelay, runPlugin } from "../../tests/support/plugin_run.ts";
import make from "./transform.ts";

const { create, options } = make(pluginKit);

Deno.test("template publishes what it reads in capitals", async () => {
  await using at = new MemoryRelay();
  await using publisher = await at.client();
  publisher.publish("cam").track("lines").write("good morning");
  const run = await runPlugin(create(), at, {});
  await using viewer = await at.client();
  using lines = viewer.subscribe("template", "lines");
  const group = await lines.group();
  assert.equal(new TextDecoder().decode((await group!.frame())!.payload), "GOOD MORNING");
  await run.end();
});

Deno.test("template refuses to publish under the name that it reads", () => {
  assert.throws(() => options.read({ output: "cam" }), /output: expected another name/);
});
