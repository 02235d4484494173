import assert from "node:assert/strict";
import { addressOf, routeOf } from "./page_route.ts";

Deno.test("routeOf() reads the view and the broadcast, and takes anything else for the first view", () => {
  const at = (rest: string) => routeOf(`http://localhost:4433/${rest}`);
  assert.deepEqual(at(""), { view: "watch", name: undefined });
  assert.deepEqual(at("?name=live%2Fcam#/publish"), { view: "publish", name: "live/cam" });
  assert.deepEqual(at("?name=#/dashboard"), { view: "dashboard", name: undefined });
  assert.deepEqual(at("#/nothing"), { view: "watch", name: undefined });
});

Deno.test("addressOf() keeps the path and never a token", () => {
  const here = "http://localhost:4433/rooms/1?jwt=aaa&visible=always&jwt=bbb";
  assert.equal(
    addressOf(here, { name: "a", view: "watch" }),
    "http://localhost:4433/rooms/1?visible=always&name=a#/watch",
  );
});

Deno.test("addressOf() keeps what it was not told to change", () => {
  const here = "http://localhost:4433/?visible=always&name=a#/watch";
  assert.equal(
    addressOf(here, { view: "dashboard" }),
    "http://localhost:4433/?visible=always&name=a#/dashboard",
  );
  assert.equal(
    addressOf(here, { name: "b c", view: "watch" }),
    "http://localhost:4433/?visible=always&name=b+c#/watch",
  );
  assert.equal(
    addressOf(here, { name: undefined }),
    "http://localhost:4433/?visible=always#/watch",
  );
});
