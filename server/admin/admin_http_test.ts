import assert from "node:assert/strict";
import { readExposition } from "../../tests/support/fixtures/exposition.ts";
import { VERSIONS } from "../../wire/versions.ts";
import { adminApp } from "./admin_http.ts";
import { jsonOf, linkedBy, RelayUnderTest, until } from "../../tests/support/fixtures/http.ts";
import type { LinkState } from "../cluster/cluster_view.ts";

Deno.test("Two viewers of one track show as two subscribers and one upstream subscription", async () => {
  await using under = new RelayUnderTest();
  const app = adminApp(under.view());
  const tracks = async () => (await jsonOf(app.request("/api/v1/tracks"))).tracks;
  const publisher = await under.client();
  const track = publisher.publish("live/cam").track("video", { priority: 9 });
  await until(() => under.relay.origin.size === 1);
  assert.deepEqual(await tracks(), []);

  const viewers = [await under.client(), await under.client("moq-lite-03")];
  const subscriptions = viewers.map((viewer) => viewer.subscribe("live/cam", "video"));
  await until(async () => (await tracks())[0]?.subscribers === 2);
  track.write("12345");
  for (const subscription of subscriptions) await (await subscription.group())!.frame();
  assert.equal(track.subscribers, 1);
  assert.deepEqual(await tracks(), [{
    broadcast: "live/cam",
    track: "video",
    subscribers: 2,
    upstreamSubscriptions: 1,
    route: "memory:a",
    groupsKept: 1,
    newestGroup: 0,
    groupsIn: 1,
    framesIn: 1,
    bytesIn: 5,
    groupsEvicted: 0,
    info: { priority: 9, maxAgeMs: 5000, timescale: 1000 },
  }]);
  for (const subscription of subscriptions) subscription.close();
  await until(async () => {
    const [left] = await tracks();
    return left.subscribers === 0 && left.upstreamSubscriptions === 0 && left.route === null;
  });
});

Deno.test("long lists come in pages, each with the way to the next", async () => {
  await using under = new RelayUnderTest();
  const app = adminApp(under.view());
  const publisher = await under.client();
  for (let i = 0; i < 7; i++) publisher.publish(`live/${i}`);
  await until(() => under.relay.origin.size === 7);
  const paths: string[][] = [];
  let after = "";
  for (let next: string | undefined = ""; next !== undefined;) {
    const answer: { broadcasts: { path: string }[]; next?: string } = await jsonOf(
      app.request(`/api/v1/broadcasts?limit=3${after}`),
    );
    paths.push(answer.broadcasts.map(({ path }) => path));
    next = answer.next;
    after = `&after=${next}`;
  }
  assert.deepEqual(paths, [["live/0", "live/1", "live/2"], ["live/3", "live/4", "live/5"], [
    "live/6",
  ]]);
  assert.equal((await app.request("/api/v1/tracks?limit=0")).status, 400);
  assert.equal((await app.request("/api/v1/tracks?after=%21")).status, 400);
  for (const list of ["sessions", "tracks", "tokens/revoked"]) {
    assert.equal((await app.request(`/api/v1/${list}?limit=1`)).status, 200);
  }
});

Deno.test("/api/v1/sessions lists every session, and one alone with what is served to it", async () => {
  await using under = new RelayUnderTest();
  const app = adminApp(under.view());
  assert.deepEqual(await jsonOf(app.request("/api/v1/sessions")), { sessions: [] });
  const publisher = await under.client();
  publisher.publish("live/cam").track("video");
  await until(() => under.relay.origin.size === 1);
  const viewer = await under.client("moq-lite-04");
  using _subscription = viewer.subscribe("live/cam", "video", { priority: 3, endGroup: 99 });
  await until(async () =>
    (await jsonOf(app.request("/api/v1/sessions/2"))).subscriptionsServed === 1
  );

  const { sessions } = await jsonOf(app.request("/api/v1/sessions"));
  const startedAt = new Date(under.clock.wallMs()).toISOString();
  const both = {
    transport: "memory",
    remote: "memory:a",
    root: "",
    startedAt,
    jti: null,
    sub: null,
  };
  assert.equal(sessions.length, 2);
  const { hop, ...first } = sessions[0];
  assert.match(hop, /^[1-9]\d*$/);
  assert.deepEqual(first, {
    ...both,
    id: 1,
    dialed: false,
    version: "moq-lite-06",
    subscriptionsServed: 0,
    subscriptionsUpstream: 1,
    announcements: 1,
  });
  assert.equal(sessions[1].version, "moq-lite-04");
  const alone = await jsonOf(app.request("/api/v1/sessions/2"));
  assert.deepEqual({ ...alone, subscriptions: undefined }, {
    ...sessions[1],
    subscriptions: undefined,
  });
  assert.deepEqual(alone.subscriptions, [{
    id: 0,
    broadcast: "live/cam",
    track: "video",
    priority: 3,
    maxLatencyMs: 0,
    startGroup: null,
    endGroup: 99,
  }]);
  assert.equal((await app.request("/api/v1/sessions/3")).status, 404);
  assert.equal((await app.request("/api/v1/sessions/x")).status, 400);
});

