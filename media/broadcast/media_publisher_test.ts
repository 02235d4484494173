import assert from "node:assert/strict";
import { MemoryRelay, newStats } from "../../tests/support/plugin_run.ts";
import { need } from "../../tests/support/require.ts";
import { encode, LIVE, RECIPES } from "../../tests/support/fixtures/ffmpeg_fixtures.ts";
import { MSF_CATALOG_TRACK } from "../hang/catalog.ts";
import { MediaPublisher } from "./media_publisher.ts";
import { broadcasts } from "../../tests/support/media/broadcasts.ts";
import type { LiveMedia } from "./live_media.ts";
import type { MediaFrame, Rendition } from "../rendition.ts";

const ignore = !need("ffmpeg").ok;
const file = ignore ? new Uint8Array() : await encode(RECIPES[0]!);
const vp9 = ignore ? new Uint8Array() : await encode({
  name: "",
  codecs: "-an -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 30",
  movflags: LIVE,
  lengthSeconds: 1,
});

/** Gives bytes out in pieces, the rest of them once `more` fulfils. */
function input(bytes: Uint8Array, more?: Promise<void>): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at > bytes.length / 4) await more;
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += 4096));
    },
  });
}

async function setUp() {
  const at = new MemoryRelay();
  const [publisher, reader] = [await at.client(), await at.client()];
  const stats = newStats();
  const media = new MediaPublisher({ client: publisher, path: "cam", stats });
  const lives = broadcasts(reader, "cam");
  return {
    at,
    media,
    stats,
    lives,
    reader,
    next: async () => (await lives.next()).value as LiveMedia,
    async [Symbol.asyncDispose]() {
      media.withdraw();
      await lives.return();
      await publisher.close();
      await reader.close();
      await at[Symbol.asyncDispose]();
    },
  };
}

/** All frames of all renditions of the first catalog, until the broadcast is gone. */
async function readAll(live: LiveMedia, onfirst: () => void) {
  const catalogs = live.catalogs();
  const renditions: Rendition[] = (await catalogs.next()).value;
  let running = 0;
  const frames = await Promise.all(renditions.map(async (rendition) => {
    const read: MediaFrame[] = [];
    for await (const frame of live.frames(rendition)) {
      if (read.push(frame) === 1 && ++running === renditions.length) onfirst();
    }
    return read;
  }));
  await catalogs.return(undefined);
  return { renditions, frames };
}

Deno.test({
  name: "what is published is read back: catalog, keyframes first, in order, until the withdrawal",
  ignore,
  async fn() {
    await using test = await setUp();
    const { media, stats } = test;
    const more = Promise.withResolvers<void>();
    const sent = media.stream(input(file, more.promise));
    const live = await test.next();
    const reading = readAll(live, () => more.resolve());
    assert.equal(await sent, stats.framesIn);
    media.withdraw();
    const { renditions, frames } = await reading;
    assert.deepEqual(renditions.map(({ codec }) => codec), ["avc1.42c00d", "mp4a.40.2"]);
    assert.equal(renditions[0]!.kind === "video" && renditions[0]!.width, 320);
    for (const one of frames) {
      assert.equal(one[0]!.keyframe, true);
      assert.ok(one.length > 30, `${one.length} frames`);
      for (let i = 1; i < one.length; i++) {
        assert.ok(one[i]!.group >= one[i - 1]!.group);
        assert.ok(one[i]!.timestampUs >= one[i - 1]!.timestampUs);
      }
    }
    assert.equal(live.gone.aborted, true);
    assert.equal(stats.skipped, 0);
  },
});

Deno.test({
  name: "the MSF catalog stands beside hang's, and its reader finds the same tracks",
  ignore,
  async fn() {
    await using test = await setUp();
    await test.media.stream(input(file));
    await test.next();
    const track = test.reader.subscribe("cam", MSF_CATALOG_TRACK);
    const group = await track.group();
    const frame = await group!.frame();
    const msf = JSON.parse(new TextDecoder().decode(frame!.payload));
    assert.equal(msf.version, "draft-01");
    assert.deepEqual(
      msf.tracks.map((t: Record<string, unknown>) => [t.name, t.role, t.packaging]),
      [
        ["video0.cmaf", undefined, "cmaf"],
        ["audio0.cmaf", undefined, "cmaf"],
        ["video0", "video", "legacy"],
        ["audio0", "audio", "legacy"],
      ],
    );
    const avcC = msf.initDataList.find((d: { id: string }) => d.id === msf.tracks[2].initRef);
    assert.equal(Uint8Array.fromBase64(avcC.data)[0], 1);
    group!.close();
    track.close();
  },
});

Deno.test({
  name: "a second stream goes on in time and numbers; another codec gets another track and catalog",
  ignore,
  async fn() {
    await using test = await setUp();
    const { media } = test;
    await media.stream(input(file));
    const live = await test.next();
    const catalogs = live.catalogs();
    const [video] = (await catalogs.next()).value as Rendition[];
    const frames = live.frames(video!);
    const first = (await frames.next()).value as MediaFrame;
    await media.stream(input(file));
    let last = first;
    while (last.group < first.group + 2) last = (await frames.next()).value as MediaFrame;
    assert.ok(last.timestampUs > 2_000_000, `${last.timestampUs}`);
    await media.stream(input(vp9));
    const changed = (await catalogs.next()).value as Rendition[];
    assert.deepEqual(changed.map(({ name, codec }) => [name, codec]), [[
      "video1",
      "vp09.00.11.08",
    ]]);
    await frames.return(undefined);
    await catalogs.return(undefined);
  },
});

Deno.test({
  name: "a broadcast that returns is found again, and goes on where it was",
  ignore,
  async fn() {
    await using test = await setUp();
    await test.media.stream(input(vp9));
    const before = await test.next();
    test.media.withdraw();
    await test.media.stream(input(vp9));
    const after = await test.next();
    assert.notEqual(before, after);
    assert.equal(before.gone.aborted, true);
    const reading = readAll(after, () => test.media.withdraw());
    const { frames: [video] } = await reading;
    assert.ok(video!.at(-1)!.group > 0);
    assert.ok(video!.at(-1)!.timestampUs >= 1_900_000);
  },
});

Deno.test({
  name: "damage is stepped over and counted, and the picture goes on at the next keyframe",
  ignore,
  async fn() {
    await using test = await setUp();
    const damaged = file.slice();
    // From within the first group into the second: half a second of noise.
    const [from, to] = [Math.round(file.length * 0.3), Math.round(file.length * 0.4)];
    for (let i = from; i < to; i++) damaged[i] = (i * 7919) & 255;
    await test.media.stream(input(damaged));
    const live = await test.next();
    const { frames: [video, audio] } = await readAll(live, () => test.media.withdraw());
    assert.ok(test.stats.skipped > 0);
    assert.ok(test.stats.framesIn > 70, `${test.stats.framesIn} of 155 frames`);
    assert.equal(video![0]!.keyframe, true);
    assert.ok(video!.at(-1)!.timestampUs > 1_900_000);
    assert.ok(audio!.at(-1)!.timestampUs > 1_800_000);
  },
});

Deno.test("input that is no MP4 is refused with the reason, and nothing is announced", async () => {
  await using test = await setUp();
  const noise = new Uint8Array(5000).fill(65);
  await assert.rejects(test.media.stream(input(noise)), /does not begin as an MP4 does/);
  await assert.rejects(test.media.stream(input(new Uint8Array())), /ends before its moov/);
  assert.equal(test.media.live, false);
});
