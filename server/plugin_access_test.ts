import assert from "node:assert/strict";
import { refusal } from "./auth/grant.ts";
import { pluginAccess } from "./plugin_access.ts";

Deno.test("A plugin lets in whom a session would be let in, for what it may do there", async () => {
  const asked: unknown[] = [];
  const { mayRead, mayPublish } = pluginAccess((request) => {
    asked.push([request.path, request.bearer]);
    if (request.bearer !== "good") return Promise.resolve(refusal("no_token", "a token is needed"));
    return Promise.resolve({ grant: { root: "live/cam", publish: [], subscribe: ["**"] } });
  });
  const headers = { authorization: "Bearer good" };
  const request = new Request("http://relay/whep/live/cam?jwt=abc", { headers });
  assert.equal(await mayRead(request, "/live/cam"), true);
  assert.equal(await mayPublish(request, "live/cam"), false);
  assert.equal(await mayRead(new Request("http://relay/whep"), "live/cam"), false);
  assert.deepEqual(asked[0], ["/live/cam?jwt=abc", "good"]);
});
