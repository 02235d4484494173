import assert from "node:assert/strict";
import { outdated } from "./generate_docs.ts";

Deno.test("every generated document says what the program says", async () => {
  const stale = await outdated();
  assert.deepEqual(stale.map((document) => document.path), [], "run `deno task docs`");
});
