import assert from "node:assert/strict";
import manifest from "../deno.json" with { type: "json" };
import { VERSION } from "./version.ts";

Deno.test("VERSION is the version of deno.json", () => {
  assert.equal(VERSION, manifest.version);
});
