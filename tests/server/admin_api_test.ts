/**
 * The admin API of a whole server, over real sockets: its answers match their description, who may use it, and what it does.
 */
import assert from "node:assert/strict";
import type { LogFields, Logger } from "../../base/logger.ts";
import type { OpenApi } from "../../server/admin/openapi.ts";
import { connect } from "../../client/mod.ts";
import { Described } from "../support/described.ts";
import { launch, type Launched, until } from "../support/server.ts";

const TOKEN = "0123456789abcdef-of-a-test";
const bearer = (token = TOKEN) => ({ authorization: `Bearer ${token}` });

/** A log that is kept: level, message, fields. */
function recorder(): {
  log: Logger;
  lines: { level: string; message: string; fields: LogFields }[];
} {
  const lines: { level: string; message: string; fields: LogFields }[] = [];
  const make = (more: LogFields): Logger => {
    const at = (level: string) => (message: string, fields: LogFields = {}) => {
      lines.push({ level, message, fields: { ...more, ...fields } });
    };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      with: (fields) => make({ ...more, ...fields }),
    };
  };
  return { log: make({}), lines };
}

async function statusOf(url: string, init: RequestInit = {}): Promise<number> {
  const answer = await fetch(url, init);
  await answer.body?.cancel();
  return answer.status;
}

async function codeOf(url: string, init: RequestInit = {}): Promise<string> {
  return (await (await fetch(url, init)).json()).code;
}

