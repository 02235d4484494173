/**
 * WHIP from Chromium's fake camera: read by our client, and played back by WHEP.
 *
 * @module
 */
import assert from "node:assert/strict";
import { webrtc } from "../../plugins/egress/webrtc/mod.ts";
import { whip } from "../../plugins/ingress/whip/mod.ts";
import { broadcasts } from "../support/media/broadcasts.ts";
import type { LiveMedia } from "../../media/broadcast/live_media.ts";
import { launchChromium } from "../support/pages/chromium.ts";
import { need } from "../support/require.ts";
import { until } from "../support/server.ts";
import { LOCAL, WebRtcUnderTest } from "../support/pages/webrtc.ts";
import { publishWhip, watchWhep } from "../support/pages/whep_page.ts";
import type { MediaFrame, Rendition } from "../../media/rendition.ts";

const ignore = !need("chromium").ok;

/** A few frames of a rendition, from the first on. */
async function someOf(live: LiveMedia, rendition: Rendition, count: number): Promise<MediaFrame[]> {
  const frames: MediaFrame[] = [];
  for await (const frame of live.frames(rendition)) {
    frames.push(frame);
    if (frames.length === count) break;
  }
  return frames;
}

Deno.test({ name: "Chromium's camera is published by WHIP", ignore }, async (t) => {
  await using chromium = await launchChromium([
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    // With camera permission Chromium lists its own addresses and leaves this one out.
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
  ]);
  await using under = new WebRtcUnderTest();
  await under.start(webrtc.create(), { ...LOCAL, wait: "30s" });
  for (const video of ["h264", "vp9"] as const) {
    await t.step(video, async () => {
      const options = { ...LOCAL, path: `/${video}`, video: [video], keyframe_interval: "500ms" };
      const run = await under.start(whip.create(), options);
      await until(() => under.routes.find(`/${video}`) !== undefined, "the route");
      const page = await chromium.page();
      let published;
      try {
        published = await publishWhip(page, under.url(`/${video}/cam-${video}`));
      } catch (error) {
        // This Chromium has no encoder for it, so there is nothing to test.
        if (!/406 Cannot take/.test(String(error))) throw error;
        return await page.close();
      }
      assert.deepEqual(published.codecs, ["audio/opus", `video/${video.toUpperCase()}`]);
      const signal = AbortSignal.timeout(60_000);
      const client = await under.relay.client();
      for await (const live of broadcasts(client, `cam-${video}`, { signal })) {
        for await (const renditions of live.catalogs({ signal })) {
          const [picture, sound] = ["video", "audio"].map((k) =>
            renditions.find((r) => r.kind === k)!
          );
          const [seen, heard] = await Promise.all([
            someOf(live, picture!, 30),
            someOf(live, sound!, 50),
          ]);
          assert.equal(seen[0]!.keyframe, true);
          assert.ok(new Set(seen.map(({ group }) => group)).size > 1, "several groups");
          const rises = seen.every((f, i) => i === 0 || f.timestampUs > seen[i - 1]!.timestampUs);
          assert.ok(rises, "times of the picture rise");
          const apart = Math.abs(seen.at(-1)!.timestampUs - heard.at(-1)!.timestampUs);
          assert.ok(apart < 2_000_000, `${apart} µs between picture and sound`);
          break;
        }
        break;
      }
      const viewer = await chromium.page();
      const played = await watchWhep(viewer, under.url(`/whep/cam-${video}`), true);
      assert.deepEqual(played.size, [320, 240]);
      await viewer.close();
      assert.equal((await fetch(under.url(published.location), { method: "DELETE" })).status, 200);
      await until(() => run.told.at(-1) === undefined, "the end");
      await client.close();
      await page.close();
      await run.end();
    });
  }
  assert.deepEqual(under.failed, []);
});