Deno.test("/api/v1/broadcasts tells publishers and routes, hops as decimal strings, unknown costs as null", async () => {
  await using under = new RelayUnderTest();
  const app = adminApp(under.view());
  const publisher = await under.client();
  publisher.publish("live/cam");
  await until(() => under.relay.origin.size === 1);
  const { broadcasts: [cam] } = await jsonOf(app.request("/api/v1/broadcasts"));
  assert.equal(cam.path, "live/cam");
  assert.equal(cam.publishers.length, 1);
  const [{ hop, lingering, routes, tracks }] = cam.publishers;
  assert.deepEqual({ lingering, tracks, routes: routes.length }, {
    lingering: false,
    tracks: 0,
    routes: 1,
  });
  assert.match(hop, /^[1-9]\d*$/);
  assert.deepEqual(routes[0].hops, [hop]);
  assert.equal(routes[0].source, "memory:a");
  assert.equal(typeof routes[0].warm, "number");

  const announced = under.relay.origin.announce("far", under.relay.session(1)!.session.source, {
    hops: [0n, (1n << 62n) - 1n],
    warm: Infinity,
    cold: 4,
  });
  const { broadcasts } = await jsonOf(app.request("/api/v1/broadcasts"));
  const [far] = broadcasts.filter(({ path }: { path: string }) => path === "far");
  assert.deepEqual(far.publishers, [{
    hop: null,
    lingering: false,
    routes: [{
      source: "memory:a",
      hops: ["0", "4611686018427387903"],
      warm: null,
      cold: 4,
      offered: 0,
      onlyOffered: false,
    }],
    tracks: 0,
  }]);
  announced?.end();
});

Deno.test("/api/v1/broadcasts tells how many tracks a session publishes one by one, also while it is lost", async () => {
  await using under = new RelayUnderTest();
  const app = adminApp(under.view());
  const publisher = await under.client();
  publisher.publish("live/cam");
  await until(() => under.relay.origin.size === 1);
  const { origin } = under.relay;
  const { source } = origin.find("live/cam")!.best()!;
  const announced = [5n, 6n].map((hop) =>
    origin.announce("room", source, {
      hops: [hop, 0n],
      warm: 0,
      cold: Infinity,
      tracks: new Set([`video ${hop}`]),
      onlyTracks: true,
    })!
  );
  announced[1]!.offer("audio");
  const room = async () => (await jsonOf(app.request("/api/v1/broadcasts"))).broadcasts[1];
  const route = (hop: string, offered: number) => ({
    hop,
    lingering: false,
    routes: [{
      ...{ source: "memory:a", hops: [hop, "0"], warm: 0, cold: null },
      ...{ offered, onlyOffered: true },
    }],
    tracks: 0,
  });
  assert.deepEqual(await room(), { path: "room", publishers: [route("5", 1), route("6", 2)] });
  announced[0]!.end(true);
  const { publishers: [there, lost] } = await room();
  assert.deepEqual(there, route("6", 2));
  assert.deepEqual(lost, { hop: "5", lingering: true, routes: [], tracks: 0 });
  for (const one of announced) one.end();
});

