/** The benchmarks of `deno task bench`: that each of them runs. What they measure is for quiet machines. */
import assert from "node:assert/strict";
import { codeFiles } from "../../tools/module_graph.ts";
import { start } from "../support/program.ts";
import { fromFileUrl } from "../../tools/file_url.ts";

Deno.test("every benchmark runs once without throwing", async () => {
  const script = fromFileUrl(new URL("../../tools/bench_once.ts", import.meta.url));
  await using program = start([], { script });
  assert.equal(await program.ended(), 0, program.output());
  for (const file of (await codeFiles()).filter((path) => path.endsWith("_bench.ts"))) {
    assert.match(program.output(), new RegExp(`^${file}: [1-9]\\d* ran$`, "m"));
  }
});
