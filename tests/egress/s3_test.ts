/** The plugin `s3` against an S3-compatible server: what is stored is played by ffmpeg. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { connect } from "../../client/mod.ts";
import { Bucket } from "../../plugins/egress/s3/bucket.ts";
import { s3 } from "../../plugins/egress/s3/mod.ts";
import { fromFileUrl } from "../../tools/file_url.ts";
import { startRelay } from "../support/program.ts";
import type { PluginContext, RecordingDone } from "../../plugins/plugin.ts";
import { sweep } from "../../plugins/egress/s3/sweep.ts";
import { MemoryRelay, type PluginRun, runPlugin } from "../support/plugin_run.ts";
import { probe, publishMedia } from "../support/media/publish_media.ts";
import { need } from "../support/require.ts";
import { type S3Server, startS3 } from "../support/peers/s3.ts";
import { until } from "../support/server.ts";

const ignore = !need("ffmpeg").ok;

const CONFIG = fromFileUrl(new URL("../../configs/archive-to-s3.yaml", import.meta.url));

const archive = (
  at: MemoryRelay,
  server: S3Server,
  options: Record<string, unknown> = {},
  ctx: Partial<PluginContext> = {},
) =>
  runPlugin(s3.create(), at, {
    ...{ ...server.options, segment: "1s", prefix: "tv/", ...options },
  }, { ctx });

function bucketOf(server: S3Server): Bucket {
  const login = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER", region: "us-east-1" };
  return new Bucket({
    endpoint: server.endpoint,
    bucket: "archive",
    requestTimeout: 5_000,
    ...login,
  });
}

/** This server overwrites an object while it is read. Then there is nothing to see yet. */
const playlistOf = async (server: S3Server) =>
  await bucketOf(server).text("tv/cam/video0/media.m3u8").catch(() => undefined) ?? "";

const ended = (server: S3Server) =>
  until(
    async () =>
      (await playlistOf(server)).includes("#EXT-X-ENDLIST") &&
      await bucketOf(server).text("tv/cam/master.m3u8") !== undefined,
    "the end of the playlist",
    20_000,
  );

const play = (server: S3Server) => probe(`${server.endpoint}/archive/tv/cam/master.m3u8`);

/** Frames of all segments of a playlist, each with its header. */
async function storedFrames(server: S3Server, text: string): Promise<number> {
  const file = await Deno.makeTempFile({ suffix: ".mp4" });
  const read = async (name: string) =>
    await (await fetch(`${server.endpoint}/archive/tv/cam/video0/${name}`)).bytes();
  let [frames, init] = [0, ""];
  for (const line of text.split("\n")) {
    init = /^#EXT-X-MAP:URI="(.+)"/.exec(line)?.[1] ?? init;
    if (!line.endsWith(".m4s")) continue;
    await Deno.writeFile(file, await read(init));
    await Deno.writeFile(file, await read(line), { append: true });
    frames += (await probe(file)).frames.h264!;
  }
  await Deno.remove(file);
  return frames;
}

Deno.test({
  name: "s3 stores segments and playlists that ffmpeg plays, and goes on with them after a restart",
  ignore,
  async fn() {
    await using server = await startS3();
    await using at = new MemoryRelay();
    await using client = await at.client();
    const recorded: RecordingDone[] = [];
    let run = await archive(at, server, {}, { recorded: (done) => void recorded.push(done) });
    await using first = publishMedia(client, "cam", { seconds: 3 });
    await first.ended;
    await ended(server);
    await until(() => recorded.length === 1, "the news of it");
    const { bytes, ...where } = recorded[0]!;
    assert.deepEqual(where, { broadcast: "cam", location: "s3://archive/tv/cam/master.m3u8" });
    assert.equal(bytes, run.ctx.stats.bytesOut);
    assert.equal((await play(server)).frames.h264, 90);
    await run.end();

    run = await archive(at, server);
    await using second = publishMedia(client, "cam", { seconds: 2 });
    await until(async () => !(await playlistOf(server)).includes("#EXT-X-ENDLIST"), "more", 20_000);
    await second.ended;
    await ended(server);
    const text = await playlistOf(server);
    assert.equal(text.split("#EXT-X-DISCONTINUITY\n").length, 2, text);
    assert.equal(text.split("#EXTINF").length, 6);
    assert.equal(await storedFrames(server, text), 150);
    assert.ok((await play(server)).frames.h264! > 90);
    assert.ok(run.ctx.stats.bytesOut > 10_000);
    await run.end();
  },
});

Deno.test({
  name: "a bucket that is down is said, segments wait for it, and none is lost",
  ignore,
  async fn() {
    await using server = await startS3();
    await using at = new MemoryRelay();
    await using client = await at.client();
    const run = await archive(at, server);
    await using media = publishMedia(client, "cam", { seconds: 5 });
    await until(async () => (await playlistOf(server)).includes("#EXTINF"), "a segment", 20_000);
    await server.stop();
    const down = /Connection refused.*segments wait/;
    await until(() => run.told.some((text) => down.test(text ?? "")), "the status", 20_000);
    await server.start();
    await media.ended;
    await ended(server);
    assert.equal((await play(server)).frames.h264, 150);
    assert.equal(run.told.at(-1), undefined);
    assert.doesNotMatch(JSON.stringify(run.told), /S3RVER/);
    await run.end();
  },
});

