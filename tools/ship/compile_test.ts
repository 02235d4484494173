import assert from "node:assert/strict";
import { lacksBaseBinary } from "./compile.ts";

Deno.test("lacksBaseBinary() knows the failed download from other failures", () => {
  const download =
    "error: Writing deno compile executable\n\nCaused by:\n    0: Setting up base binary.";
  assert.equal(lacksBaseBinary(download), true);
  assert.equal(lacksBaseBinary("error: Module not found main.ts"), false);
});