Deno.test("/api/v1/config shows every setting with its origin, tokens masked", async () => {
  await using under = new RelayUnderTest();
  const yaml = 'relay:\n  upstream_url: "https://relay.example/live?jwt=abc.def"\n';
  const app = adminApp(under.view({ yaml }));
  const { settings } = await jsonOf(app.request("/api/v1/config"));
  const of = (key: string) => settings.find((s: { key: string }) => s.key === key);
  assert.deepEqual(of("relay.upstream_url"), {
    key: "relay.upstream_url",
    value: "https://relay.example/live?jwt=***",
    origin: "config.yaml:2:17",
  });
  assert.deepEqual(of("server.cert_file"), {
    key: "server.cert_file",
    value: null,
    origin: "default",
  });
  assert.equal(of("relay.group_cache_size").value, 100);
});

Deno.test("/ready is 503 with its reasons while draining or while every upstream relay is away, whatever peers do", async () => {
  await using under = new RelayUnderTest();
  const states: LinkState[] = ["connected", "connected"];
  const cluster = {
    ...linkedBy(),
    get links() {
      return linkedBy(...states.map((state) => ({ state })), { role: "peer", state: "waiting" })
        .links;
    },
  };
  const app = adminApp(under.view({ cluster }));
  for (const path of ["/ready", "/health/ready"]) {
    states.splice(0, 2, "waiting", "connected");
    under.relay.draining = false;
    const ready = await app.request(path);
    assert.equal(ready.status, 200);
    assert.deepEqual(await ready.json(), { ready: true });
    states[1] = "connecting";
    const away = await app.request(path);
    assert.equal(away.status, 503);
    assert.deepEqual(await away.json(), {
      ready: false,
      reason: "upstream_not_connected",
      reasons: ["upstream_not_connected"],
    });
    under.relay.draining = true;
    const { reasons } = await jsonOf(app.request(path));
    assert.deepEqual(reasons, ["draining", "upstream_not_connected"]);
  }
  const alone = adminApp(under.view());
  assert.deepEqual((await jsonOf(alone.request("/ready"))).reasons, ["draining"]);
  under.relay.draining = false;
  const open = adminApp(under.view({ yaml: 'server: { address: "[::]:4433" }\n' }));
  assert.deepEqual(await jsonOf(open.request("/ready")), {
    ready: true,
    warnings: ["open_to_everybody"],
  });
  assert.equal((await alone.request("/health")).status, 200);
  assert.deepEqual(await jsonOf(alone.request("/health/live")), { status: "alive" });
});

