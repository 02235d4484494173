import assert from "node:assert/strict";
import {
  CatalogRefused,
  isRenditionName,
  MAX_CATALOG_BYTES,
  parseCatalog,
} from "./catalog_json.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const nested = (levels: number) => bytes('{"a":'.repeat(levels) + "1" + "}".repeat(levels));

Deno.test("parseCatalog() refuses what is too deep, too large, or no JSON", () => {
  assert.deepEqual(parseCatalog(bytes('{"a":["}",1]}')), { a: ["}", 1] });
  assert.doesNotThrow(() => parseCatalog(nested(16)));
  assert.doesNotThrow(() => parseCatalog(bytes(JSON.stringify({ a: '\\"[[[['.repeat(100) }))));
  assert.throws(() => parseCatalog(nested(17)), /more than 16 levels/);
  assert.throws(() => parseCatalog(nested(40_000)), CatalogRefused);
  assert.throws(() => parseCatalog(bytes(`"${"x".repeat(MAX_CATALOG_BYTES)}"`)), /bytes long/);
  assert.throws(() => parseCatalog(bytes("{")), CatalogRefused);
  assert.throws(() => parseCatalog(bytes("]".repeat(100) + "[".repeat(90))), CatalogRefused);
});

Deno.test("isRenditionName() refuses the catalogs themselves, and what no track can be called", () => {
  for (const name of ["video0", "a/b", "界".repeat(341), "../..", "constructor"]) {
    assert.ok(isRenditionName(name), name);
  }
  for (
    const name of ["", "catalog.json", "catalog", "__proto__", "\ud800", "界".repeat(342)]
  ) assert.ok(!isRenditionName(name), name);
});
