import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { refusal } from "../auth/grant.ts";
import { Relay } from "../relay.ts";
import { pluginAccess } from "./plugin_access.ts";

Deno.test("A plugin lets in whom a session would be let in, for what it may do there", async () => {
  const asked: unknown[] = [];
  const { answers } = new Relay({ hop: 7n, clock: new ManualClock() });
  const { mayRead, mayPublish } = pluginAccess({
    answers,
    requests: new WeakMap(),
    admit: (request) => {
      asked.push([request.path, request.bearer]);
      return Promise.resolve(
        request.bearer === "good"
          ? { grant: { root: "live/cam", publish: [], subscribe: ["**"] } }
          : refusal("no_token", "a token is needed"),
      );
    },
  });
  const headers = { authorization: "Bearer good" };
  const request = new Request("http://relay/whep/live/cam?jwt=abc", { headers });
  assert.equal(await mayRead(request, "/live/cam"), true);
  assert.equal(await mayPublish(request, "live/cam"), false);
  assert.equal(await mayRead(new Request("http://relay/whep"), "live/cam"), false);
  assert.deepEqual(asked[0], ["/live/cam?jwt=abc", "good"]);
});