Deno.test("Every answer of the admin API is as /api/v1/openapi.json describes it", async () => {
  const hook = {
    name: "site",
    url: "https://127.0.0.1:9/",
    secret: "s",
    events: ["recording_done"],
  };
  await using relay = await launch({ yaml: JSON.stringify({ hooks: [hook] }) });
  const described = new Described(await relay.api<OpenApi>("/api/v1/openapi.json"));
  const wrong = Response.json({ sessions: [{ id: "x" }] });
  await assert.rejects(described.fits("get", "/api/v1/sessions", wrong), assert.AssertionError);
  const publisher = await relay.client("moqt");
  const track = publisher.publish("live/cam").track("video");
  const viewer = await relay.client("https");
  using subscription = viewer.subscribe("live/cam", "video");
  await until(() => track.subscribers === 1, "the viewer");
  track.write("12345");
  await (await subscription.group())!.frame();

  const seen = new Set<string>();
  const check = async (
    method: string,
    path: string,
    status: number,
    at: string = path,
    init: RequestInit = {},
  ) => {
    const answer = await fetch(relay.adminUrl + at, { method: method.toUpperCase(), ...init });
    assert.equal(answer.status, status, `${method} ${at}`);
    seen.add(`${method} ${path}`);
    await described.fits(method, path, answer);
  };
  const json = (body: unknown) => ({ body: JSON.stringify(body) });
  await check("get", "/api/v1/sessions", 200);
  await check("get", "/api/v1/sessions", 200, "/api/v1/sessions?transport=webtransport&root=");
  await check("get", "/api/v1/sessions", 400, "/api/v1/sessions?transprot=quic");
  await check("get", "/api/v1/sessions/{id}", 200, "/api/v1/sessions/2");
  await check("get", "/api/v1/sessions/{id}", 404, "/api/v1/sessions/77");
  await check("get", "/api/v1/sessions/{id}", 400, "/api/v1/sessions/x");
  await check("get", "/api/v1/cluster", 200);
  await check("get", "/api/v1/broadcasts", 200);
  await check("get", "/api/v1/tracks", 200, "/api/v1/tracks?broadcast=live/cam");
  const path = "/api/v1/tokens/revoke";
  await check("post", path, 200, path, json({ sub: "alice", until: "2099-01-01T00:00:00Z" }));
  await check("post", path, 200, path, json({ jti: "one" }));
  for (const body of [{}, { jti: "a", sub: "b" }, { jti: "" }, { jti: "a", until: "soon" }, 5]) {
    await check("post", path, 400, path, json(body));
  }
  await check("post", path, 400, path, { body: "{" });
  await check("post", path, 413, path, { body: " ".repeat(2_000_000) });
  await check("get", "/api/v1/tokens/revoked", 200);
  await check("get", "/api/v1/hooks", 200);
  await check("get", "/api/v1/plugins", 200);
  const name = "/api/v1/plugins/{name}";
  await check("get", name, 404, "/api/v1/plugins/none");
  await check("put", name, 400, "/api/v1/plugins/none", json({ plugin: "no-such" }));
  await check(
    "put",
    name,
    201,
    "/api/v1/plugins/a",
    json({ plugin: "file", enabled: false, options: { broadcast: "a", path: "/none" } }),
  );
  await check(
    "put",
    name,
    200,
    "/api/v1/plugins/a",
    json({ plugin: "file", enabled: false, options: { broadcast: "b", path: "/none" } }),
  );
  await check("get", name, 200, "/api/v1/plugins/a");
  await check("get", "/api/v1/plugins", 200);
  await check("post", `${name}/restart`, 202, "/api/v1/plugins/a/restart");
  await check("delete", name, 204, "/api/v1/plugins/a");
  await check("delete", name, 404, "/api/v1/plugins/a");
  await check("get", "/api/v1/config", 200);
  await check("get", "/api/v1/limits", 200);
  await check("get", "/api/v1/log-level", 200);
  await check("put", "/api/v1/log-level", 200, "/api/v1/log-level", json({ level: "debug" }));
  await check("put", "/api/v1/log-level", 400, "/api/v1/log-level", json({ level: "loud" }));
  await check("get", "/api/v1/openapi.json", 200);
  for (const path of ["/metrics", "/health", "/health/live", "/ready", "/health/ready"]) {
    await check("get", path, 200);
  }
  const accept = { headers: { accept: "application/json" } };
  await check("get", "/health", 200, "/health", accept);
  await check("delete", "/api/v1/sessions/{id}", 404, "/api/v1/sessions/77");
  await check("delete", "/api/v1/sessions/{id}", 204, "/api/v1/sessions/2?code=7&reason=enough");
  relay.server.relay.draining = true;
  await check("get", "/ready", 503);
  relay.server.relay.draining = false;
  // There is no file to reload here. reload_test.ts has a relay with one.
  await check("post", "/api/v1/reload", 422);
  await check("post", "/api/v1/drain", 202);
  const all = Object.entries(described.document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method} ${path}`)
  );
  assert.deepEqual([...seen].sort(), all.sort());
});

Deno.test("A kicked session ends with the code, in a worker as well; filters find sessions", async () => {
  await using relay = await launch({ flags: { "server.workers": "2" } });
  const first = await relay.client("moqt");
  const hash = relay.certificate.sha256;
  await using second = await connect(`moqt://127.0.0.1:${relay.port + 1}/rooms/1`, { hash });
  const find = async (query: string) =>
    (await relay.api<{ sessions: { id: number; root: string }[] }>(`/api/v1/sessions${query}`))
      .sessions;
  await until(async () => (await find("")).length === 2, "both sessions");
  assert.deepEqual((await find("?root=rooms")).map(({ root }) => root), ["rooms/1"]);
  assert.deepEqual((await find("?root=room")).length, 0);
  assert.equal((await find("?transport=quic&remote=127.0.0.1")).length, 2);
  assert.equal((await find("?transport=websocket")).length, 0);
  assert.equal((await find("?sub=alice")).length, 0);
  for (const client of [first, second]) {
    const root = client === first ? "" : "?root=rooms";
    const { id } = (await find(root))[0]!;
    const url = `${relay.adminUrl}/api/v1/sessions/${id}?code=9&reason=enough`;
    assert.equal(await statusOf(url, { method: "DELETE" }), 204);
    await client.closed;
  }
  await until(async () => (await find("")).length === 0, "nobody");
});

