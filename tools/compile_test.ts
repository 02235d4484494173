import assert from "node:assert/strict";
import { filesToInclude, lacksBaseBinary } from "./compile.ts";

Deno.test("filesToInclude() finds workers and data of what the entry reaches, and no more", () => {
  const at = (path: string, files: readonly string[], urls: readonly string[] = []) => (
    { path, files, urls, source: "", packages: [] }
  );
  const modules = [
    at("main.ts", ["server/a.ts"]),
    at("server/a.ts", ["server/worker.ts", "main.ts"], ["server/worker.ts"]),
    at("server/worker.ts", [], ["web/page.html"]),
    at("tools/x.ts", [], ["tools/x.txt"]),
  ];
  assert.deepEqual(filesToInclude(modules, "main.ts"), ["server/worker.ts", "web/page.html"]);
});

Deno.test("lacksBaseBinary() knows the failed download from other failures", () => {
  const download =
    "error: Writing deno compile executable\n\nCaused by:\n    0: Setting up base binary.";
  assert.equal(lacksBaseBinary(download), true);
  assert.equal(lacksBaseBinary("error: Module not found main.ts"), false);
});
