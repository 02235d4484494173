import assert from "node:assert/strict";
import { need } from "../../tests/support/require.ts";
import { DecodeClock } from "./decode_clock.ts";
import { CATALOG_TRACK } from "../hang/catalog.ts";
import { encode, LIVE, probe, RECIPES } from "../../tests/support/fixtures/ffmpeg_fixtures.ts";
import { HangBroadcast } from "../hang/hang_broadcast.ts";
import { MediaError } from "../media_error.ts";
import { Splitter } from "./splitter.ts";
import { concat } from "../../base/bytes.ts";
import { FrameOpener } from "../hang/frame_opener.ts";
import { FragmentMuxer } from "./fragment_muxer.ts";
import { CatalogVersions } from "../hang/read_catalog.ts";
import type { MediaFrame, Rendition } from "../rendition.ts";

const ignore = !need("ffmpeg").ok;

/** What a reader of the broadcast made of this file gets. */
function received(file: Uint8Array) {
  const broadcast = new HangBroadcast();
  const events = [...new Splitter().push(file.slice())];
  const records = [...events.flatMap((event) => broadcast.take(event)), ...broadcast.end()];
  const catalog = records.find((record) => record.track === CATALOG_TRACK)!;
  const versions = new CatalogVersions();
  versions.take(catalog.payload, true);
  const { renditions } = versions.read();
  const frames = records.flatMap((record) => {
    const rendition = renditions.find(({ name }) => name === record.track);
    if (rendition === undefined) return [];
    const opened = new FrameOpener(rendition).open(
      record.payload,
      record.group,
      record.keyframe ? 0 : 1,
    );
    return opened!.map((frame) => ({ name: record.track, frame }));
  });
  return { renditions, frames };
}

/** Decodes everything. @returns What ffmpeg says to it: nothing when it is in order. */
async function complaintsOf(file: Uint8Array): Promise<string> {
  const path = await Deno.makeTempFile({ suffix: ".mp4" });
  try {
    await Deno.writeFile(path, file);
    const args = ["-v", "warning", "-xerror", "-i", path, "-f", "null", "-"];
    const { stderr, success } = await new Deno.Command("ffmpeg", { args }).output();
    // The fixture itself has two audio frames at one time here and there: an audio track cannot have that.
    const odd = /^.*non monotonically increasing dts to muxer in stream 1.*\n/gm;
    const said = new TextDecoder().decode(stderr).replace(odd, "");
    return success ? said : `failed: ${said}`;
  } finally {
    await Deno.remove(path);
  }
}

function muxed(renditions: Rendition[], frames: { name: string; frame: MediaFrame }[]) {
  const muxer = new FragmentMuxer(renditions);
  for (const { name, frame } of frames) muxer.learn(name, frame);
  assert.ok(muxer.ready);
  const fragments = frames.map(({ name, frame }) => muxer.fragment(name, [frame]));
  return concat([muxer.init(), ...fragments]);
}

for (const recipe of RECIPES) {
  Deno.test({
    name: `FragmentMuxer writes again what was read, and it decodes: ${recipe.name}`,
    ignore,
    async fn() {
      const { renditions, frames } = received(await encode(recipe));
      const again = muxed(renditions, frames);
      const packets = await probe(again);
      for (const [i, { name }] of renditions.entries()) {
        const sent = frames.filter((frame) => frame.name === name).map(({ frame }) => frame);
        const got = packets.filter((packet) => packet.streamIndex === i);
        assert.deepEqual(got.map((p) => p.sizeBytes), sent.map((f) => f.payload.length));
        assert.deepEqual(got.map((p) => p.keyframe), sent.map((f) => f.keyframe));
        // ffprobe begins its axis at the first decode time; each distance is the same.
        const shift = got[0]!.timestampUs - sent[0]!.timestampUs;
        for (const [k, packet] of got.entries()) {
          const off = Math.abs(packet.timestampUs - sent[k]!.timestampUs - shift);
          assert.ok(off <= 25, `frame ${k} of ${name} is off by ${off} µs`);
        }
      }
      assert.equal(await complaintsOf(again), "");
    },
  });
}

Deno.test({
  name: "FragmentMuxer finds the parameter sets of Annex B in the first keyframe: H.264 and H.265",
  ignore,
  async fn() {
    for (const recipe of [RECIPES[0]!, RECIPES.find(({ name }) => name.startsWith("H.265"))!]) {
      const { renditions, frames } = received(await encode(recipe));
      const video = renditions.find(({ kind }) => kind === "video")!;
      const { description, ...bare } = video;
      const sets = parameterSets(video.codec, description!);
      const annexB = frames.filter(({ name }) => name === video.name).map(({ name, frame }) => ({
        name,
        frame: { ...frame, payload: toAnnexB(frame.payload, frame.keyframe ? sets : []) },
      }));
      const muxer = new FragmentMuxer([bare]);
      assert.equal(muxer.ready, false);
      assert.throws(() => muxer.init(), MediaError);
      assert.equal(await complaintsOf(muxed([bare], annexB)), "");
    }
  },
});

