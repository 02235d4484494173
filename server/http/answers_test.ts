import assert from "node:assert/strict";
import type { Logger } from "../../base/logger.ts";
import { PluginRoutes } from "../../plugins/host/routes.ts";
import type { PluginRoute } from "../../plugins/plugin.ts";
import type { Admitted } from "../auth/authorizer.ts";
import { fullGrant, type Grant, refusal } from "../auth/grant.ts";
import type { ServerView } from "../admin/server_view.ts";
import type { Admission } from "../admission.ts";
import { RelayUnderTest, until } from "../../tests/support/fixtures/http.ts";
import { type HttpApp, serveHttp } from "./http_listener.ts";
import { pluginAccess, type PluginRequests } from "../plugins/plugin_access.ts";
import { publicApp } from "./public_http.ts";

/** Everything is granted so far. */
const granting = (more: Partial<Grant> = {}, lease?: Admitted["lease"]) => ({
  admit: () =>
    Promise.resolve({ grant: { ...fullGrant("live/cam"), ...more }, ...(lease && { lease }) }),
});

/** An auth server's lease, and what was told of it. */
function leased() {
  const told: string[] = [];
  let revoke!: (why: string) => void;
  const lease = {
    onRevoked: (callback: (why: string) => void) => void (revoke = callback),
    end: (why: string) => void told.push(why),
  };
  return { lease, told, revoke: (why: string) => revoke(why) };
}

/** A group that is never over, and its answer up to the first frame. */
async function growing(under: RelayUnderTest, changes: Parameters<RelayUnderTest["view"]>[0]) {
  const publisher = await under.client();
  const track = publisher.publish("live/cam").track("video");
  await until(() => under.relay.origin.find("live/cam") !== undefined);
  const group = track.group();
  group.write("first");
  const app = publicApp(under.view(changes));
  const response = await app.request("/fetch/live/cam/video", {}, PEER);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.deepEqual(await reader.read(), { done: false, value: "first" });
  return { app, track, group, reader };
}

const PEER = { remote: "192.0.2.1", remotePort: 4711 };
const ENDED = { code: "QUMO_ANSWER_ENDED" };

Deno.test("/fetch ends with the expiry of its token: the body fails, and the track is left", async () => {
  await using under = new RelayUnderTest();
  const expiresAtMs = under.clock.wallMs() + 60_000;
  const { track, group, reader } = await growing(under, granting({ expiresAtMs }));
  under.clock.advance(59_000);
  group.write("second");
  assert.equal((await reader.read()).value, "second");
  const next = assert.rejects(reader.read(), { ...ENDED, message: /token expired/ });
  under.clock.advance(1_000);
  await next;
  await until(() => track.subscribers === 0);
  assert.equal(under.relay.answers.size, 0);
});

for (const [by, revoked] of [["name", { jti: "t1" }], ["holder", { sub: "eve" }]] as const) {
  Deno.test(`/fetch ends when its token is taken back by its ${by}`, async () => {
    await using under = new RelayUnderTest();
    const { track, reader } = await growing(under, granting({ jti: "t1", sub: "eve" }));
    under.relay.revoke({ jti: "another" });
    assert.equal(under.relay.answers.size, 1);
    const next = assert.rejects(reader.read(), { ...ENDED, message: /token revoked/ });
    under.relay.revoke(revoked);
    await next;
    await until(() => track.subscribers === 0);
  });
}

Deno.test("/fetch ends when the auth server takes it back, which hears how; its lease lasts as long as the body", async () => {
  await using under = new RelayUnderTest();
  const { lease, told, revoke } = leased();
  const { track, reader } = await growing(under, granting({}, lease));
  assert.deepEqual(told, []);
  const next = assert.rejects(reader.read(), ENDED);
  revoke("grant narrowed");
  await next;
  assert.deepEqual(told, ["grant narrowed"]);
  await until(() => track.subscribers === 0);
});

Deno.test("/fetch that waits for its first frame is refused when its token ends", async () => {
  await using under = new RelayUnderTest();
  const publisher = await under.client();
  const track = publisher.publish("live/cam").track("video");
  await until(() => under.relay.origin.find("live/cam") !== undefined);
  const expiresAtMs = under.clock.wallMs() + 5_000;
  const app = publicApp(under.view(granting({ expiresAtMs })));
  const answer = app.request("/fetch/live/cam/video", {}, PEER);
  await until(() => track.subscribers === 1);
  under.clock.advance(5_000);
  assert.equal((await answer).status, 401);
  await until(() => track.subscribers === 0);
  assert.equal(under.relay.answers.size, 0);
});

