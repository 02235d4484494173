import assert from "node:assert/strict";
import { sameHost } from "./same_host.ts";

Deno.test("sameHost() lets the port and the path change, not the host nor the scheme", () => {
  const url = "https://a.example:4433/room?jwt=x";
  assert.equal(sameHost("https://a.example:5544/other", url), true);
  for (
    const uri of [
      "https://b.example:4433/",
      "http://a.example:4433/",
      "moqt://a.example/",
      "",
      "/x",
    ]
  ) {
    assert.equal(sameHost(uri, url), false, uri);
  }
});
