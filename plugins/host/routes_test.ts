import assert from "node:assert/strict";
import { PluginRoutes } from "./routes.ts";

const answer = (text: string) => () => new Response(text);
const get = async (routes: PluginRoutes, path: string) => {
  const response = await routes.answer(new Request(`http://relay${path}`), {
    remote: "127.0.0.1",
    network: "127.0.0.1",
  });
  return response && `${response.status} ${await response.text()}`;
};

Deno.test("The longest prefix answers, at the borders of segments alone", async () => {
  const routes = new PluginRoutes();
  routes.of("one", () => {}).route("/whep", answer("whep"));
  routes.of("two", () => {}).route("whep/inner/", answer("inner"));
  assert.equal(await get(routes, "/whep"), "200 whep");
  assert.equal(await get(routes, "/whep/live/cam?x=/other"), "200 whep");
  assert.equal(await get(routes, "/whep/inner/x"), "200 inner");
  assert.equal(await get(routes, "/whepper"), undefined);
  assert.equal(await get(routes, "/"), undefined);
});

Deno.test("A prefix has one owner at a time, and goes with it", async () => {
  const routes = new PluginRoutes({ reserved: ["fetch"] });
  const one = routes.of("one", () => {});
  const route = one.route("/hls", answer("one"));
  const two = routes.of("two", () => {});
  const taken = { code: "QUMO_PLUGIN_PATH_TAKEN", message: /instance "one" does already/ };
  assert.throws(() => two.route("/hls", answer("two")), taken);
  assert.throws(() => two.route("/", answer("two")), /the relay itself does/);
  assert.throws(() => two.route("/fetch/x", answer("two")), /the relay itself does/);
  one[Symbol.dispose]();
  two.route("/hls", answer("two"));
  route[Symbol.dispose](); // what the first one still does is not the second one's business
  assert.equal(await get(routes, "/hls"), "200 two");
});

Deno.test("A handler that throws, rejects or gives back nothing answers 500 and is told of", async () => {
  const routes = new PluginRoutes();
  const heard: string[] = [];
  const http = routes.of("bad", (reason) => heard.push(reason));
  http.route("/throws", () => {
    throw new Error("a");
  });
  http.route("/rejects", () => Promise.reject(new Error("b")));
  http.route("/nothing", () => undefined as unknown as Response);
  for (const path of ["/throws", "/rejects", "/nothing"]) {
    assert.equal(await get(routes, path), "500 internal error\n");
  }
  assert.deepEqual(heard, ["a", "b", "the handler gave back no Response"]);
});
