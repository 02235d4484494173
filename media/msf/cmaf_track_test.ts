import assert from "node:assert/strict";
import { MemoryRelay } from "../../tests/support/plugin_run.ts";
import { until } from "../../tests/support/server.ts";
import type { Client } from "../../client/mod.ts";
import type { GroupReader } from "../../client/frames.ts";
import { concat } from "../../base/bytes.ts";
import { encodeLegacyFrame } from "../hang/legacy_frame.ts";
import type { SampleEvent } from "../mp4/media_track.ts";
import { FragmentMuxer } from "../mp4/fragment_muxer.ts";
import { Splitter } from "../mp4/splitter.ts";
import type { Rendition } from "../rendition.ts";
import { CmafTrack } from "./cmaf_track.ts";

const PICTURE: Rendition = {
  ...{ kind: "video", name: "video0", codec: "vp09.00.11.08", container: "legacy" },
  ...{ width: 64, height: 48, framerate: 25 },
};
const SOUND: Rendition = {
  ...{ kind: "audio", name: "audio0", codec: "opus", container: "legacy" },
  ...{ sampleRateHz: 48_000, channels: 2 },
};

/** A rendition in hang's container and as CMAF, and a reader of it over a relay in memory. */
async function offered(rendition: Rendition) {
  const at = new MemoryRelay();
  const [publisher, reader] = [await at.client(), await at.client()];
  const broadcast = publisher.publish("demo");
  const info = { timescale: 1_000_000 };
  const source = broadcast.track(rendition.name, info);
  const track = broadcast.track(`${rendition.name}.cmaf`, info);
  new CmafTrack({ rendition, source, track });
  for await (const _announced of reader.announced()) break;
  return {
    ...{ source, track, reader, rendition },
    /** One group; it stays open unless `ends`. */
    group(timesMs: readonly number[], ends = true, sequence = source.nextGroup) {
      const group = source.group(sequence);
      const write = (ms: number) => group.write(frameAt(ms), ms * 1000);
      for (const ms of timesMs) write(ms);
      if (ends) group.close();
      return { write, close: () => group.close(), abort: () => group.abort() };
    },
    async [Symbol.asyncDispose]() {
      broadcast.close();
      await publisher.close();
      await reader.close();
      await at[Symbol.asyncDispose]();
    },
  };
}

/** Its bytes say its time. */
const bytesAt = (ms: number) => Uint8Array.of(0x82, ms >> 8, ms & 0xff);
const frameAt = (ms: number) => encodeLegacyFrame(ms * 1000, bytesAt(ms));

/** The frames of a fragment, read by our own MP4 reader. */
function opened(rendition: Rendition, fragments: readonly Uint8Array[]) {
  const file = concat([new FragmentMuxer([rendition]).init(), ...fragments]);
  return [...new Splitter().push(file)].filter((e): e is SampleEvent => e.type === "sample")
    .map(({ timestampUs, durationUs, keyframe, data }) => ({
      ms: Math.round(timestampUs / 1000),
      lengthMs: Math.round(durationUs / 1000),
      keyframe,
      data: data.slice(),
    }));
}

function read(client: Client, rendition: Rendition) {
  const track = client.subscribe("demo", `${rendition.name}.cmaf`);
  return {
    next: () => track.group(),
    close: () => track.close(),
    async frames(group: GroupReader | undefined, count = Infinity) {
      const fragments: Uint8Array[] = [];
      while (fragments.length < count) {
        const frame = await group!.frame();
        if (frame === undefined) break;
        fragments.push(frame.payload);
      }
      return opened(rendition, fragments);
    },
  };
}

Deno.test("a picture's CMAF track has the same groups, a fragment for each frame, and exact lengths", async () => {
  await using demo = await offered(PICTURE);
  demo.group([0, 40, 80], true, 7);
  const open = demo.group([120, 160], false);
  const viewer = read(demo.reader, PICTURE);
  const group = await viewer.next();
  assert.equal(group!.sequence, 8);
  // Joined in the middle: it begins with the keyframe of the group that runs.
  open.write(300);
  open.close();
  demo.group([340, 380]);
  const frames = await viewer.frames(group);
  assert.deepEqual(frames, [
    { ms: 120, lengthMs: 40, keyframe: true, data: bytesAt(120) },
    { ms: 160, lengthMs: 140, keyframe: false, data: bytesAt(160) },
    { ms: 300, lengthMs: 40, keyframe: false, data: bytesAt(300) },
  ]);
  const next = await viewer.next();
  assert.equal(next!.sequence, 9);
  const [first] = await viewer.frames(next, 1);
  assert.deepEqual([first!.ms, first!.keyframe], [340, true]);
  viewer.close();
});

