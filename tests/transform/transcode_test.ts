import assert from "node:assert/strict";
import { transcode } from "../../plugins/transform/transcode/mod.ts";
import { need } from "../support/require.ts";
import { catalogOf, decoded, framesOf, TransformTest } from "../support/media/transform_run.ts";

const ignore = !need("ffmpeg").ok;

Deno.test({
  name: "transcode publishes a ladder in one broadcast: each step decodes in its own size",
  ignore,
  async fn() {
    await using test = new TransformTest();
    await using _ = await test.source("cam");
    const run = await test.run(transcode, {
      input: "cam",
      renditions: [
        { codec: "copy" },
        { height: 120, bitrate: 300 },
        { name: "small", codec: "vp9", height: 90, bitrate: 200, fps: 15 },
      ],
    });
    const live = await (await test.lives("cam-ladder", run))();
    const renditions = await catalogOf(live);
    const video = Object.fromEntries(
      renditions.filter((one) => one.kind === "video").map((one) => [one.name, one]),
    );
    assert.deepEqual(Object.keys(video).sort(), ["120p", "small", "source"]);
    assert.deepEqual(renditions.filter((o) => o.kind === "audio").map((o) => o.codec), ["opus"]);
    assert.deepEqual(
      [video["120p"]!, video.small!].map((v) => [v.height, v.bitrate, v.framerate]),
      [[120, 300_000, 30], [90, 200_000, 15]],
    );
    const frames = await Promise.all(renditions.map((one) => framesOf(live, one, 25)));
    for (const [i, rendition] of renditions.entries()) {
      if (rendition.kind !== "video") continue;
      const picture = await decoded(rendition, frames[i]!);
      const [width, height] = { source: [320, 180], "120p": [214, 120], small: [160, 90] }[
        rendition.name
      ]!;
      assert.deepEqual([picture.width, picture.height], [width, height], rendition.name);
      // Key frames where the input has them, so that a player can change over there.
      const keys = frames[i]!.filter(({ keyframe }) => keyframe).map((f) => f.timestampUs);
      for (const us of keys.map((us) => (us - keys[0]!) / 500_000)) {
        assert.ok(Math.abs(us - Math.round(us)) < 0.15, `${rendition.name}: ${keys}`);
      }
    }
    const [copy, low] = ["source", "120p"].map((name) =>
      frames[renditions.findIndex((one) => one.name === name)]!
    );
    const times = new Set(low!.map(({ timestampUs }) => timestampUs));
    assert.ok(copy!.some(({ timestampUs }) => times.has(timestampUs)), "the same times in both");
  },
});

Deno.test({
  name: "transcode refuses names that are used twice, and steps it does not know, with their place",
  async fn() {
    await using test = new TransformTest();
    const refused = (renditions: unknown, reason: RegExp) =>
      assert.rejects(
        async () => void await test.run(transcode, { input: "a", renditions }),
        reason,
      );
    await refused([{ height: 360 }, { height: 360 }], /renditions\.1\.name: .*"360p"/);
    await refused([{ codec: "mpeg2" }], /renditions\.0\.codec: expected one of/);
    await refused([{ hight: 3 }], /renditions\.0\.hight: unknown key; did you mean "height"/);
    await refused([], /renditions/);
  },
});
