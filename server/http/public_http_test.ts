import assert from "node:assert/strict";
import { PluginRoutes } from "../../plugins/host/routes.ts";
import { BroadcastProducer, type TrackProducer } from "../../client/publish.ts";
import { jsonOf, linkedBy, RelayUnderTest, until } from "../../tests/support/fixtures/http.ts";
import { serveHttp } from "./http_listener.ts";
import type { ServerView } from "../admin/server_view.ts";
import { publicApp } from "./public_http.ts";

/** Everybody who comes in has a token: pages of any site may ask. */
const TOKENS = "auth: { required: true }\n";

/** A relay with one publisher of "live/cam" and its track "video". */
async function publishing(under: RelayUnderTest, path = "live/cam"): Promise<TrackProducer> {
  const publisher = await under.client();
  const track = publisher.publish(path).track("video");
  await until(() => under.relay.origin.find(path) !== undefined);
  return track;
}

Deno.test("GET /health says ok, and the older JSON to those who ask for JSON", async () => {
  await using under = new RelayUnderTest();
  const app = publicApp(under.view());
  const plain = await app.request("/health");
  assert.equal(plain.status, 200);
  assert.equal(await plain.text(), "ok\n");

  under.clock.advance(3_723_500);
  const asked = { headers: { accept: "application/json" } };
  assert.deepEqual(await jsonOf(app.request("/health", asked)), {
    status: "healthy",
    timestamp: new Date(under.clock.wallMs()).toISOString(),
    uptime: "1h2m3.5s",
    active_connections: 0,
    upstream_connected: false,
    version: "v0.1.0",
  });
  const degraded = publicApp(under.view({ cluster: linkedBy({ state: "waiting" }) }));
  assert.equal((await jsonOf(degraded.request("/health", asked))).status, "degraded");
});

Deno.test("GET /certificate.sha256 is the bare hash in hex, without a line end", async () => {
  await using under = new RelayUnderTest();
  const response = await publicApp(under.view()).request("/certificate.sha256");
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type")!, /^text\/plain/);
  assert.equal(
    await response.text(),
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
  );
});

Deno.test("GET /announced lists live broadcasts below a prefix, relative to it, hidden ones left out", async () => {
  await using under = new RelayUnderTest();
  const publisher = await under.client();
  const paths = ["live/b", "live/a", "live", "lively", "two words"];
  const broadcasts = paths.map((path) => publisher.publish(path));
  using _hidden = new BroadcastProducer(under.relay.origin, "live/.secret");
  await until(() => under.relay.origin.size === paths.length + 1);
  const app = publicApp(under.view());
  const list = async (path: string) => await (await app.request(path)).text();

  assert.equal(await list("/announced"), "live\nlive/a\nlive/b\nlively\ntwo words\n");
  assert.equal(await list("/announced/"), await list("/announced"));
  assert.equal(await list("/announced/live"), "\na\nb\n");
  assert.equal(await list("/announced/two%20words"), "\n");
  assert.equal(await list("/announced/liv"), "");
  assert.equal((await app.request("/announced/%ff")).status, 400);
  broadcasts[0]!.close();
  await until(async () => await list("/announced/live") === "\na\n");
});

Deno.test("GET /fetch sends the frames of the newest group one after another, then leaves the track", async () => {
  await using under = new RelayUnderTest();
  const track = await publishing(under);
  track.write("old");
  using group = track.group();
  for (const frame of ["one,", "", "two"]) group.write(frame);
  group.close();
  const app = publicApp(under.view({ yaml: TOKENS }));
  for (const path of ["/fetch/live/cam/video", "/fetch//live/cam//video?group=latest"]) {
    const response = await app.request(path);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("qumo-group"), "1");
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    assert.equal(await response.text(), "one,two");
  }
  await until(() => track.subscribers === 0);
});

