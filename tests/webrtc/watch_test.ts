/**
 * WHEP in Chromium: an ordinary `<video>` and the few lines of `docs/webrtc.md`.
 *
 * @module
 */
import assert from "node:assert/strict";
import { webrtc } from "../../plugins/egress/webrtc/mod.ts";
import { launchChromium } from "../support/pages/chromium.ts";
import { until } from "../support/server.ts";
import { need } from "../support/require.ts";
import { H264, LOCAL, testPicture, WebRtcUnderTest } from "../support/pages/webrtc.ts";
import { watchWhep } from "../support/pages/whep_page.ts";

const programs = [need("chromium"), need("ffmpeg")];
const ignore = programs.some(({ ok }) => !ok);

const PICTURES: Readonly<Record<string, Parameters<typeof testPicture>[2]>> = {
  "H.264 and AAC": { video: H264, audio: ["aac"] },
  "VP9 and Opus": {
    video: [
      "libvpx-vp9",
      "-deadline",
      "realtime",
      "-cpu-used",
      "8",
      "-lag-in-frames",
      "0",
      "-g",
      "60",
    ],
    audio: ["libopus"],
  },
  "AV1": {
    video: ["libsvtav1", "-preset", "12", "-svtav1-params", "scd=0:pred-struct=1:keyint=60"],
  },
};

Deno.test({ name: "Chromium's <video> plays WHEP", ignore }, async (t) => {
  await using chromium = await launchChromium(["--autoplay-policy=no-user-gesture-required"]);
  await using under = new WebRtcUnderTest();
  const run = await under.start(webrtc.create(), { ...LOCAL, wait: "30s", timeout: "5s" });
  for (const [name, codecs] of Object.entries(PICTURES)) {
    await t.step(name, async () => {
      await using _picture = await testPicture(under.relay, name.toLowerCase(), codecs);
      const page = await chromium.page();
      const url = under.url(`/whep/${encodeURIComponent(name.toLowerCase())}`);
      const seen = await watchWhep(page, url, codecs.audio !== undefined);
      assert.ok(seen.framesDecoded > 0);
      assert.deepEqual(seen.size, [320, 240]);
      if (codecs.audio !== undefined) assert.ok(seen.audioPackets > 0);
      await page.evaluate("pc.close()");
      await page.close();
      await until(() => run.told.at(-1) === undefined, "the viewer to be gone", 60_000);
    });
  }
  await t.step("and stops when the broadcast ends", async () => {
    const page = await chromium.page();
    {
      await using _picture = await testPicture(under.relay, "short", { video: H264 });
      await watchWhep(page, under.url("/whep/short"), false);
    }
    await page.evaluate(
      `until(() => /closed|failed|disconnected/.test(pc.connectionState), "end")`,
    );
    await until(() => run.told.at(-1) === undefined, "the viewer to be gone", 60_000);
  });
  assert.deepEqual(under.failed, []);
});