Deno.test("/metrics counts what went through the relay, in well-formed text, and scraping changes nothing", async () => {
  await using under = new RelayUnderTest();
  const app = adminApp(under.view({
    cluster: linkedBy({ attempts: 2 }, { attempts: 1, url: "https://b.example/" }, {
      ...{ role: "peer", attempts: 7, dialed: false, url: "192.0.2.1:5" },
    }),
    node: {
      ...under.view().node,
      handshakesFailed: 5,
      webTransportAnswers: new Map([[200, 6], [404, 7]]),
    },
  }));
  const publisher = await under.client();
  const track = publisher.publish("live/cam").track("video");
  await until(() => under.relay.origin.size === 1);
  const viewer = await under.client("moq-lite-05");
  using subscription = viewer.subscribe("live/cam", "video");
  await until(() => track.subscribers === 1);
  track.write("12345");
  const group = (await subscription.group())!;
  while (await group.frame() !== undefined);
  const scrape = async () => {
    const response = await app.request("/metrics");
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    return readExposition(await response.text());
  };
  await until(async () => (await scrape()).get("qumo_egress_frames_total") === 1);
  const first = await scrape();
  const expected = {
    'qumo_sessions{transport="memory",version="moq-lite-06"}': 1,
    'qumo_sessions{transport="memory",version="moq-lite-05"}': 1,
    "qumo_sessions_opened_total": 2,
    'qumo_handshake_failures_total{stage="quic"}': 5,
    'qumo_webtransport_answers_total{status="4xx"}': 7,
    'qumo_broadcasts{state="live"}': 1,
    "qumo_tracks": 1,
    'qumo_subscriptions{side="served"}': 1,
    'qumo_subscriptions{side="upstream"}': 1,
    "qumo_ingress_groups_total": 1,
    "qumo_ingress_bytes_total": 5,
    "qumo_cached_groups": 1,
    "qumo_frame_pool_slabs": 1,
    "qumo_upstream_connected": 2,
    'qumo_link_attempts_total{link="https://a.example/",role="parent"}': 2,
    "qumo_upstream_attempts_total": 3,
    "qumo_upstream_links_total": 2,
    "qumo_certificate_not_after_timestamp_seconds": 1_701_000_000,
    "qumo_draining": 0,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(first.get(name), value, name);
  for (const name of ["qumo_process_resident_memory_bytes", "qumo_start_time_seconds"]) {
    assert.ok(first.get(name)! > 0, name);
  }
  const ofTheProcess = /^qumo_(process|event_loop|system)_/;
  const second = await scrape();
  for (const [name, value] of first) {
    if (!ofTheProcess.test(name)) assert.equal(second.get(name), value, name);
  }
  assert.deepEqual([...second.keys()], [...first.keys()]);
});

Deno.test("/metrics has a label for every version that is spoken", async () => {
  await using under = new RelayUnderTest();
  const app = adminApp(under.view());
  const series = readExposition(await (await app.request("/metrics")).text());
  for (const name of VERSIONS) {
    assert.ok(series.has(`qumo_sessions{transport="quic",version="${name}"}`), name);
  }
});

Deno.test("The admin interface is never cached or shared, and takes nothing but GET and HEAD", async () => {
  await using under = new RelayUnderTest();
  const app = adminApp(under.view());
  const paths = ["/metrics", "/health", "/health/live", "/health/ready", "/ready"];
  const api = ["sessions", "broadcasts", "tracks", "config"].map((name) => `/api/v1/${name}`);
  for (const path of [...paths, ...api]) {
    const response = await app.request(path);
    assert.equal(response.status, 200, path);
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.equal(response.headers.get("access-control-allow-origin"), null);
    assert.equal((await app.request(path, { method: "HEAD" })).status, 200);
    assert.equal((await app.request(path, { method: "POST" })).status, 405);
  }
  assert.equal((await app.request("/api/v1/nothing")).status, 404);
  assert.equal((await app.request("/")).status, 404);
});

Deno.test("On a loopback address the admin interface answers to this machine's own names alone", async () => {
  await using under = new RelayUnderTest();
  const statusOf = async (yaml: string, host: string) =>
    (await adminApp(under.view({ yaml })).request(`http://${host}/metrics`)).status;
  for (const host of ["127.0.0.1:9090", "[::1]:9090", "localhost:9090", "10.1.2.3"]) {
    assert.equal(await statusOf("", host), 200, host);
  }
  for (const host of ["evil.example:9090", "localhost.evil.example", "1.2.3.4.evil.example"]) {
    assert.equal(await statusOf("", host), 421, host);
  }
  const open = 'admin:\n  address: "0.0.0.0:9090"\n';
  assert.equal(await statusOf(open, "prometheus.internal:9090"), 200);
});

Deno.test("The admin interface lets the page of its own server read, and no other", async () => {
  await using under = new RelayUnderTest();
  const allowed = async (origin: string, yaml = "") => {
    const app = adminApp(under.view({ yaml }));
    const answer = await app.request("http://127.0.0.1:9090/metrics", { headers: { origin } });
    return answer.headers.get("access-control-allow-origin");
  };
  for (const host of ["localhost", "127.0.0.1", "[::1]"]) {
    assert.equal(await allowed(`http://${host}:4433`), `http://${host}:4433`);
  }
  const foreign = ["http://localhost:4434", "http://localhost", "https://localhost:4433", "null"];
  for (const origin of [...foreign, "http://evil.example:4433", "http://127.evil.example:4433"]) {
    assert.equal(await allowed(origin), null, origin);
  }
  // Without pages of its own, or bound to the network, it trusts no page.
  assert.equal(await allowed("http://localhost:4433", "server:\n  http: false\n"), null);
  const open = 'admin:\n  address: "0.0.0.0:9090"\n';
  assert.equal(await allowed("http://localhost:4433", open), null);
});

Deno.test("The answer of the admin interface tells caches that it depends on who asks", async () => {
  await using under = new RelayUnderTest();
  const response = await adminApp(under.view()).request("/metrics");
  assert.equal(response.headers.get("vary"), "Origin");
});