Deno.test("GET /fetch?group=N sends that group, and 404 for one that is not there", async () => {
  await using under = new RelayUnderTest();
  const track = await publishing(under);
  for (const text of ["zero", "one", "two"]) track.write(text);
  const app = publicApp(under.view());
  for (const [number, text] of ["zero", "one", "two"].entries()) {
    const response = await app.request(`/fetch/live/cam/video?group=${number}`);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), text);
  }
  const missing = await app.request("/fetch/live/cam/video?group=77");
  assert.equal(missing.status, 404);
  assert.match(await missing.text(), /^no such /);
});

Deno.test("GET /fetch answers 404 for what nobody announces, 400 for what is no number", async () => {
  await using under = new RelayUnderTest();
  const track = await publishing(under);
  track.write("there");
  const app = publicApp(under.view());
  const statusOf = async (path: string) => (await app.request(path)).status;
  assert.equal(await statusOf("/fetch/live/other/video"), 404);
  assert.equal(await statusOf("/fetch/live/cam/sound"), 404);
  assert.equal(await statusOf("/fetch/live/cam/sound?group=0"), 404);
  assert.equal(await statusOf("/fetch/video"), 404);
  for (const wrong of ["-1", "1.5", "x", "", "1e3", "99999999999999999"]) {
    assert.equal(await statusOf(`/fetch/live/cam/video?group=${wrong}`), 400, wrong);
  }
  assert.equal(await statusOf("/fetch/live/%ff/video"), 400);
});

Deno.test("GET /fetch asks no peer for a path or name that the protocol has no room for", async () => {
  await using under = new RelayUnderTest();
  await publishing(under);
  const app = publicApp(under.view());
  const deep = Array.from({ length: 40 }, () => "x").join("/");
  assert.equal((await app.request(`/fetch/live/cam/${deep}`)).status, 404);
  assert.equal((await app.request(`/fetch/live/cam/${"x".repeat(5000)}`)).status, 404);
  assert.equal(under.relay.sessionCount, 1);
  assert.equal(under.relay.stats.subscriptions, 0);
});

Deno.test("GET /fetch streams a group while it grows", async () => {
  await using under = new RelayUnderTest();
  const track = await publishing(under);
  using group = track.group();
  group.write("first");
  const response = await publicApp(under.view()).request("/fetch/live/cam/video");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.deepEqual(await reader.read(), { done: false, value: "first" });
  group.write("second");
  assert.deepEqual(await reader.read(), { done: false, value: "second" });
  group.close();
  assert.equal((await reader.read()).done, true);
  await until(() => track.subscribers === 0);
});

Deno.test("GET /fetch of a group that is cut short fails instead of looking complete", async () => {
  await using under = new RelayUnderTest();
  const track = await publishing(under);
  const group = track.group();
  group.write("first");
  const response = await publicApp(under.view()).request("/fetch/live/cam/video");
  const reader = response.body!.getReader();
  assert.equal((await reader.read()).done, false);
  group.abort();
  await assert.rejects(reader.read(), { name: "GroupCut" });
  await until(() => track.subscribers === 0);
});

Deno.test("GET /fetch answers 504 when nothing comes in time, and leaves the track", async () => {
  await using under = new RelayUnderTest();
  const track = await publishing(under);
  const app = publicApp(under.view(), { fetchTimeoutMs: 5000 });
  const waiting = Promise.resolve(app.request("/fetch/live/cam/video"));
  await until(() => track.subscribers === 1);
  under.clock.advance(5000);
  assert.equal((await waiting).status, 504);
  await until(() => track.subscribers === 0);
});

Deno.test("GET /fetch leaves the track when its reader leaves in the middle", async () => {
  await using under = new RelayUnderTest();
  const track = await publishing(under);
  using group = track.group();
  group.write("first");
  const response = await publicApp(under.view()).request("/fetch/live/cam/video");
  await until(() => track.subscribers === 1);
  await response.body!.cancel();
  await until(() => track.subscribers === 0);
});

Deno.test("GET /fetch gives a group up whose next frame does not come in time", async () => {
  await using under = new RelayUnderTest();
  const track = await publishing(under);
  using group = track.group();
  group.write("first");
  const app = publicApp(under.view(), { fetchTimeoutMs: 5000 });
  const reader = (await app.request("/fetch/live/cam/video")).body!.getReader();
  await reader.read();
  const next = reader.read();
  await new Promise<void>((resolve) => setTimeout(resolve, 0)); // it waits now
  under.clock.advance(5000);
  await assert.rejects(next, { name: "FetchRefused", message: "nothing came within 5000 ms" });
  await until(() => track.subscribers === 0);
});

