/** Recorded broadcasts: groups that the cache has forgotten come from the storage, to every kind of reader. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { type Logger, silent } from "../../base/logger.ts";
import type { BroadcastProducer, Client } from "../../client/mod.ts";
import type { DvrGroupsJson, DvrJson } from "../../server/dvr/dvr_http.ts";
import { redisServer, startRedis } from "../support/peers/redis.ts";
import { launch, type Launched, until } from "../support/server.ts";

const GROUPS = 12;
const CATALOG = JSON.stringify({ video: { renditions: { "video/hd": { codec: "avc1.42e01e" } } } });

/** Publishes a catalog and twelve groups of three frames, and waits until all are kept. */
async function record(server: Launched, broadcast: BroadcastProducer): Promise<void> {
  broadcast.track("catalog.json").write(CATALOG);
  const track = broadcast.track("video/hd");
  const { dvr } = server.server.view;
  await until(() => dvr?.recording === 2, "the recorder");
  for (let n = 0; n < GROUPS; n++) {
    const group = track.group();
    for (let i = 0; i < 3; i++) group.write(`${n}.${i}`, n * 1000 + i);
    group.close();
    await until(() => dvr!.store.stats.appends >= n * 3 + 1, "the groups to be kept");
  }
}

async function textsOf(client: Client, group: number): Promise<string[]> {
  const reader = await client.fetch("live/cam", "video/hd", group);
  const texts: string[] = [];
  for await (const { payload, timestamp } of reader) {
    texts.push(`${new TextDecoder().decode(payload)}@${timestamp}`);
  }
  return texts;
}

const FLAGS = {
  "storage.record": "live/*",
  "relay.group_cache_size": "3",
};

async function check(flags: Record<string, string>): Promise<void> {
  await using server = await launch({ flags: { ...FLAGS, ...flags } });
  await using publisher = await server.client("moqt", { groupCacheSize: 2 });
  using broadcast = publisher.publish("live/cam");
  await record(server, broadcast);
  const http = `http://127.0.0.1:${server.port}`;
  const key = { broadcast: "live/cam", track: "video/hd" };
  const { store } = server.server.view.dvr!;
  await until(
    async () => (await store.groups(key, 0)).filter((g) => g.whole).length === GROUPS,
    "all",
  );

  for (const version of ["moq-lite-06", "moq-lite-05", "moq-lite-03"] as const) {
    await using viewer = await server.client("moqt", { versions: [version] });
    const stamp = (i: number) => version === "moq-lite-03" ? "" : `@${2000 + i}`;
    const got = (await textsOf(viewer, 2)).map((t) =>
      version === "moq-lite-03" ? t.split("@")[0] : t
    );
    deepStrictEqual(got, [0, 1, 2].map((i) => `2.${i}${stamp(i)}`));
    await rejects(textsOf(viewer, 99));
  }
  strictEqual(await (await fetch(`${http}/fetch/live/cam/video%2Fhd?group=0`)).text(), "0.00.10.2");
  const { relay } = server.server;
  ok(relay.stats.fetchesFromArchive >= 4);

  const list: DvrJson = await (await fetch(`${http}/dvr/live/cam`)).json();
  const kept = list.tracks.find((t) => t.track === "video/hd")!;
  deepStrictEqual([kept.firstGroup, kept.lastGroup, kept.frames], [0, GROUPS - 1, 3 * GROUPS]);
  ok(kept.fromMs <= kept.toMs && kept.toMs <= list.nowMs && kept.fromMs > list.nowMs - 60_000);
  const groups: DvrGroupsJson = await (await fetch(
    `${http}/dvr/live/cam?track=video%2Fhd&at=${kept.toMs}&limit=3`,
  )).json();
  strictEqual(groups.groups.at(-1)!.group, GROUPS - 1);
  deepStrictEqual((await (await fetch(`${http}/dvr/live/other`)).json()).tracks, []);
  const bad = await fetch(`${http}/dvr/live/cam?track=x&at=now`);
  strictEqual(bad.status, 400);
  await bad.body?.cancel();
  const metrics = await (await fetch(`${server.adminUrl}/metrics`)).text();
  ok(/qumo_storage_appends_total 3[67]\b/.test(metrics), metrics);
  ok(/qumo_storage_recorded_tracks 2\b/.test(metrics));
}

