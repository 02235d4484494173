import assert from "node:assert/strict";
import { bundleFor, CONNECT_LIMIT_BYTES, needsOfDeno, sizeOf } from "./bundle_client.ts";

Deno.test("what a page loads for connect() stays below its limit and below @moq/net", async () => {
  const { gzipBytes } = sizeOf(await bundleFor("connect"));
  assert.ok(gzipBytes <= CONNECT_LIMIT_BYTES, `${gzipBytes} bytes, see deno task bundle:client`);
  const yardstick = sizeOf(await bundleFor("yardstick"));
  assert.ok(gzipBytes < yardstick.gzipBytes, `${gzipBytes} of ${yardstick.gzipBytes} bytes`);
});

Deno.test("a bundle of the library for browsers reaches nothing of Deno's or Node's", async () => {
  assert.deepEqual(needsOfDeno(await bundleFor("library")), []);
});

Deno.test("needsOfDeno() finds globals, built-in modules and static imports", () => {
  const script =
    'import{a}from"./a.js";let b=Deno.cwd();c=()=>import("node:fs");import("./lazy.ts")';
  assert.deepEqual(needsOfDeno(script), ["Deno.cwd", 'import("node:fs', 'import{a}from"./a.js"']);
});
