/** What one broadcast can do to the recordings of the others, and to the disk: nothing. */
import assert from "node:assert/strict";
import { ManualClock } from "../support/manual_clock.ts";
import { type Logger, silent } from "../../base/logger.ts";
import type { BroadcastProducer, Client } from "../../client/mod.ts";
import { record } from "../../plugins/egress/record/mod.ts";
import { Bucket } from "../../plugins/egress/s3/bucket.ts";
import { s3 } from "../../plugins/egress/s3/mod.ts";
import { SILENT_MS } from "../../plugins/live_set.ts";
import { audioOnly } from "../../plugins/transform/audio_only/mod.ts";
import { encodeLegacyFrame } from "../../media/hang/legacy_frame.ts";
import { MemoryRelay, runPlugin } from "../support/plugin_run.ts";
import { startS3 } from "../support/peers/s3.ts";
import { until } from "../support/server.ts";

const VP8 = { codec: "vp8", codedWidth: 16, codedHeight: 16, framerate: 25 };
const LONG = "界".repeat(100);

/** A broadcast of pictures that nobody decodes. */
class Pictures implements Disposable {
  readonly broadcast: BroadcastProducer;

  constructor(client: Client, path: string, names: readonly string[] = ["video0"]) {
    this.broadcast = client.publish(path);
    for (const name of names) this.broadcast.track(name);
    this.describe(Object.fromEntries(names.map((name) => [name, VP8])));
  }

  describe(renditions: Readonly<Record<string, unknown>>): void {
    this.broadcast.track("catalog.json").write(JSON.stringify({ video: { renditions } }));
  }

  /** A group of one keyframe. */
  frame(timestampUs: number, name = "video0", bytes = 100): void {
    const payload = encodeLegacyFrame(timestampUs, new Uint8Array(bytes));
    this.broadcast.track(name).write(payload, timestampUs);
  }

  [Symbol.dispose](): void {
    this.broadcast.close();
  }
}

/** Files below a directory that are whole, and their sizes. */
async function filesOf(directory: string, under = ""): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const { name, isDirectory } of Deno.readDir(directory + under)) {
    const path = `${under}/${name}`;
    if (isDirectory) { for (const entry of await filesOf(directory, path)) found.set(...entry); }
    else if (name.endsWith(".mp4")) found.set(path, (await Deno.stat(directory + path)).size);
  }
  return found;
}