Deno.test("groups the relay and the publisher have forgotten are fetched from memory", () =>
  check({}));

Deno.test({
  name: "groups the relay and the publisher have forgotten are fetched from Redis",
  ignore: !redisServer.ok,
  async fn() {
    await using redis = await startRedis();
    await check({ "storage.type": "redis", "storage.redis_url": redis.url });
  },
});

Deno.test("what does not match is not recorded", async () => {
  await using server = await launch({ flags: FLAGS });
  await using publisher = await server.client();
  using other = publisher.publish("other/cam");
  other.track("catalog.json").write(CATALOG);
  using wanted = publisher.publish("live/cam");
  wanted.track("catalog.json").write(CATALOG);
  await until(() => server.server.view.dvr?.recording === 2, "the recorder");
  const answer = await fetch(`http://127.0.0.1:${server.port}/dvr/other/cam`);
  deepStrictEqual((await answer.json()).tracks, []);
  await using plain = await launch();
  const off = await fetch(`http://127.0.0.1:${plain.port}/dvr/live/cam`);
  const { recording, tracks }: DvrJson = await off.json();
  deepStrictEqual({ recording, tracks }, { recording: false, tracks: [] });
});

/** A catalog of renditions with these names. */
const named = (names: readonly string[]) =>
  JSON.stringify({
    video: { renditions: Object.fromEntries(names.map((name) => [name, { codec: "vp8" }])) },
  });
const several = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, i) => `${prefix}.${i}`);

Deno.test("250 catalogues that each name other tracks do not leave recorders behind", async () => {
  const warned: string[] = [];
  const log: Logger = { ...silent, warn: (text) => void warned.push(text), with: () => log };
  await using server = await launch({ flags: FLAGS, log });
  await using publisher = await server.client();
  using broadcast = publisher.publish("live/cam");
  const catalog = broadcast.track("catalog.json");
  const { dvr } = server.server.view;
  let most = 0;
  for (let n = 0; n < 250; n++) {
    catalog.write(named(several(n === 249 ? 400 : 32, `v${n}`)));
    await until(() => {
      most = Math.max(most, dvr!.recording);
      return n > 19 || dvr!.recording === 33;
    }, "the recorders");
  }
  await until(() => dvr!.notRecorded > 0, "what is not recorded");
  // Changes that come too fast are caught up with: all allowed tracks of the last catalog are recorded.
  await until(() => dvr!.notRecorded === 368, "the last catalogue", 20_000);
  strictEqual(most, 33);
  strictEqual(dvr!.recording, 33);
  const answer: DvrJson = await (await fetch(`http://127.0.0.1:${server.port}/dvr/live/cam`))
    .json();
  strictEqual(answer.notRecorded, 368);
  const metrics = await (await fetch(`${server.adminUrl}/metrics`)).text();
  ok(/qumo_storage_tracks_not_recorded 368\b/.test(metrics));
  ok(warned.includes("tracks of a broadcast are not recorded"), "the log");
  catalog.write(named(["one"]));
  await until(() => dvr!.recording === 2 && dvr!.notRecorded === 0, "one track", 20_000);
});

Deno.test("storage.record_max_tracks bounds the recorders of all broadcasts, and who waits comes next", async () => {
  await using server = await launch({ flags: { ...FLAGS, "storage.record_max_tracks": "40" } });
  await using publisher = await server.client();
  const { dvr } = server.server.view;
  using first = publisher.publish("live/first");
  first.track("catalog.json").write(named(several(32, "v")));
  await until(() => dvr!.recording === 33, "the first");
  using second = publisher.publish("live/second");
  second.track("catalog.json").write(named([...several(32, "w"), "__proto__", "catalog.json"]));
  await until(() => dvr!.notRecordedOf("live/second") === 28, "what is not recorded");
  strictEqual(dvr!.recording, 40);
  strictEqual(dvr!.notRecordedOf("live/first"), 0);
  first.close();
  await until(() => dvr!.recording === 33 && dvr!.notRecorded === 2, "those that waited", 20_000);
});