Deno.test("With a token everything but health asks for it; a replaced file is the new token", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, `${TOKEN}\n`);
  const { log, lines } = recorder();
  await using relay = await launch({ flags: { "admin.token_file": file }, log });
  const at = (path: string) => relay.adminUrl + path;
  for (const path of ["/health", "/health/live", "/ready", "/health/ready"]) {
    assert.equal(await statusOf(at(path)), 200, path);
  }
  for (const path of ["/metrics", "/api/v1/sessions", "/api/v1/config", "/api/v1/openapi.json"]) {
    assert.equal(await codeOf(at(path)), "token_needed", path);
    assert.equal(await codeOf(at(path), { headers: bearer(`${TOKEN}x`) }), "token_wrong", path);
    assert.equal(await statusOf(at(path), { headers: bearer() }), 200, path);
  }
  const revoke = { method: "POST", body: '{"jti":"x"}' };
  assert.equal(await statusOf(at("/api/v1/tokens/revoke"), revoke), 401);
  assert.equal(await statusOf(at("/api/v1/tokens/revoke"), { ...revoke, headers: bearer() }), 200);
  const next = "another-token-of-a-test";
  await Deno.writeTextFile(file, next);
  assert.equal(await statusOf(at("/metrics"), { headers: bearer() }), 401);
  assert.equal(await statusOf(at("/metrics"), { headers: bearer(next) }), 200);
  await Deno.writeTextFile(file, "short");
  assert.equal(await statusOf(at("/metrics"), { headers: bearer(next) }), 200);
  assert.equal(lines.filter(({ level }) => level === "warn").length, 1);
  assert.ok(!JSON.stringify(lines).includes(TOKEN) && !JSON.stringify(lines).includes(next));
});

Deno.test("Without a token only this machine changes anything, and no page of somebody else", async () => {
  await using relay = await launch();
  const url = `${relay.adminUrl}/api/v1/log-level`;
  const put = (headers: HeadersInit = {}) => ({ method: "PUT", body: '{"level":"warn"}', headers });
  assert.equal(await statusOf(url, put()), 200);
  assert.equal(await codeOf(url, put({ origin: "http://evil.example" })), "foreign_page");
  // If a proxy removes `Origin`, browsers still say which site's page asks.
  for (const site of ["cross-site", "same-site"]) {
    assert.equal(await codeOf(url, put({ "sec-fetch-site": site })), "foreign_page");
  }
  assert.equal(await statusOf(url, put({ origin: `http://localhost:${relay.port}` })), 200);
  const kick = { method: "DELETE", headers: { origin: "null" } };
  assert.equal(await codeOf(`${relay.adminUrl}/api/v1/sessions/1`, kick), "foreign_page");

  // Open to the network: whoever reaches it by another address may only read.
  await using open = await launch({
    flags: { "admin.address": "0.0.0.0:0", "admin.anonymous": "true" },
  });
  const { port } = new URL(open.adminUrl);
  const outer = Deno.networkInterfaces().find(({ family, address }) =>
    family === "IPv4" && !address.startsWith("127.")
  );
  assert.equal(await statusOf(`http://127.0.0.1:${port}/api/v1/log-level`, put()), 200);
  if (outer === undefined) return;
  const far = `http://${outer.address}:${port}/api/v1/log-level`;
  assert.equal(await statusOf(far), 200);
  assert.equal(await codeOf(far, put()), "not_local");
});

Deno.test("The server does not start open to others at its admin address", async () => {
  const flags = { "admin.address": "0.0.0.0:0" };
  await assert.rejects(
    launch({ flags }),
    /admin\.address: .*shows every session.*admin\.token_file/s,
  );
  await assert.rejects(launch({ flags: { "admin.token": "short" } }), (error: Error) => {
    assert.match(error.message, /admin\.token: a token has 16 characters/);
    return !error.message.includes("short");
  });
  const file = "/nonexistent/admin.token";
  await assert.rejects(
    launch({ flags: { ...flags, "admin.token_file": file } }),
    /Cannot read admin\.token_file/,
  );
  await using relay = await launch({ flags: { ...flags, "admin.token": TOKEN } });
  const { port } = new URL(relay.adminUrl);
  assert.equal(await statusOf(`http://127.0.0.1:${port}/metrics`), 401);
  const shown = await fetch(`http://127.0.0.1:${port}/api/v1/config`, { headers: bearer() });
  const text = await shown.text();
  assert.ok(text.includes("admin.token") && !text.includes(TOKEN));
});

