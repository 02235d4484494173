import assert from "node:assert/strict";
import { pageUrl } from "./page_url.ts";

Deno.test("pageUrl() names the address that was bound, by a scheme that has WebTransport there", () => {
  assert.equal(pageUrl({ hostname: "::", port: 4433 }), "http://localhost:4433/");
  assert.equal(pageUrl({ hostname: "0.0.0.0", port: 4433 }), "http://127.0.0.1:4433/");
  assert.equal(pageUrl({ hostname: "127.0.0.1", port: 1 }), "http://127.0.0.1:1/");
  assert.equal(pageUrl({ hostname: "127.0.0.2", port: 1 }), "http://127.0.0.2:1/");
  assert.equal(pageUrl({ hostname: "::1", port: 1 }), "http://[::1]:1/");
  assert.equal(pageUrl({ hostname: "10.0.0.7", port: 2 }), "https://10.0.0.7:2/");
});
