import assert from "node:assert/strict";
import { pageUrl } from "./page_url.ts";

Deno.test("pageUrl() is on localhost wherever the server listens for this machine", () => {
  assert.equal(pageUrl({ hostname: "::", port: 4433 }), "http://localhost:4433/");
  assert.equal(pageUrl({ hostname: "127.0.0.1", port: 1 }), "http://localhost:1/");
  assert.equal(pageUrl({ hostname: "10.0.0.7", port: 2 }), "http://10.0.0.7:2/");
});