Deno.test("Browsers let the pages that are listed read, by name, and send the token", async () => {
  const origin = "https://ops.example";
  await using relay = await launch({
    flags: {
      "admin.cors_origins": origin,
      "server.cors_origins": origin,
      "auth.origins": origin,
      "admin.token": TOKEN,
    },
  });
  const allowed = async (url: string, init: RequestInit) => {
    const answer = await fetch(url, init);
    await answer.body?.cancel();
    return answer.headers.get("access-control-allow-origin");
  };
  const admin = `${relay.adminUrl}/api/v1/sessions`;
  const open = `http://127.0.0.1:${relay.port}/announced`;
  for (const url of [admin, open]) {
    assert.equal(await allowed(url, { headers: { origin } }), origin, url);
    assert.equal(await allowed(url, { headers: { origin: "https://evil.example" } }), null, url);
  }
  const preflight = await fetch(admin, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "DELETE" },
  });
  assert.equal(preflight.status, 204);
  assert.match(preflight.headers.get("access-control-allow-headers")!, /authorization/);
  assert.match(preflight.headers.get("access-control-allow-methods")!, /DELETE/);
});

Deno.test("The access log has a line for every request, without its token", async () => {
  const { log, lines } = recorder();
  await using relay = await launch({ flags: { "logging.access": "info" }, log });
  await statusOf(`http://127.0.0.1:${relay.port}/announced?jwt=very-secret`);
  await statusOf(`${relay.adminUrl}/api/v1/sessions/5`);
  await (await relay.client("https", { path: "/a" } as never).catch(() => relay.client("https")))
    .close();
  await (await relay.client("ws")).close();
  const requests = () => lines.filter(({ message }) => message === "request");
  await until(() => requests().length >= 4, "four lines");
  const of = (transport: string, at: string) =>
    requests().filter(({ fields }) => fields["transport"] === transport && fields["at"] === at);
  const [announced] = of("http", "public").filter(({ fields }) =>
    String(fields["path"]).startsWith("/announced")
  );
  assert.equal(announced!.level, "info");
  const { durationMs, remote, ...rest } = announced!.fields;
  assert.equal(typeof durationMs, "number");
  assert.match(String(remote), /^127\.0\.0\.1:\d+$/);
  assert.deepEqual(rest, {
    at: "public",
    transport: "http",
    method: "GET",
    path: "/announced?jwt=***",
    status: 200,
  });
  assert.equal(of("http", "admin")[0]!.fields["status"], 404);
  assert.equal(of("webtransport", "public")[0]!.fields["status"], 200);
  assert.equal(of("websocket", "public")[0]!.fields["status"], 101);
  assert.ok(!JSON.stringify(lines).includes("very-secret"));

  const quiet = recorder();
  await using off = await launch({ flags: { "logging.access": "off" }, log: quiet.log });
  await statusOf(`${off.adminUrl}/health`);
  assert.equal(quiet.lines.filter(({ message }) => message === "request").length, 0);
});

Deno.test("The log level is set while the server runs, in its workers too", async () => {
  const { log, lines } = recorder();
  await using relay = await launch({ flags: { "server.workers": "2" }, log });
  const url = `${relay.adminUrl}/api/v1/log-level`;
  const debugOfWorker = () =>
    lines.some(({ level, fields }) => level === "debug" && fields["worker"] === 1);
  const visit = () => visitWorker(relay);
  await visit();
  assert.ok(!debugOfWorker());
  assert.equal(await statusOf(url, { method: "PUT", body: '{"level":"debug"}' }), 200);
  assert.equal(relay.server.view.logLevel.level, "debug");
  await until(async () => (await visit(), debugOfWorker()), "a debug line of the worker");
});

/** A WebTransport session at the worker: its request is a line of the access log, at the level debug. */
async function visitWorker(relay: Launched): Promise<void> {
  const client = await connect(`https://127.0.0.1:${relay.port + 1}/`, {
    hash: relay.certificate.sha256,
  });
  await client.close();
}