Deno.test("nothing is made while nobody reads, and it begins again for the next reader", async () => {
  await using demo = await offered(SOUND);
  for (let ms = 0; ms < 100; ms += 20) demo.group([ms]);
  assert.equal(demo.track.nextGroup, 0);
  assert.equal(demo.source.subscribers, 0);

  const first = read(demo.reader, SOUND);
  const running = await first.next();
  assert.deepEqual((await first.frames(running, 1)).map(({ ms }) => ms), [80]);
  demo.group([100]);
  assert.deepEqual(await first.frames(running, 1), [
    { ms: 100, lengthMs: 20, keyframe: true, data: bytesAt(100) },
  ]);
  running!.close();
  first.close();
  await until(() => demo.track.subscribers === 0, "the relay to leave");
  await until(() => demo.source.subscribers === 0, "it to leave its source");
  const made = demo.track.nextGroup;
  for (let ms = 140; ms < 200; ms += 20) demo.group([ms]);
  assert.equal(demo.track.nextGroup, made);

  const again = read(demo.reader, SOUND);
  const group = await again.next();
  assert.deepEqual((await again.frames(group, 1)).map(({ ms }) => ms), [180]);
  group!.close();
  again.close();
});

Deno.test("sound of a second shares a group; numbers begin with the source's and miss none", async () => {
  await using demo = await offered(SOUND);
  demo.group([0], true, 500);
  const viewer = read(demo.reader, SOUND);
  const groups = [await viewer.next()];
  for (let ms = 20; ms <= 2000; ms += 20) demo.group([ms]);
  demo.source.close();
  for (let group; (group = await viewer.next()) !== undefined;) groups.push(group);
  assert.deepEqual(groups.map((group) => group!.sequence), [500, 501, 502]);
  const frames = await Promise.all(groups.map((group) => viewer.frames(group)));
  assert.deepEqual(frames.map((all) => [all.length, all[0]!.ms]), [[50, 0], [50, 1000], [1, 2000]]);
  viewer.close();
});

Deno.test("a group that breaks off costs its rest; the next one is whole", async () => {
  await using demo = await offered(PICTURE);
  const broken = demo.group([0, 40], false);
  const viewer = read(demo.reader, PICTURE);
  const first = await viewer.next();
  assert.equal((await viewer.frames(first, 1)).length, 1);
  broken.abort();
  demo.group([120, 160]);
  const second = await viewer.next();
  assert.deepEqual((await viewer.frames(second, 1)).map(({ ms }) => ms), [120]);
  viewer.close();
});

Deno.test("the track ends with its source, after the last frame", async () => {
  await using demo = await offered(PICTURE);
  demo.group([0, 40]);
  const viewer = read(demo.reader, PICTURE);
  const group = await viewer.next();
  demo.source.close();
  assert.deepEqual((await viewer.frames(group)).map(({ ms }) => ms), [0, 40]);
  assert.equal(await viewer.next(), undefined);
  viewer.close();
});

Deno.test("it is left at once, in the middle of a group, and the next reader gets that group from its start", async () => {
  await using demo = await offered(PICTURE);
  const group = demo.group([0, 40, 80], false);
  for (let i = 0; i < 3; i++) {
    const viewer = read(demo.reader, PICTURE);
    const got = await viewer.next();
    assert.deepEqual((await viewer.frames(got, 2)).map(({ ms }) => ms), [0, 40]);
    got!.close();
    viewer.close();
    await until(() => demo.source.subscribers === 0, "it to leave its source");
  }
  group.close();
});

Deno.test("a frame that is no frame is left out", async () => {
  await using demo = await offered(PICTURE);
  const group = demo.source.group();
  group.write(frameAt(0), 0);
  group.write(Uint8Array.of(0xc0), 1); // a time that is cut short
  group.write(Uint8Array.of(5), 2); // a marker
  group.write(frameAt(40), 40_000);
  group.close();
  demo.source.close();
  const viewer = read(demo.reader, PICTURE);
  const frames = await viewer.frames(await viewer.next());
  assert.deepEqual(frames.map(({ ms }) => ms), [0, 40]);
  viewer.close();
});