async function recording(
  work: (at: MemoryRelay, client: Client, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "qumo-relay-test-" });
  try {
    await using at = new MemoryRelay();
    await using client = await at.client();
    await work(at, client, directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Frames that are 40 ms apart, until something is true. */
async function play(pictures: readonly Pictures[], done: () => boolean | Promise<boolean>) {
  for (let i = 0; !await done(); i++) {
    if (i > 1000) throw new Error("played in vain");
    for (const one of pictures) one.frame(1_000_000 + i * 40_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("broadcasts of any name are recorded beside each other, and none stops the others", () =>
  recording(async (at, client, directory) => {
    const names = [
      ...["cam", "Cam", "CAM", "é", "e\u0301", LONG, `${LONG}x`, "con", "nul.txt", "a. ", "a~b"],
      ...[
        "x.part",
        "x.mp4",
        "deep/".repeat(20) + LONG,
        "D/".repeat(31) + "e",
        "\u202e\u0007",
      ],
    ];
    const run = await runPlugin(record.create(), at, { directory, fragment: "100ms" });
    const all = names.map((name) => new Pictures(client, name));
    await play(all, () => run.ctx.stats.framesOut > 20 * names.length);
    for (const one of all) one.broadcast.close();
    await until(async () => (await filesOf(directory)).size >= names.length, "files", 20_000);
    await run.end();
    const files = [...(await filesOf(directory)).keys()];
    const folders = new Set(files.map((path) => path.slice(0, path.lastIndexOf("/"))));
    assert.equal(folders.size, names.length, files.join("\n"));
    const alike = (path: string) => path.normalize("NFKD").toUpperCase().toLowerCase();
    assert.equal(new Set([...folders].map(alike)).size, names.length, files.join("\n"));
    for (const path of files) {
      const parts = path.split("/").map((part) => new TextEncoder().encode(part).length);
      assert.ok(Math.max(...parts) < 200 && path.length < 700, path);
    }
    assert.ok(folders.has("/cam"));
    assert.equal(run.ctx.stats.errors, 0);
  }));

Deno.test("a broadcast that cannot be recorded is told and tried again; the others go on", () =>
  recording(async (at, client, directory) => {
    await Deno.writeTextFile(`${directory}/bad`, "a file where its directory should be");
    const run = await runPlugin(record.create(), at, { directory, fragment: "100ms" });
    using good = new Pictures(client, "good");
    using bad = new Pictures(client, "bad");
    await play([good, bad], () => run.ctx.stats.errors > 0 && run.ctx.stats.framesOut > 60);
    assert.match(String(run.told.at(-1)), /^bad: Cannot record to .*bad/);
    await Deno.remove(`${directory}/bad`);
    await play([good, bad], async () => {
      const found = await Array.fromAsync(Deno.readDir(directory));
      return found.some(({ name, isDirectory }) => name === "bad" && isDirectory);
    });
    await run.end();
    const files = [...(await filesOf(directory)).keys()];
    assert.deepEqual(files.map((path) => path.split("/")[1]).sort(), ["bad", "good"]);
  }));

Deno.test("a catalogue of 400 renditions takes no streams from others; what is not served is told and counted", () =>
  recording(async (at, client, directory) => {
    const warned: string[] = [];
    const log: Logger = { ...silent, warn: (text) => void warned.push(text), with: () => log };
    const run = await runPlugin(record.create(), at, { directory, fragment: "100ms" }, { log });
    const names = Array.from({ length: 400 }, (_, i) => `v${i}`);
    using greedy = new Pictures(client, "greedy", names);
    await until(() => run.ctx.stats.notServed === 368, "the count");
    assert.equal(run.told.at(-1), "greedy: 368 renditions of its catalog are not served");
    assert.deepEqual(warned, ["renditions of a broadcast are not served"]);
    const subscribed = () =>
      names.filter((name) => greedy.broadcast.track(name).subscribers > 0).length;
    await until(() => subscribed() === 32, "32 tracks");
    using cam = new Pictures(client, "cam");
    await play([cam], () => run.ctx.stats.framesOut > 20);
    assert.equal(subscribed(), 32);
    greedy.describe({ v0: VP8 });
    await until(() => run.ctx.stats.notServed === 0, "nothing left out");
    assert.equal(run.told.at(-1), undefined);
    await run.end();
  }));

Deno.test("of a hundred broadcasts max_broadcasts are recorded, and those that wait are counted and told", () =>
  recording(async (at, client, directory) => {
    const run = await runPlugin(record.create(), at, { directory, max_broadcasts: 3 });
    const all = Array.from({ length: 100 }, (_, i) => new Pictures(client, `cam${i}`));
    await until(() => run.ctx.stats.notServed === 97, "those that wait");
    assert.equal(run.told.at(-1), "97 more than max_broadcasts (3) wait");
    await play(all, () => run.ctx.stats.framesOut > 20);
    for (const one of all.slice(0, 98)) one.broadcast.close();
    await play(all.slice(98), () => run.told.at(-1) === undefined);
    assert.equal(run.ctx.stats.notServed, 0);
    const before = run.ctx.stats.framesOut;
    await play(all.slice(98), () => run.ctx.stats.framesOut > before + 20);
    for (const one of all.slice(98)) one.broadcast.close();
    await run.end();
    const folders = [...(await filesOf(directory)).keys()].map((path) => path.split("/")[1]);
    assert.ok(folders.includes("cam98") && folders.includes("cam99"), folders.join());
  }));

Deno.test("seventy broadcasts that say nothing keep no other from being recorded", () =>
  recording(async (at, client, directory) => {
    const clock = new ManualClock();
    const run = await runPlugin(record.create(), at, { directory }, { ctx: { clock } });
    for (let i = 0; i < 70; i++) client.publish(`silent${i}`).track("catalog.json");
    await until(() => run.ctx.stats.notServed === 6, "64 places to be taken");
    using cam = new Pictures(client, "cam");
    await until(() => run.ctx.stats.notServed === 7, "cam to wait");
    clock.advance(SILENT_MS);
    await play([cam], () => run.ctx.stats.framesOut > 20);
    assert.equal(run.ctx.stats.errors, 0);
    await run.end();
  }));

Deno.test("times that jump with every frame make a handful of files; times that stand still are written all the same", () =>
  recording(async (at, client, directory) => {
    const run = await runPlugin(record.create(), at, { directory });
    using jumps = new Pictures(client, "jumps");
    using still = new Pictures(client, "still");
    const { stats } = run.ctx;
    for (let i = 0; i < 400; i++) {
      jumps.frame((i % 100) * 3_600_000_000 + i);
      still.frame(5_000_000, "video0", 20_000);
      if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await until(() => stats.skipped > 100, "frames that are left out");
    for (const one of [jumps, still]) one.broadcast.close();
    const of = async (name: string) =>
      [...await filesOf(directory)].filter(([path]) => path.startsWith(`/${name}/`));
    await until(
      async () => (await of("still")).length > 0 && (await of("jumps")).length > 0,
      "end",
    );
    await run.end();
    const count = (await of("jumps")).length;
    assert.ok(count > 1 && count <= 10, `${count} files`);
    assert.equal((await of("still")).length, 1);
  }));

Deno.test("s3: broadcasts and renditions of any name have keys of their own", async () => {
  await using server = await startS3();
  await using at = new MemoryRelay();
  await using client = await at.client();
  const names = [
    ...["cam", "Cam", LONG, `${LONG}x`, "D/".repeat(31) + LONG, "cam/video0", "a. ", "100%"],
    ...["cam/video0/media.m3u8", "cam/master.m3u8"],
  ];
  const run = await runPlugin(s3.create(), at, {
    ...{ ...server.options, segment: "1s", prefix: "p/".repeat(128) },
  });
  const all = names.map((name) => new Pictures(client, name, ["video0", "a/b", "a//b", "A/b"]));
  const frames = async (done: () => boolean) => {
    for (let i = 0; !done(); i++) {
      if (i > 1000) throw new Error("played in vain");
      for (const one of all) {
        for (const name of ["video0", "a/b", "a//b", "A/b"]) one.frame(i * 40_000, name);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await frames(() => run.ctx.stats.framesOut > names.length * 4 * 40);
  for (const one of all) one.broadcast.close();
  await run.end();
  assert.equal(run.ctx.stats.errors, 0, run.told.join("\n"));
  const bucket = new Bucket({
    ...{ endpoint: server.endpoint, bucket: "archive", region: "us-east-1", requestTimeout: 5000 },
    ...{ accessKeyId: "S3RVER", secretAccessKey: "S3RVER" },
  });
  const keys = (await bucket.list("")).map(({ key }) => key);
  const folders = keys.filter((key) => key.endsWith("/master.m3u8"));
  assert.equal(folders.length, names.length, folders.join("\n"));
  assert.equal(keys.filter((key) => key.endsWith("/media.m3u8")).length, names.length * 4);
  for (const key of keys) assert.ok(new TextEncoder().encode(key).length < 1024, key);
});

Deno.test("s3: what the bucket refuses is not asked for without end, and others are stored", async () => {
  await using server = await startS3();
  await using at = new MemoryRelay();
  await using client = await at.client();
  const refused = new Map<string, number>();
  await using door = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (asked) => {
      const { pathname, search } = new URL(asked.url);
      if (asked.method === "PUT" && pathname.includes("/bad/")) {
        await asked.body?.cancel();
        refused.set(pathname, (refused.get(pathname) ?? 0) + 1);
        const body = "<Error><Code>InvalidArgument</Code><Message>no</Message></Error>";
        return new Response(body, { status: 400, headers: { "content-type": "application/xml" } });
      }
      const headers = new Headers(asked.headers);
      headers.delete("host");
      const body = asked.method === "PUT" ? await asked.bytes() : null;
      return await fetch(server.endpoint + pathname + search, {
        method: asked.method,
        headers,
        body,
      });
    },
  );
  const endpoint = `http://127.0.0.1:${door.addr.port}`;
  const run = await runPlugin(s3.create(), at, { ...server.options, endpoint, segment: "1s" });
  using bad = new Pictures(client, "bad");
  using good = new Pictures(client, "good");
  await play(
    [bad, good],
    () => run.told.some((text) => /^bad: .*InvalidArgument/.test(text ?? "")),
  );
  const framesOut = run.ctx.stats.framesOut;
  await play([bad, good], () => run.ctx.stats.framesOut > framesOut + 20);
  for (const one of [bad, good]) one.broadcast.close();
  await run.end();
  assert.ok(Math.max(...refused.values()) <= 4, JSON.stringify([...refused]));
  const list = await (await fetch(`${server.endpoint}/archive/good/video0/media.m3u8`)).text();
  assert.match(list, /#EXTINF[\s\S]*#EXT-X-ENDLIST/);
});

Deno.test("a transform whose output cannot have a name for one broadcast works on the others", async () => {
  await using at = new MemoryRelay();
  await using client = await at.client();
  const run = await runPlugin(audioOnly.create(), at, { input: "**" });
  const catalog = JSON.stringify({ audio: { renditions: { a: { codec: "opus" } } } });
  // The length of a path is limited. With the suffix that a transform adds, it is too long.
  const sources = ["x".repeat(1024), "cam"].map((path) => client.publish(path));
  for (const source of sources) {
    source.track("a");
    source.track("catalog.json").write(catalog);
  }
  await until(() => run.told.some((text) => /^x+…x+: /.test(text ?? "")), "the failure");
  using news = client.announced("cam-audio");
  for await (const { active } of news) if (active) break;
  for (const source of sources) source.close();
  await run.end();
});
