/** The watermark with real encoders: the tests look for the mark in the decoded output. */
import assert from "node:assert/strict";
import { watermark } from "../../plugins/transform/watermark/mod.ts";
import { need } from "../support/require.ts";
import { until } from "../support/server.ts";
import {
  catalogOf,
  decoded,
  framesOf,
  lit,
  TransformTest,
} from "../support/media/transform_run.ts";
import type { MediaFrame } from "../../media/rendition.ts";

const ignore = !need("ffmpeg").ok;
const TOP_RIGHT = [0.8, 0, 1, 0.3] as const;
const LEFT = [0, 0, 0.75, 1] as const;

/** A white square as a PNG file, for as long as `work` takes. */
async function withImage(work: (path: string) => Promise<void>) {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/it's a [mark]; 1:2, white.png`;
  const white = "-v error -f lavfi -i color=white:size=64x64 -frames:v 1 -update 1".split(" ");
  try {
    const args = [...white, `file:${path}`];
    const { success } = await new Deno.Command("ffmpeg", { args }).output();
    assert.ok(success);
    await work(path);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test({
  name: "watermark puts its image on the picture and nowhere else, leaves the sound as it is",
  ignore,
  async fn() {
    await withImage(async (image) => {
      await using test = new TransformTest();
      await using _ = await test.source("cam");
      const run = await test.run(watermark, { input: "cam", image, bitrate: 1000 });
      const live = await (await test.lives("cam-marked", run))();
      const [video, audio, ...more] = await catalogOf(live);
      assert.deepEqual([video!.kind, audio!.kind, more.length], ["video", "audio", 0]);
      assert.equal(video!.kind === "video" && video!.width, 320);
      const input = await (await test.lives("cam"))();
      const before = (await catalogOf(input))[1]!;
      assert.deepEqual([audio!.codec, audio!.name], [before.codec, before.name]);
      const [frames, sound, heard] = await Promise.all([
        framesOf(live, video!, 40),
        framesOf(live, audio!, 60),
        framesOf(input, before, 60),
      ]);
      const picture = await decoded(video!, frames.slice(0, 15));
      assert.ok(lit(picture, TOP_RIGHT) > 600, `${lit(picture, TOP_RIGHT)} pixels of the mark`);
      assert.equal(lit(picture, LEFT), 0);
      // The same bytes at the same times.
      const keyOf = ({ timestampUs, payload }: MediaFrame) => `${timestampUs} ${payload}`;
      const known = new Set(heard.map(keyOf));
      const [fromUs, toUs] = [heard[0]!.timestampUs, heard.at(-1)!.timestampUs];
      const both = sound.filter((one) => one.timestampUs > fromUs && one.timestampUs < toUs);
      assert.ok(both.length > 10, `${both.length} frames of both`);
      assert.ok(both.every((frame) => known.has(keyOf(frame))));
      // Keyframes where the input has them, and the input's own times.
      const key = frames.filter(({ keyframe }) => keyframe).map(({ timestampUs }) => timestampUs);
      assert.ok(key.length >= 2);
      for (let i = 1; i < key.length; i++) {
        assert.equal(Math.round((key[i]! - key[i - 1]!) / 1e4), 50);
      }
      assert.ok(Math.abs(frames[0]!.timestampUs - sound[0]!.timestampUs) < 1_500_000);
      const { stats } = run.ctx;
      assert.ok(stats.latencyMs > 0 && stats.latencyMs < 5000, `${stats.latencyMs} ms`);
      assert.equal(stats.skipped, 0);
    });
  },
});

Deno.test({
  name: "watermark writes any text, goes when its input goes and returns with it",
  ignore,
  async fn() {
    await using test = new TransformTest();
    const first = await test.source("rooms/a");
    const run = await test.run(watermark, {
      input: "rooms/*",
      output: "marked/{name}",
      text: String.raw`%{pts} 'it''s' 100%: [a], b; c\d`,
      position: "top-left",
      size: 20,
      codec: "h264",
      keyframe_every: "500ms",
    });
    const next = await test.lives("marked/rooms/a", run);
    const live = await next();
    const [video] = await catalogOf(live);
    const picture = await decoded(video!, (await framesOf(live, video!, 20)).slice(0, 10));
    assert.ok(lit(picture, [0, 0, 1, 0.4]) > 300);
    assert.equal(lit(picture, [0, 0.5, 1, 1]), 0);
    await first[Symbol.asyncDispose]();
    await until(() => live.gone.aborted, "the withdrawal", 20_000);
    await using _ = await test.source("rooms/a");
    const back = await next();
    assert.equal((await framesOf(back, (await catalogOf(back))[0]!, 5)).length, 5);
  },
});

Deno.test({
  name: "watermark encodes as H.265, VP9 and AV1 as well",
  ignore,
  async fn() {
    await using test = new TransformTest();
    await using _ = await test.source("cam");
    for (const [codec, name] of [["h265", "hvc1"], ["vp9", "vp09"], ["av1", "av01"]] as const) {
      const options = { input: "cam", output: codec, text: "MARK", preset: "ultrafast" };
      const mark = { position: "center", size: 40, codec };
      const run = await test.run(watermark, { ...options, ...mark });
      const live = await (await test.lives(codec, run))();
      const [video] = await catalogOf(live);
      assert.equal(video!.codec.split(".")[0], name);
      const picture = await decoded(video!, (await framesOf(live, video!, 6)).slice(0, 6));
      assert.ok(lit(picture, [0, 0.3, 1, 0.7]) > 300, codec);
      assert.equal(lit(picture, [0, 0, 1, 0.2]), 0, codec);
      await run.end();
    }
  },
});

Deno.test({
  name: "watermark says what is wrong with a font, an image, and options",
  ignore,
  async fn() {
    await using test = new TransformTest();
    await using _ = await test.source("cam");
    const failing = async (options: Record<string, unknown>, reason: RegExp) => {
      const run = await test.run(watermark, { input: "cam", ...options });
      await assert.rejects(run.done, reason);
      await run.end();
    };
    await failing(
      { text: "x", font_file: "/no/font.ttf" },
      /font_file \/no\/font\.ttf: there is no/,
    );
    const noFonts = await Deno.makeTempFile();
    await Deno.writeTextFile(noFonts, '<?xml version="1.0"?><fontconfig></fontconfig>');
    Deno.env.set("FONTCONFIG_FILE", noFonts);
    try {
      await failing({ text: "x" }, /finds no font .*set font_file/);
    } finally {
      Deno.env.delete("FONTCONFIG_FILE");
      await Deno.remove(noFonts);
    }
    await failing({ image: "/no/logo.png" }, /image \/no\/logo\.png: there is no such file/);
    await failing({ image: "/etc/passwd" }, /ffmpeg has ended: .*/);
    const refused = (options: Record<string, unknown>, reason: RegExp) =>
      assert.rejects(async () => void await test.run(watermark, options), reason);
    await refused({ input: "cam" }, /either `image` or `text`/);
    await refused({ input: "cam", text: "x", image: "y" }, /either `image` or `text`/);
    await refused(
      { input: "a/*", output: "b", text: "x" },
      /output: expected a name with \{name\}/,
    );
    await refused({ input: "cam", output: "cam", text: "x" }, /another name/);
    await refused({ input: "cam", text: "x", color: "red:x=1" }, /color: expected/);
  },
});
