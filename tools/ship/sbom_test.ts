import assert from "node:assert/strict";
import { readModules, ROOT } from "../module_graph.ts";
import { billOfMaterials, type Lock, shippedPackages } from "./sbom.ts";

Deno.test("billOfMaterials() follows dependencies, whichever way deno.lock names them", () => {
  const lock: Lock = {
    specifiers: { "npm:a@1.0.0": "1.0.0_peer@2.0.0", "npm:unused@9.0.0": "9.0.0" },
    npm: {
      "a@1.0.0_peer@2.0.0": { integrity: "sha512-AAEC", dependencies: ["@s/b", "c@2.0.0"] },
      "@s/b@3.0.0": { dependencies: ["a", "absent-here"] },
      "c@1.0.0": {},
      "c@2.0.0": {},
      "unused@9.0.0": {},
    },
  };
  const { components, dependencies } = billOfMaterials(lock, ["a"]);
  const refs = ["pkg:npm/%40s/b@3.0.0", "pkg:npm/a@1.0.0", "pkg:npm/c@2.0.0"];
  assert.deepEqual(components.map(({ purl }) => purl), refs);
  assert.deepEqual(components[1]!.hashes, [{ alg: "SHA-512", content: "000102" }]);
  assert.deepEqual(dependencies[0], { ref: "qumo-relay", dependsOn: [refs[1]] });
  assert.deepEqual(dependencies.find(({ ref }) => ref === refs[1])!.dependsOn, [refs[0], refs[2]]);
  assert.throws(() => billOfMaterials(lock, ["b"]), /does not know b/);
});

Deno.test("the bill of materials has what is imported by the program and its page, and no test's tools", async () => {
  const lock: Lock = JSON.parse(await Deno.readTextFile(`${ROOT}deno.lock`));
  const { components } = billOfMaterials(lock, shippedPackages(await readModules()));
  const names = new Set(components.map(({ name }) => name));
  for (const name of ["hono", "zod", "preact", "@moq/watch", "prom-client"]) {
    assert.ok(names.has(name), name);
  }
  for (const name of ["playwright-core", "fast-check"]) assert.ok(!names.has(name), name);
  assert.ok(components.every(({ hashes }) => hashes?.[0]?.content.length === 128));
});