Deno.test("A token that was taken back while it was decided on begins no answer", async () => {
  await using under = new RelayUnderTest();
  const admit = () => {
    under.relay.revoke({ jti: "t1" });
    return Promise.resolve({ grant: { ...fullGrant("live/cam"), jti: "t1" } });
  };
  const app = publicApp(under.view({ admit }));
  const publisher = await under.client();
  using group = publisher.publish("live/cam").track("video").group();
  group.write("first");
  await until(() => under.relay.origin.find("live/cam") !== undefined);
  assert.equal((await app.request("/fetch/live/cam/video")).status, 401);
});

Deno.test("/dvr that waits for the storage is refused when its token is taken back", async () => {
  await using under = new RelayUnderTest();
  let asked = false;
  const kept = () => {
    asked = true;
    return new Promise(() => {});
  };
  const dvr = { kept } as unknown as ServerView["dvr"] & object;
  const app = publicApp(under.view({ ...granting({ jti: "t1" }), dvr }));
  const answer = app.request("/dvr/live/cam", {}, PEER);
  await until(() => asked);
  under.relay.revoke({ jti: "t1" });
  assert.equal((await answer).status, 401);
  assert.equal(under.relay.answers.size, 0);
});

/** An app whose plugin answers at /hls. */
function withPlugin(
  under: RelayUnderTest,
  admit: Admission["admit"],
  make: (mayRead: (request: Request) => Promise<boolean>) => PluginRoute,
) {
  const routes = new PluginRoutes();
  const requests: PluginRequests = new WeakMap();
  const { answers } = under.relay;
  const { mayRead } = pluginAccess({ admit, answers, requests });
  routes.of("hls", () => {}).route("/hls", make((request) => mayRead(request, "live/cam")));
  const plugins = { routes, requests } as unknown as ServerView["plugins"] & object;
  return publicApp(under.view({ plugins, admit }));
}

Deno.test("A plugin's answer that waits, as HLS's blocking reload does, is refused when its token ends", async () => {
  await using under = new RelayUnderTest();
  const expiresAtMs = under.clock.wallMs() + 5_000;
  let asked = false;
  const app = withPlugin(under, granting({ expiresAtMs }).admit, (mayRead) => async (request) => {
    asked = await mayRead(request);
    return await new Promise(() => {}); // the part that never comes
  });
  const answer = app.request("/hls/live/cam/video/7.3.m4s", {}, PEER);
  await until(() => asked && under.relay.answers.size === 1);
  under.clock.advance(5_000);
  assert.equal((await answer).status, 401);
  assert.equal(under.relay.answers.size, 0);
});

Deno.test("A plugin's body fails when its token is taken back, whatever the plugin does", async () => {
  await using under = new RelayUnderTest();
  let cancelled = false;
  const body = () =>
    new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode("part")),
      cancel: () => void (cancelled = true),
    });
  const app = withPlugin(
    under,
    granting({ jti: "t1" }).admit,
    (mayRead) => async (request) => new Response(await mayRead(request) ? body() : null),
  );
  const response = await app.request("/hls/x", {}, PEER);
  const reader = response.body!.getReader();
  assert.equal((await reader.read()).value?.length, 4);
  under.relay.revoke({ jti: "t1" });
  await assert.rejects(reader.read(), ENDED);
  assert.equal(cancelled, true);
});

Deno.test("Who decides on a plugin's request knows the address it came from", async () => {
  await using under = new RelayUnderTest();
  const seen: unknown[] = [];
  const admit: Admission["admit"] = ({ remoteAddress }) => {
    seen.push(remoteAddress);
    return Promise.resolve(refusal("no_token", "a token is needed"));
  };
  const app = withPlugin(under, admit, (mayRead) => async (request, { network }) => {
    seen.push(network);
    return new Response(null, { status: await mayRead(request) ? 200 : 403 });
  });
  assert.equal((await app.request("/hls/x", {}, PEER)).status, 403);
  await app.request("/hls/x", {}, { remote: "2001:db8::7", remotePort: 1 });
  await app.request("/announced", {}, PEER);
  const v6 = ["20010db800000000/64", "[2001:db8::7]:1"];
  assert.deepEqual(seen, ["192.0.2.1", "192.0.2.1:4711", ...v6, "192.0.2.1:4711"]);
});

