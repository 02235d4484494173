/** The plugin `rtmp` with ffmpeg as the server. */
import { freePort } from "../support/borrowed.ts";
import assert from "node:assert/strict";
import { rtmp } from "../../plugins/egress/rtmp/mod.ts";
import { MemoryRelay, runPlugin } from "../support/plugin_run.ts";
import { probe, publishMedia } from "../support/media/publish_media.ts";
import { need } from "../support/require.ts";
import { until } from "../support/server.ts";

const ignore = !need("ffmpeg").ok;

Deno.test({
  name: "rtmp pushes H.264 and AAC as they are to a server, and its failure does not tell the key",
  ignore,
  async fn() {
    const file = await Deno.makeTempFile({ suffix: ".mkv" });
    const port = freePort();
    const url = `rtmp://127.0.0.1:${port}/live`;
    await using at = new MemoryRelay();
    await using client = await at.client();
    await using _media = publishMedia(client, "cam");
    const options = { broadcast: "cam", url, key: "s3cret" };
    const nobody = await runPlugin(rtmp.create(), at, options);
    const failure = await nobody.done.then(() => "", String);
    assert.match(failure, /ffmpeg has ended: .*Connection refused/);
    assert.doesNotMatch(failure, /s3cret/);
    await nobody.end();

    const server = new Deno.Command("ffmpeg", {
      args: [
        ...["-v", "error", "-y", "-listen", "1", "-f", "flv", "-i", `${url}/s3cret`],
        ...["-c", "copy", file],
      ],
      stdin: "null",
    }).spawn();
    // The server listens a moment later. Until then the plugin is restarted, as the supervisor does.
    let run = await runPlugin(rtmp.create(), at, options);
    for (let over = false; run.ctx.stats.framesOut < 150;) {
      run.done.catch(() => over = true);
      await until(() => over || run.ctx.stats.framesOut >= 150, "frames", 20_000);
      if (!over) break;
      await run.end();
      over = false;
      run = await runPlugin(rtmp.create(), at, options);
    }
    assert.equal(run.told.at(-1), undefined);
    await run.end();
    await server.status;
    const { frames } = await probe(file);
    assert.ok(frames.h264! > 30 && frames.aac! > 30, JSON.stringify(frames));
    await Deno.remove(file);
  },
});

Deno.test({
  name: "rtmp says which option helps when it cannot carry a codec",
  ignore,
  async fn() {
    await using at = new MemoryRelay();
    await using client = await at.client();
    const codecs = "-c:v libx264 -preset ultrafast -tune zerolatency -g 30 -c:a libopus";
    await using _media = publishMedia(client, "cam", { codecs });
    const run = await runPlugin(rtmp.create(), at, { broadcast: "cam", url: "rtmp://127.0.0.1/x" });
    await assert.rejects(run.done, { code: "QUMO_PUSH_FAILED", message: /opus.*set `audio: aac`/ });
    await run.end();
  },
});