Deno.test("HEAD is answered like GET without a body, and reads nothing on", async () => {
  await using under = new RelayUnderTest();
  const track = await publishing(under);
  using group = track.group();
  group.write("first");
  const app = publicApp(under.view());
  for (
    const path of ["/", "/health", "/certificate.sha256", "/announced", "/fetch/live/cam/video"]
  ) {
    const response = await app.request(path, { method: "HEAD" });
    assert.equal(response.status, 200, path);
    assert.equal(await response.text(), "", path);
  }
  await until(() => track.subscribers === 0);
});

Deno.test("Other methods get 405, unknown paths 404, and where tokens are asked for every answer may be read by any page", async () => {
  await using under = new RelayUnderTest();
  const app = publicApp(under.view({ yaml: TOKENS }));
  const paths = [
    "/",
    "/health",
    "/certificate.sha256",
    "/announced/a",
    "/fetch/a/b",
    "/assets/x.js",
  ];
  for (const path of paths) {
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      const response = await app.request(path, { method });
      assert.equal(response.status, 405, `${method} ${path}`);
      assert.equal(response.headers.get("allow"), "GET, HEAD, OPTIONS");
    }
    const preflight = await app.request(path, { method: "OPTIONS" });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("access-control-allow-methods"), "GET, HEAD");
  }
  for (const path of ["/nothing", "/metrics", "/api/v1/sessions", "/assets/x.js", "/health/live"]) {
    const response = await app.request(path);
    assert.equal(response.status, 404, path);
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
  }
});

Deno.test("GET / is the page with its policy, or says that there is none", async () => {
  await using under = new RelayUnderTest();
  const bytes = (text: string) => new TextEncoder().encode(text);
  const assets = new Map([
    ["index.html", { type: "text/html; charset=utf-8", body: bytes("<p>watch") }],
    ["assets/watch.js", { type: "text/javascript", body: bytes("play()") }],
  ]);
  const app = publicApp(under.view(), { assets });
  const page = await app.request("/");
  assert.equal(await page.text(), "<p>watch");
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(page.headers.get("content-security-policy")!, /script-src 'self' blob:/);
  assert.match(page.headers.get("content-security-policy")!, /connect-src [^;]*https: http: wss:/);
  assert.equal(page.headers.get("x-content-type-options"), "nosniff");
  const script = await app.request("/assets/watch.js");
  assert.equal(script.headers.get("content-type"), "text/javascript");
  assert.equal(await script.text(), "play()");
  assert.equal((await app.request("/assets/../index.htm")).status, 404);

  const none = await publicApp(under.view()).request("/");
  assert.equal(none.headers.get("referrer-policy"), "no-referrer");
  assert.equal(none.status, 200);
  assert.match(await none.text(), /not part of\s+this build/);
});

