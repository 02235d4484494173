import assert from "node:assert/strict";
import { Access, needsSomebody, stateOf } from "./access.ts";
import { takeAccess } from "./page_access.ts";

/** A browser at an address. */
function browserAt(href: string, store = new Map<string, string>()) {
  const location = { href };
  return {
    location,
    history: {
      state: null,
      replaceState: (_: unknown, __: string, url: string) => location.href = url,
    },
    sessionStorage: {
      getItem: (key: string) => store.get(key) ?? null,
      setItem: (key: string, value: string) => void store.set(key, value),
      removeItem: (key: string) => void store.delete(key),
    },
  };
}

Deno.test("takeAccess() takes path and token from the address, and leaves no token in it", () => {
  const here = browserAt(
    "https://relay.example/rooms/1/?name=a&jwt=first&jwt=aaa.bbb.ccc#/publish",
  );
  const access = takeAccess(here);
  assert.equal(access.root, "rooms/1");
  assert.equal(access.token, "aaa.bbb.ccc");
  assert.equal(here.location.href, "https://relay.example/rooms/1/?name=a#/publish");
  assert.equal(access.url, "https://relay.example/rooms/1");
  assert.equal(access.dialed, "https://relay.example/rooms/1?jwt=aaa.bbb.ccc");
});

Deno.test("takeAccess() keeps a token for its path and its tab", () => {
  const store = new Map<string, string>();
  takeAccess(browserAt("http://localhost:1/rooms/1?jwt=one", store));
  assert.equal(takeAccess(browserAt("http://localhost:1/rooms/1", store)).token, "one");
  assert.equal(takeAccess(browserAt("http://localhost:1/rooms/2", store)).token, undefined);
  assert.equal(takeAccess(browserAt("http://localhost:1/", store)).token, undefined);
  const access = takeAccess(browserAt("http://localhost:1/rooms/1?jwt=", store));
  assert.equal(access.token, "one", "an empty one is none");
  access.give("two");
  assert.equal(takeAccess(browserAt("http://localhost:1/rooms/1", store)).token, "two");
  access.give(undefined);
  assert.equal(store.size, 0);
});

Deno.test("takeAccess() works in a browser that keeps nothing", () => {
  const { location, history } = browserAt("http://localhost:1/a?jwt=x");
  const here = {
    location,
    history,
    get sessionStorage(): never {
      throw new DOMException("not here", "SecurityError");
    },
  };
  assert.equal(takeAccess(here).token, "x");
});

Deno.test("a path that looks like a host leads to no other host with the token", () => {
  const access = takeAccess(browserAt("https://relay.example//evil.example/x?jwt=t"));
  for (const url of [access.url, access.dialed]) {
    assert.equal(new URL(url).host, "relay.example", url);
  }
  assert.equal(access.root, "evil.example/x");
});

Deno.test("Access asks at its root, with the token in a header and not in the address", async () => {
  const asked: Request[] = [];
  const before = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    asked.push(new Request(input as string, init));
    return Promise.resolve(new Response("", { status: asked.length === 1 ? 200 : 403 }));
  };
  try {
    const access = new Access({ origin: "http://127.0.0.1:1", root: "/r%20s/1", token: "t.o.k" });
    assert.equal(await access.state(), "ok");
    const query = new URLSearchParams({ track: "video" });
    await access.ask("dvr", "live/ä b", { query });
    assert.deepEqual(asked.map(({ url }) => url), [
      "http://127.0.0.1:1/announced/r%20s/1",
      "http://127.0.0.1:1/dvr/r%20s/1/live/%C3%A4%20b?track=video",
    ]);
    assert.equal(asked[0]!.headers.get("authorization"), "Bearer t.o.k");
    assert.equal(await access.state(), "forbidden");
    access.give("no\ntoken");
    assert.equal(await access.state(), "token_refused");
    assert.equal(asked.length, 3, "what cannot be a token is not sent");
  } finally {
    globalThis.fetch = before;
  }
});

Deno.test("stateOf() tells a missing token, a bad one, a wrong path and a relay in trouble apart", () => {
  const states = [200, 401, 403, 404, 429, 502, 503, 500].map((status) => stateOf(status, false));
  assert.equal(new Set(states).size, 8);
  assert.equal(stateOf(401, true), "token_refused");
  assert.deepEqual(states.filter(needsSomebody), ["token_needed", "forbidden", "nothing_here"]);
});