Deno.test("That nobody could decide is another status than that somebody may not", async () => {
  await using under = new RelayUnderTest();
  const admit = () => Promise.resolve(refusal("unavailable", "the auth server gives no answer"));
  const app = withPlugin(
    under,
    admit,
    (mayRead) => async (request) =>
      new Response("no\n", { status: await mayRead(request) ? 200 : 403 }),
  );
  const answer = await app.request("/hls/x", {}, PEER);
  assert.deepEqual([answer.status, answer.headers.get("retry-after")], [502, "1"]);
});

Deno.test("One address has so many answers at once, over real sockets: what its peer leaves counts no more", async () => {
  await using under = new RelayUnderTest();
  under.relay.setLimits({ ...under.relay.limits, maxAnswersPerAddress: 2 });
  const publisher = await under.client();
  using group = publisher.publish("live/cam").track("video").group();
  group.write("first");
  await until(() => under.relay.origin.find("live/cam") !== undefined);
  const app = publicApp(under.view()) as unknown as HttpApp;
  await using http = serveHttp(app, { hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${http.address.port}/fetch/live/cam/video`;
  const stop = new AbortController();
  const held = [await fetch(url, { signal: stop.signal }), await fetch(url)];
  const third = await fetch(url);
  await third.body?.cancel();
  assert.deepEqual([third.status, under.relay.hits.answers], [429, 1]);
  stop.abort();
  for (let tries = 0; under.relay.answers.size > 1; tries++) {
    assert.ok(tries < 1000, "the left answer is forgotten");
    group.write("more"); // writing is how a server hears that nobody reads
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const again = await fetch(url);
  assert.equal(again.status, 200);
  for (const answer of [held[1]!, again]) await answer.body?.cancel();
});

Deno.test("/fetch is sent no faster than limits.max_send_rate", async () => {
  await using under = new RelayUnderTest();
  under.relay.setLimits({ ...under.relay.limits, maxSendRate: 64 * 1024 });
  const publisher = await under.client();
  using group = publisher.publish("live/cam").track("video").group();
  group.write(new Uint8Array(1 << 20));
  await until(() => under.relay.origin.find("live/cam") !== undefined);
  const response = await publicApp(under.view()).request("/fetch/live/cam/video", {}, PEER);
  let bytes = 0;
  void (async () => {
    for await (const piece of response.body!) bytes += piece.length;
  })().catch(() => {});
  await until(() => under.relay.hits.sendRate > 0);
  // The burst is two seconds' worth; the last piece of it may go a little above.
  assert.ok(bytes <= 3 * 64 * 1024, `${bytes} bytes at once`);
  const before = bytes;
  under.clock.advance(2_000);
  await until(() => bytes > before);
  assert.ok(bytes <= before + 3 * 64 * 1024, `${bytes - before} bytes in two seconds`);
});

Deno.test("That the rights of an answer end is no error of the server's, over real sockets", async () => {
  await using under = new RelayUnderTest();
  const publisher = await under.client();
  using group = publisher.publish("live/cam").track("video").group();
  group.write("first");
  await until(() => under.relay.origin.find("live/cam") !== undefined);
  const app = publicApp(under.view(granting({ jti: "t1" }))) as unknown as HttpApp;
  const lines: string[] = [];
  const line = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const [debug, info, warn, error] = ["debug", "info", "warn", "error"].map(line);
  const log = { debug, info, warn, error, with: () => log } as Logger;
  await using http = serveHttp(app, { hostname: "127.0.0.1", port: 0 }, { log });
  const response = await fetch(`http://127.0.0.1:${http.address.port}/fetch/live/cam/video`);
  const reader = response.body!.getReader();
  assert.equal((await reader.read()).done, false);
  under.relay.revoke({ jti: "t1" });
  await assert.rejects(reader.read());
  await until(() => lines.length > 0);
  assert.deepEqual(lines, ["debug request failed"]);
});
