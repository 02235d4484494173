import assert from "node:assert/strict";
import { VERSION } from "../base/version.ts";
import { CATALOG, Exposition } from "./catalog.ts";
import { readExposition } from "../tests/support/fixtures/exposition.ts";
import type { MetricsSnapshot } from "./snapshot.ts";
import { sampleSnapshot } from "../tests/support/fixtures/metrics.ts";

const METRICS = CATALOG.flatMap(({ metrics }) => metrics);

Deno.test("CATALOG names every metric once, with a unit or a plain noun, and counters with _total", () => {
  const names = METRICS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { name, type, help } of METRICS) {
    assert.match(name, /^qumo_[a-z0-9_]+$/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
    assert.match(help, /^[^\n|]*\.$/, `${name}: a sentence on one line`);
  }
});

Deno.test("Exposition.render() writes what the text format allows, each metric and series once", async () => {
  const series = readExposition(await new Exposition().render(sampleSnapshot()));
  const named = new Set([...series.keys()].map((key) => key.replace(/\{.*/, "")));
  assert.deepEqual(named, new Set(METRICS.map(({ name }) => name)));
});

Deno.test("Exposition.render() adds up sessions of one kind and puts unknown versions under other", async () => {
  const series = readExposition(await new Exposition().render(sampleSnapshot()));
  const sessions = (transport: string, version: string) =>
    series.get(`qumo_sessions{transport="${transport}",version="${version}"}`);
  assert.equal(sessions("quic", "moq-lite-06"), 5);
  assert.equal(sessions("webtransport", "moq-lite-05"), 4);
  assert.equal(sessions("quic", "other"), 1);
  assert.equal(sessions("websocket", "moq-lite-01"), 0);
});

Deno.test("Exposition.render() carries each number of the snapshot in the unit of the name", async () => {
  const series = readExposition(await new Exposition().render(sampleSnapshot()));
  const expected = {
    "qumo_sessions_opened_total": 101,
    'qumo_handshake_failures_total{stage="session"}': 14,
    'qumo_webtransport_answers_total{status="2xx"}': 15,
    'qumo_websocket_answers_total{status="2xx"}': 18,
    'qumo_webtransport_answers_total{status="4xx"}': 33,
    'qumo_webtransport_answers_total{status="5xx"}': 0,
    'qumo_broadcasts{state="lingering"}': 19,
    'qumo_subscriptions{side="upstream"}': 24,
    'qumo_subscriptions_opened_total{side="served"}': 23,
    "qumo_ingress_bytes_total": 28,
    "qumo_egress_groups_cut_total": 37,
    "qumo_announcements_looped_total": 40,
    "qumo_cached_groups": 21,
    "qumo_frame_pool_used_bytes": 42,
    "qumo_upstream_connected": 1,
    "qumo_upstream_links_total": 48,
    'qumo_plugin_status{name="door",kind="ingress",plugin="rtsp",status="running"}': 1,
    'qumo_plugin_status{name="door",kind="ingress",plugin="rtsp",status="failed"}': 0,
    'qumo_plugin_restarts_total{name="door",kind="ingress",plugin="rtsp"}': 70,
    'qumo_plugin_bytes_out_total{name="door",kind="ingress",plugin="rtsp"}': 74,
    'qumo_plugin_latency_seconds{name="door",kind="ingress",plugin="rtsp"}': 0.077,
    "qumo_system_udp_receive_drops_total": 49,
    "qumo_certificate_not_after_timestamp_seconds": 1_800_000_000,
    "qumo_uptime_seconds": 12.5,
    'qumo_process_cpu_seconds_total{mode="system"}': 5.5,
    [`qumo_build_info{version="${VERSION}"}`]: 1,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(series.get(name), value, name);
});

Deno.test("every number of the snapshot is in a metric", async () => {
  const exposition = new Exposition();
  const before = await exposition.render(sampleSnapshot());
  const numbers: string[] = [];
  const unseen: string[] = [];
  /** Changes each number within `at`, which is a part of `snapshot`, and looks whether anybody sees it. */
  const look = async (snapshot: MetricsSnapshot, at: Record<string, unknown>, path: string) => {
    for (const [key, value] of Object.entries(at)) {
      if (typeof value === "object" && value !== null) {
        await look(snapshot, value as Record<string, unknown>, `${path}${key}.`);
      }
      if (typeof value !== "number") continue;
      numbers.push(path + key);
      at[key] = value + 1e6;
      if (await exposition.render(snapshot) === before) unseen.push(path + key);
      at[key] = value;
    }
  };
  const snapshot = sampleSnapshot();
  await look(snapshot, snapshot as unknown as Record<string, unknown>, "");
  assert.ok(numbers.includes("media.bytesOut") && numbers.includes("plugins.0.stats.errors"));
  assert.deepEqual(unseen, []);
});

Deno.test("Exposition.render() of one snapshot twice, even at the same time, is the same text", async () => {
  const exposition = new Exposition();
  const [a, b] = await Promise.all([
    exposition.render(sampleSnapshot()),
    exposition.render(sampleSnapshot()),
  ]);
  assert.equal(a, b);
  assert.equal(await exposition.render(sampleSnapshot()), a);
});

Deno.test("Exposition.render() leaves out what there is nothing to say of, also after it was there", async () => {
  const exposition = new Exposition();
  await exposition.render(sampleSnapshot());
  const without = { ...sampleSnapshot(), upstream: undefined, udpReceiveDrops: undefined };
  const series = readExposition(await exposition.render(without));
  const left = [...series.keys()].filter((name) => /upstream_|udp_/.test(name));
  assert.deepEqual(left, []);
});

Deno.test("readExposition() refuses what Prometheus would", () => {
  const head = "# HELP a_b Help.\n# TYPE a_b gauge\n";
  assert.equal(readExposition(`${head}a_b{c="d"} 1.5e3\n`).get('a_b{c="d"}'), 1500);
  for (
    const wrong of [
      "a_b 1\n",
      `${head}a_b 1`,
      `${head}a_b 1\na_b 2\n`,
      `${head}a_b{c=d} 1\n`,
      `${head}a_b one\n`,
      `${head}a_c 1\n`,
      `${head}${head}a_b 1\n`,
      "# TYPE a_b gauge\na_b 1\n",
    ]
  ) assert.throws(() => readExposition(wrong), SyntaxError, wrong);
});
