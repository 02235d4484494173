import assert from "node:assert/strict";
import { watchUrl } from "./watch_url.ts";

Deno.test("watchUrl() keeps host and path of the relay, names the broadcast, and leaves the token out", () => {
  const cases: [string, string, string | undefined][] = [
    ["http://127.0.0.1:4433/", "demo", "http://127.0.0.1:4433/?name=demo"],
    ["http://[::1]:4433", "/a/b/", "http://[::1]:4433/?name=a%2Fb"],
    ["ws://relay.example:4433/", "demo", "http://relay.example:4433/?name=demo"],
    ["https://relay.example/rooms/1?jwt=secret", "a", "https://relay.example/rooms/1?name=a"],
    ["wss://relay.example/", "ünï & co", "https://relay.example/?name=%C3%BCn%C3%AF+%26+co"],
    ["moqt://relay.example/", "demo", undefined],
  ];
  for (const [relay, broadcast, page] of cases) assert.equal(watchUrl(relay, broadcast), page);
});
