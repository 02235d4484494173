import assert from "node:assert/strict";
import { audioOnly } from "../../plugins/transform/audio_only/mod.ts";
import { need } from "../support/require.ts";
import { catalogOf, framesOf, TransformTest } from "../support/media/transform_run.ts";

const ignore = !need("ffmpeg").ok;

Deno.test({
  name: "audio-only has the sound of a broadcast as it is, and no picture in its catalog",
  ignore,
  async fn() {
    await using test = new TransformTest();
    await using _ = await test.source("cam");
    const run = await test.run(audioOnly, { input: "**" });
    const live = await (await test.lives("cam-audio", run))();
    const renditions = await catalogOf(live);
    assert.deepEqual(renditions.map(({ kind, codec }) => [kind, codec]), [["audio", "opus"]]);
    const frames = await framesOf(live, renditions[0]!, 50);
    for (let i = 1; i < frames.length; i++) {
      assert.equal(frames[i]!.group, frames[i - 1]!.group + 1);
    }
    assert.ok(run.ctx.stats.framesOut >= 50 && run.ctx.stats.latencyMs >= 0);
    // Its own output is not its input, although "**" matches that too.
    assert.equal(run.told.at(-1), undefined);
    const seen: string[] = [];
    const client = await test.at.client();
    for await (const { path } of client.announced()) if (seen.push(path) === 2) break;
    assert.deepEqual(seen.sort(), ["cam", "cam-audio"]);
    await client.close();
  },
});

Deno.test({
  name: "a transform says that it waits for its input, and for inputs beyond max_broadcasts",
  ignore,
  async fn() {
    await using test = new TransformTest();
    const run = await test.run(audioOnly, { input: "*", max_broadcasts: 1, exclude: ["not"] });
    assert.equal(run.told.at(-1), "waiting for *");
    const sound = "-re -f lavfi -i sine=frequency=440:sample_rate=48000 -c:a libopus";
    const first = await test.source("one", sound);
    const lives = await Promise.all(
      ["one", "two", "not"].map((p) => test.lives(`${p}-audio`, run)),
    );
    await lives[0]!();
    await using _ = await test.source("not", sound);
    await using __ = await test.source("two", sound);
    const client = await test.at.client();
    for await (const { path } of client.announced()) if (path === "two") break;
    await first[Symbol.asyncDispose]();
    // Now it is the turn of the broadcast that waited.
    await lives[1]!();
    assert.ok(run.told.includes("1 more than max_broadcasts (1) wait"), String(run.told));
    const paths: string[] = [];
    using news = client.announced();
    for await (const { path } of news) if (paths.push(path) >= 3) break;
    assert.deepEqual(paths.sort(), ["not", "two", "two-audio"]);
    await client.close();
  },
});