Deno.test("FragmentMuxer refuses a codec that has no place in an MP4, before anything is written", () => {
  const odd = { kind: "video", name: "v", codec: "theora", container: "legacy" } as const;
  assert.throws(() => new FragmentMuxer([odd]), /theora has no place/);
  assert.throws(() => new FragmentMuxer([]), MediaError);
});

Deno.test("DecodeClock gives times that rise, and that no frame is shown before", () => {
  // I P B B P B B, in units of one frame.
  const shown = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8];
  const clock = new DecodeClock(1);
  const decoded = shown.map((time) => clock.next(time, 1));
  assert.deepEqual(decoded, [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

Deno.test("DecodeClock learns how far frames overtake each other", () => {
  const shown = [0, 30, 10, 20, 60, 40, 50, 90, 70, 80];
  const clock = new DecodeClock();
  const decoded = shown.map((time) => clock.next(time, 10));
  for (let i = 1; i < decoded.length; i++) assert.ok(decoded[i]! > decoded[i - 1]!);
  assert.ok(decoded.slice(5).every((time, i) => time <= shown[i + 5]!), String(decoded));
});

function toAnnexB(payload: Uint8Array, before: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const start = Uint8Array.of(0, 0, 0, 1);
  const parts = before.flatMap((unit) => [start, unit]);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  for (let at = 0; at < payload.length;) {
    const length = view.getUint32(at);
    parts.push(start, payload.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return concat(parts);
}

function parameterSets(codec: string, description: Uint8Array): Uint8Array[] {
  const view = new DataView(description.buffer, description.byteOffset, description.byteLength);
  const units: Uint8Array[] = [];
  let at: number;
  const take = (count: number) => {
    for (let i = 0; i < count; i++) {
      const length = view.getUint16(at);
      units.push(description.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  };
  if (codec.startsWith("avc")) {
    at = 6;
    take(description[5]! & 31);
    take(description[at++]!);
    return units;
  }
  at = 23;
  for (let array = 0; array < description[22]!; array++) {
    const count = view.getUint16(at + 1);
    at += 3;
    take(count);
  }
  return units;
}

Deno.test({
  name: "a whole group makes one fragment, its last frame as long as the next group is away",
  ignore,
  async fn() {
    const file = await encode({ name: "", codecs: "-an -c:v libx264 -g 15 -bf 2", movflags: LIVE });
    const { renditions, frames } = received(file);
    const groups = [...Map.groupBy(frames, ({ frame }) => frame.group).values()];
    assert.equal(groups.length, 4);
    const muxer = new FragmentMuxer(renditions);
    const fragments = groups.map((group, i) =>
      muxer.fragment("video0", group.map((f) => f.frame), groups[i + 1]?.[0]?.frame.timestampUs)
    );
    const whole = concat([muxer.init(), ...fragments]);
    assert.equal(await complaintsOf(whole), "");
    assert.equal((await probe(whole)).length, 60);
    const events = [...new Splitter().push(whole)].filter((event) => event.type === "sample");
    let end: number | undefined;
    for (const { decodeTimeUs, durationUs } of events) {
      if (end !== undefined) {
        assert.ok(Math.abs(decodeTimeUs - end) <= 25, `${decodeTimeUs} ${end}`);
      }
      end = decodeTimeUs + durationUs;
    }
  },
});

Deno.test("frames of one time are written two milliseconds apart: players round, and drop one of two", () => {
  const muxer = new FragmentMuxer([{
    ...{ kind: "video", name: "v", codec: "vp09.00.11.08", container: "legacy" },
    ...{ width: 64, height: 48, framerate: 25 },
  }]);
  const payload = Uint8Array.of(0x82, 1, 2);
  const fragments = [0, 40_000, 40_000, 80_000].map((timestampUs) =>
    muxer.fragment("v", [{ timestampUs, keyframe: true, payload }])
  );
  const samples = [...new Splitter().push(concat([muxer.init(), ...fragments]))]
    .filter((event) => event.type === "sample");
  assert.deepEqual(samples.map((sample) => sample.decodeTimeUs), [0, 40_000, 42_000, 80_000]);
  assert.deepEqual(samples.map((sample) => sample.timestampUs), [0, 40_000, 40_000, 80_000]);
});