Deno.test("the player for other pages may be loaded and framed by those that cors_origins lists, the page by none", async () => {
  const asset = (text: string) => ({
    type: "text/html; charset=utf-8",
    body: new TextEncoder().encode(text),
  });
  const assets = new Map([
    ["index.html", asset("page")],
    ["embed.html", asset("frame")],
    ["embed.js", asset("script")],
  ]);
  const framedBy = (response: Response) =>
    /frame-ancestors ([^;]*)/.exec(response.headers.get("content-security-policy")!)?.[1];
  for (const origins of [["*"], ["https://site.example"]]) {
    await using under = new RelayUnderTest();
    const yaml = `${TOKENS}server: { cors_origins: ${JSON.stringify(origins)} }\n`;
    const app = publicApp(under.view({ yaml }), { assets });
    const headers = { origin: "https://site.example" };
    const script = await app.request("/embed.js", { headers });
    assert.equal(await script.text(), "script");
    assert.equal(script.headers.get("access-control-allow-origin"), origins[0]);
    assert.equal(script.headers.get("cross-origin-resource-policy"), "cross-origin");
    const frame = await app.request("/embed/a/b%20c?root=x");
    assert.equal(await frame.text(), "frame");
    assert.equal(framedBy(frame), origins[0] === "*" ? "*" : "'self' https://site.example");
    assert.equal(frame.headers.get("cross-origin-resource-policy"), "cross-origin");
    assert.equal(frame.headers.get("cross-origin-opener-policy"), null);
    const page = await app.request("/");
    assert.equal(framedBy(page), "'none'");
    assert.equal(page.headers.get("cross-origin-opener-policy"), "same-origin");
    const elsewhere = await app.request("/embed.js", { headers: { origin: "https://x.example" } });
    const allowed = elsewhere.headers.get("access-control-allow-origin");
    assert.equal(allowed, origins[0] === "*" ? "*" : null);
  }
  await using under = new RelayUnderTest();
  const bare = publicApp(under.view());
  for (const path of ["/embed.js", "/embed/x"]) {
    assert.equal((await bare.request(path)).status, 404, path);
  }
});

Deno.test("Whoever goes to the root of a token gets the page; what is no page stays what it is", async () => {
  await using under = new RelayUnderTest();
  const body = new TextEncoder().encode("<p>watch");
  const assets = new Map([["index.html", { type: "text/html; charset=utf-8", body }]]);
  const routes = new PluginRoutes();
  routes.of("test", () => {}).route("/whep", () => new Response("a plugin's"));
  const plugins = { routes, requests: new WeakMap() } as unknown as ServerView["plugins"] & object;
  const app = publicApp(under.view({ plugins }), { assets });
  const accept = "text/html,application/xhtml+xml,*/*;q=0.8";
  const go = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    app.request(path, { method, headers: { accept, ...headers } });

  for (const path of ["/rooms/1", "/rooms/1/", "/r%C3%A4ume", "/a.b/c?jwt=t&name=x", "//evil/x"]) {
    const page = await go(path);
    assert.equal(page.status, 200, path);
    assert.equal(await page.text(), "<p>watch", path);
    assert.equal(page.headers.get("referrer-policy"), "no-referrer", path);
    assert.match(page.headers.get("content-security-policy")!, /default-src 'none'/, path);
    assert.match(page.headers.get("vary")!, /Accept, Sec-Fetch-Dest/, path);
  }
  for (const path of ["/assets/old.js", "/api/v1/sessions", "//assets/x", "/rooms/%ff"]) {
    assert.equal((await go(path)).status, 404, path);
  }
  const not = { accept: "image/avif,*/*" };
  assert.equal((await go("/rooms/1/favicon.ico", not)).status, 404);
  assert.equal((await go("/rooms/1", { accept: "*/*" })).status, 404);
  assert.equal((await go("/rooms/1", { "sec-fetch-dest": "iframe" })).status, 404);
  assert.equal((await go("/rooms/1", {}, "POST")).status, 404);
  assert.equal(await (await go("/whep/cam")).text(), "a plugin's");
  assert.equal(await (await go("/health")).text(), "ok\n");
  assert.match((await go("/announced/rooms/1")).headers.get("content-type")!, /^text\/plain/);
  assert.equal((await go("/fetch/rooms/1/track")).status, 404);
  assert.match((await go("/dvr/rooms/1")).headers.get("content-type")!, /json/);
});

Deno.test("GET /certificate.sha256 says whether browsers need the hash", async () => {
  await using under = new RelayUnderTest();
  const { certificate } = under.view();
  const told = async (selfSigned: boolean, pinnable: boolean) => {
    const view = under.view({ certificate: { ...certificate, selfSigned, pinnable } });
    const page = { headers: { origin: "http://localhost:8080" } };
    const { headers } = await publicApp(view).request("/certificate.sha256", page);
    assert.match(headers.get("access-control-expose-headers")!, /qumo-certificate/);
    return headers.get("qumo-certificate");
  };
  assert.equal(await told(true, true), "pin");
  assert.equal(await told(true, false), "refused");
  assert.equal(await told(false, true), "signed");
  assert.equal(await told(false, false), "signed");
});

