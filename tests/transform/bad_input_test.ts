/** What transforms do with media that is damaged, changes its shape, or jumps in time; and with an ffmpeg that dies. */
import assert from "node:assert/strict";
import { encode, LIVE } from "../support/fixtures/ffmpeg_fixtures.ts";
import { BroadcastWriter } from "../../media/broadcast/broadcast_writer.ts";
import { HangBroadcast } from "../../media/hang/hang_broadcast.ts";
import { Splitter } from "../../media/mp4/splitter.ts";
import { Pace } from "../../media/pace.ts";
import { MediaPublisher } from "../../media/broadcast/media_publisher.ts";
import { transcode } from "../../plugins/transform/transcode/mod.ts";
import { watermark } from "../../plugins/transform/watermark/mod.ts";
import { newStats } from "../support/plugin_run.ts";
import { need } from "../support/require.ts";
import { catalogOf, decoded, framesOf, TransformTest } from "../support/media/transform_run.ts";

const ignore = !need("ffmpeg").ok;
const X264 = "-an -c:v libx264 -preset ultrafast -tune zerolatency -g 15";

/** A publisher that sends files at their own speed. */
async function publisherAt(test: TransformTest) {
  const client = await test.at.client();
  const publisher = new MediaPublisher({ client, path: "cam", stats: newStats() });
  return {
    publisher,
    play: (file: Uint8Array) =>
      publisher.stream(ReadableStream.from([file.slice()]), { paced: true }),
    async [Symbol.asyncDispose]() {
      publisher.withdraw();
      await client.close();
    },
  };
}

Deno.test({
  name: "watermark goes on through another resolution, and another codec, in mid-stream",
  ignore,
  async fn() {
    const recipe = { name: "", movflags: LIVE, lengthSeconds: 3 };
    const [small, large, vp9] = await Promise.all([
      encode({ ...recipe, codecs: X264 }),
      encode({ ...recipe, codecs: `${X264} -s 480x270` }),
      encode({ ...recipe, codecs: "-an -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 15" }),
    ]);
    await using test = new TransformTest();
    await using source = await publisherAt(test);
    const run = await test.run(watermark, { input: "cam", text: "x", preset: "ultrafast" });
    const next = await test.lives("cam-marked", run);
    const sent = (async () => {
      for (const file of [small, large, vp9]) await source.play(file);
    })();
    const live = await next();
    const heights: (number | undefined)[] = [];
    for await (const [video] of live.catalogs()) {
      if (video?.kind !== "video") continue;
      heights.push(video.height);
      const picture = await decoded(video, (await framesOf(live, video, 8)).slice(0, 4));
      assert.equal(picture.height, video.height);
      if (heights.length === 3) break;
    }
    assert.deepEqual(heights, [180, 270, 180]);
    await sent;
    assert.equal(run.told.at(-1), undefined);
  },
});

Deno.test({
  name: "frames whose bytes are damaged are counted, and the picture goes on at the next key frame",
  ignore,
  async fn() {
    const file = await encode({ name: "", codecs: X264, movflags: LIVE, lengthSeconds: 4 });
    const media = new HangBroadcast();
    const records = [...new Splitter().push(file)].flatMap((event) => media.take(event));
    // The third frame of the fifth group: what follows it in the group needs it.
    const fifth = records.findIndex(({ track, group }) => track === "video0" && group === 4);
    records[fifth + 2]!.payload.fill(0xff, 8);
    await using test = new TransformTest();
    const run = await test.run(transcode, {
      input: "cam",
      renditions: [{ height: 90, preset: "ultrafast" }],
    });
    const next = await test.lives("cam-ladder", run);
    const client = await test.at.client();
    const broadcast = client.publish("cam");
    const sent = (async () => {
      const [writer, pace] = [new BroadcastWriter(broadcast), new Pace()];
      for (const record of records) {
        if (record.track === "video0") await pace.reach(record.timestampUs);
        writer.write(record);
      }
      writer.end();
      broadcast.close();
    })();
    const live = await next();
    const [video] = await catalogOf(live);
    const times: number[] = [];
    for await (const frame of live.frames(video!)) times.push(frame.timestampUs);
    await sent;
    const [firstUs, lastUs] = [times[0]!, times.at(-1)!];
    assert.ok(lastUs > 3_900_000, `the last is at ${lastUs}`);
    // Of 15 frames of the group two came before the damage.
    const missing = Math.round((lastUs - firstUs) / 33_333) + 1 - times.length;
    assert.equal(missing, 13);
    assert.ok(run.ctx.stats.skipped >= 13, `${run.ctx.stats.skipped} skipped`);
    await client.close();
  },
});

Deno.test({
  name: "an ffmpeg that cannot go on fails the instance with its own words",
  ignore,
  async fn() {
    await using test = new TransformTest();
    await using _ = await test.source("cam");
    const run = await test.run(watermark, { input: "cam", text: "x", color: "nocolor" });
    await assert.rejects(run.done, /ffmpeg has ended: .*nocolor/);
  },
});
