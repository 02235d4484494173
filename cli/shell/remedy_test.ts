import assert from "node:assert/strict";
import { remedyFor } from "./remedy.ts";

const REFUSED = "Cannot connect to wss://a/: its certificate is refused (UnknownIssuer): pin it";

Deno.test("a remedy fits what failed: nobody there, unknown name, certificate, token, path", () => {
  const cases: [string, string, RegExp, RegExp?][] = [
    [
      "nothing listens there for TCP",
      "ws://a:1/",
      /Is a relay running at a:1\?/,
      /certificate|UDP/,
    ],
    ["no answer in time", "moqt://a:1/", /Is a relay running at a:1, and does UDP get through/],
    ["tcp connect error: Connection refused (os error 111)", "http://a/", /Is a relay running/],
    ["dns error: failed to lookup", "http://a/", /The name a is not known/, /running/],
    ["the name of its host is not known", "ws://a/", /The name a is not known/, /certificate/],
    [REFUSED, "wss://a/", /--ca; for development write ws:\/\/a\//, /--hash/],
    [REFUSED, "https://a/", /--hash, or who signed it with --ca/],
    ["the server answered with status 401", "https://a/x?y=1", /https:\/\/a\/x\?jwt=TOKEN/],
    ["status 401", "https://a/?jwt=t", /does not accept this token/, /Give a token/],
    ["status 403", "https://a/rooms/1?jwt=t", /not for \/rooms\/1:/, /expired|Give a token/],
    ["status 404", "https://a/x", /Check the path/],
    ["status 503", "https://a/x", /try again later/],
  ];
  for (const [reason, url, wanted, unwanted] of cases) {
    const remedy = remedyFor(reason, url);
    assert.match(remedy, wanted, reason);
    if (unwanted) assert.doesNotMatch(remedy, unwanted, reason);
  }
  assert.equal(remedyFor("something else", "http://a/"), "");
});