Deno.test({
  name:
    "s3 says when no more can wait and goes on later; it fails when there is no bucket, and without a key",
  ignore,
  async fn() {
    await using server = await startS3();
    await using at = new MemoryRelay();
    await using client = await at.client();
    const codecs = "-c:v libx264 -preset ultrafast -tune zerolatency -g 30 -b:v 8M -an";
    await using _media = publishMedia(client, "cam", { size: "1280x720", codecs });
    const run: PluginRun = await archive(at, server, { max_waiting: "1MB" });
    await until(async () => (await playlistOf(server)).includes("#EXTINF"), "a segment", 20_000);
    await server.stop();
    const full = /cam: Cannot keep more segments waiting .*Connection refused/;
    await until(() => run.told.some((text) => full.test(text ?? "")), "the status", 20_000);
    assert.equal(run.ctx.stats.errors > 0, true);
    const down = await archive(at, server);
    await assert.rejects(down.done, { code: "QUMO_BUCKET_FAILED", message: /cannot be reached/ });
    await down.end();
    await server.start();
    const segments = async () => (await playlistOf(server)).split("#EXTINF").length;
    const before = await segments();
    await until(async () => await segments() > before, "what waited, and what came after", 20_000);
    await run.end();

    const none = await archive(at, server, { bucket: "other" });
    await assert.rejects(none.done, { message: /the bucket .*other: / });
    await none.end();
    const unknown = await archive(at, server, { access_key_id: "wrong" });
    await assert.rejects(unknown.done, { message: /InvalidAccessKeyId \(403\)/ });
    await unknown.end();
    await assert.rejects(archive(at, server, { secret_access_key: "" }), {
      code: "QUMO_PLUGIN_OPTIONS",
      message: /secret_access_key: not given/,
    });
  },
});

Deno.test({
  name: "segments that are too old leave the playlist and the bucket, others' objects stay",
  ignore,
  async fn() {
    await using server = await startS3();
    await using at = new MemoryRelay();
    await using client = await at.client();
    const bucket = bucketOf(server);
    await bucket.put("tv/cam/video0/20200101T000000000Z.m4s", "old", "video/mp4");
    await bucket.put("tv/holiday.mp4", "mine", "video/mp4");
    const run = await archive(at, server);
    await using media = publishMedia(client, "cam", { seconds: 4 });
    await media.ended;
    await ended(server);
    await run.end();
    const before = (await playlistOf(server)).match(/(?<=DATE-TIME:).*/g)!;
    assert.equal(before.length, 4);
    // In between the second and the third.
    assert.ok(await sweep(bucket, "tv/", Date.parse(before[2]!) - 300, []) >= 3);
    const text = await playlistOf(server);
    assert.match(text, /MEDIA-SEQUENCE:2\n/);
    const keys = (await bucket.list("tv/")).map(({ key }) => key);
    const stored = keys.filter((key) => /video0\/2.*\.m4s$/.test(key)).length;
    assert.equal(stored, 2, keys.join("\n"));
    assert.ok(!keys.some((key) => key.includes("20200101")) && keys.includes("tv/holiday.mp4"));
    const { frames } = await play(server);
    assert.ok(frames.h264! >= 30, JSON.stringify(frames));
  },
});

Deno.test({
  name:
    "configs/archive-to-s3.yaml: the program archives a broadcast with the key of its environment",
  ignore,
  async fn() {
    await using server = await startS3();
    const config = parse(await Deno.readTextFile(CONFIG));
    Object.assign(config.plugins[0].options, {
      ...{ endpoint: server.endpoint, segment: "1s", request_timeout: "5s" },
    });
    const file = await Deno.makeTempFile({ suffix: ".yaml" });
    await Deno.writeTextFile(file, JSON.stringify(config));
    const env = { AWS_ACCESS_KEY_ID: "S3RVER", AWS_SECRET_ACCESS_KEY: "S3RVER" };
    await using relay = await startRelay(["--config", file], { env });
    await using client = await connect(relay.url);
    await using _media = publishMedia(client, "live/cam");
    const at = `${server.endpoint}/archive/tv/live/cam`;
    await until(
      async () => {
        const answer = await fetch(`${at}/video0/media.m3u8`).catch(() => undefined);
        return (await answer?.text().catch(() => ""))?.includes("#EXTINF") ?? false;
      },
      "a segment",
      30_000,
    );
    assert.doesNotMatch(relay.output(), /S3RVER/);
    await Deno.remove(file);
  },
});

Deno.test("large objects are stored in several parts and come back whole", async () => {
  await using server = await startS3();
  const asked: string[] = [];
  const { fetch: plain } = globalThis;
  globalThis.fetch = (input, init) => {
    asked.push(String(input));
    return plain(input, init);
  };
  using _ = { [Symbol.dispose]: () => void (globalThis.fetch = plain) };
  const bucket = bucketOf(server);
  const body = new Uint8Array(20 * 1024 * 1024).map((_, i) => i % 251);
  await bucket.put("big", body, "video/mp4");
  const answer = await fetch(`${server.endpoint}/archive/big`);
  assert.equal(asked.filter((url) => url.includes("partNumber=")).length, 3);
  const sums = await Promise.all(
    [await answer.bytes(), body].map(async (bytes) =>
      new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex()
    ),
  );
  assert.equal(sums[0], sums[1]);
  await bucket.delete(["big"]);
  assert.deepEqual(await bucket.list(""), []);
});