Deno.test("GET /fetch over a real socket streams frame by frame, and a client that hangs up frees the track", async () => {
  await using under = new RelayUnderTest();
  const track = await publishing(under);
  await using http = serveHttp(publicApp(under.view()), { hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${http.address.port}/fetch/live/cam/video`;
  using group = track.group();
  group.write("first");
  const response = await fetch(url);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  for (const text of ["first", "second", "third"]) {
    if (text !== "first") group.write(text);
    assert.deepEqual(await reader.read(), { done: false, value: text });
  }
  assert.equal(track.subscribers, 1);
  await reader.cancel();
  await until(() => track.subscribers === 0);
  group.close();
  assert.equal(await (await fetch(url)).text(), "firstsecondthird");
  await until(() => track.subscribers === 0);
});

Deno.test("GET /api/where tells the admin address to browsers on this machine, under its own names alone", async () => {
  await using under = new RelayUnderTest();
  const bound = (hostname: string) =>
    publicApp(under.view({ adminAddress: { hostname, port: 9090 } }));
  const ask = (host: string, remote?: string, app = bound("127.0.0.1")) =>
    app.request(`http://${host}/api/where`, {}, remote === undefined ? {} : { remote });
  const closed = { openToEverybody: false };
  const told = { local: true, admin: "127.0.0.1:9090", ...closed };
  const not = { local: false, admin: null, ...closed };

  for (const host of ["localhost:4433", "127.0.0.1:4433", "[::1]:4433"]) {
    assert.deepEqual(await jsonOf(ask(host, "127.0.0.1")), told, host);
  }
  assert.deepEqual(await jsonOf(ask("localhost", "::1")), told);
  assert.deepEqual(await jsonOf(ask("localhost", "::ffff:127.0.0.1")), told);

  assert.deepEqual(await jsonOf(ask("localhost", "192.0.2.1")), not, "a peer elsewhere");
  assert.deepEqual(await jsonOf(ask("localhost")), not, "a peer nobody knows");
  assert.deepEqual(await jsonOf(ask("10.0.0.1", "127.0.0.1")), not);
  const view = under.view({
    adminAddress: { hostname: "127.0.0.1", port: 9090 },
    yaml: TOKENS,
  });
  for (const host of ["evil.example", "127.evil.example", "localhost.evil.example"]) {
    assert.equal((await ask(host, "127.0.0.1")).status, 421, host);
    assert.deepEqual(await jsonOf(ask(host, "127.0.0.1", publicApp(view))), not, host);
  }
  // Open to the network, it is for whoever set that up to reach.
  const open = await jsonOf(ask("localhost", "127.0.0.1", bound("0.0.0.0")));
  const none = { local: true, admin: null, ...closed };
  assert.deepEqual(open, none);
  const off = publicApp(under.view());
  assert.deepEqual(await jsonOf(ask("localhost", "127.0.0.1", off)), none);
});

Deno.test("GET /api/where tells everybody when the server is open to everybody and nobody asked for it", async () => {
  await using under = new RelayUnderTest();
  const ask = async (yaml: string) => {
    const app = publicApp(under.view({ yaml }));
    return (await jsonOf(app.request("http://192.0.2.7/api/where"))).openToEverybody;
  };
  const reachable = 'server: { address: "0.0.0.0:4433" }\n';
  assert.equal(await ask(reachable), true);
  assert.equal(await ask('server: { address: "127.0.0.1:4433" }\n'), false);
  assert.equal(await ask(`${reachable}auth: { required: true }\n`), false);
  assert.equal(await ask(`${reachable}auth: { anonymous: true }\n`), false);
});

Deno.test("GET /api/where can be read by no other page", async () => {
  await using under = new RelayUnderTest();
  const app = publicApp(under.view());
  for (const origin of ["http://evil.example", "http://localhost:8080"]) {
    const response = await app.request("http://localhost/api/where", { headers: { origin } });
    assert.equal(response.status, origin.includes("evil") ? 403 : 200);
    assert.equal(response.headers.get("access-control-allow-origin"), null);
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  }
});
