import assert from "node:assert/strict";
import { buildWeb, WEB_DIR } from "../../web/build/web_build.ts";
import { toFileUrl } from "../file_url.ts";
import { ROOT } from "../module_graph.ts";
import { builtSizes, importsOf, partSizes, tooLarge } from "./web_sizes.ts";

Deno.test("partSizes() counts what a part fetches beyond the page", async () => {
  const sizes = await partSizes(
    new Map([
      ["page.js", 'import{a}from"./chunk-AAAAAAAA.js";import("./view-BBBBBBBB.js")'],
      ["chunk-AAAAAAAA.js", "export const a=1;"],
      ["view-BBBBBBBB.js", 'import{a}from"./chunk-AAAAAAAA.js";import"./chunk-CCCCCCCC.js";'],
      ["chunk-CCCCCCCC.js", "export const c=1;"],
    ]),
  );
  const bytes = sizes.map(({ name, bytes }) => [name, bytes]);
  assert.deepEqual(bytes, [["page", 63 + 17], ["view", 63 + 17]]);
  assert.ok(sizes.every(({ gzipBytes }) => gzipBytes > 0));
});

Deno.test("importsOf() finds static imports alone", () => {
  const source = 'import{a as b}from"./x.js";import"./y.js";export{c}from"./z.js";import("./w.js")';
  assert.deepEqual(importsOf(source), ["x.js", "y.js", "z.js"]);
});

Deno.test("what a page elsewhere loads for <qumo-watch> stays within its limit, and less does not", async () => {
  await buildWeb(toFileUrl(ROOT));
  const sizes = await builtSizes(`${ROOT}${WEB_DIR}/assets/`);
  assert.ok(sizes.some(({ name, gzipBytes }) => name === "embed" && gzipBytes > 50_000));
  assert.deepEqual(tooLarge(sizes), []);
  assert.equal(tooLarge(sizes, 50_000).length, 1);
});
