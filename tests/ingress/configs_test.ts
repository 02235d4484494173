/** The example configurations of the ingress plugins, run by the program, with a real source, in a real browser. */
import { freePort } from "../support/borrowed.ts";
import assert from "node:assert/strict";
import { parse } from "yaml";
import { fromFileUrl } from "../../tools/file_url.ts";
import { launchChromium } from "../support/pages/chromium.ts";
import { startRelay } from "../support/program.ts";
import { need } from "../support/require.ts";
import { startRtspServer } from "../support/peers/rtsp_server.ts";
import { until } from "../support/server.ts";
import { changedFields, firstPicture, picture } from "../support/pages/watch_page.ts";

const CONFIGS = fromFileUrl(new URL("../../configs/", import.meta.url));
const VIDEO =
  "-f lavfi -i testsrc2=size=640x360:rate=30 -c:v libx264 -preset ultrafast -tune zerolatency -g 30 -pix_fmt yuv420p"
    .split(" ");

/** Runs a relay with a file of configs/ whose options are changed to what this machine has. */
async function withConfig(
  name: string,
  change: (plugins: { options: Record<string, unknown> }[]) => void,
  work: (relay: Awaited<ReturnType<typeof startRelay>>) => Promise<void>,
) {
  const config = parse(await Deno.readTextFile(CONFIGS + name));
  change(config.plugins);
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dir}/config.yaml`, JSON.stringify(config));
    await using relay = await startRelay(["--config", `${dir}/config.yaml`]);
    await work(relay);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const statusOf = async (adminUrl: string, name: string) =>
  await (await fetch(`${adminUrl}/api/v1/plugins/${name}`)).json();

Deno.test({
  name:
    "configs/camera-to-web.yaml: a camera's RTSP, with its G.711 sound encoded anew, plays in Chromium",
  ignore: !need("ffmpeg").ok || !need("chromium").ok,
  async fn() {
    const sound = "-f lavfi -i sine=frequency=440:sample_rate=8000 -c:a pcm_mulaw".split(" ");
    const login = { user: "viewer", password: "s3cret", scheme: "digest" } as const;
    await using server = await startRtspServer({ tracks: [VIDEO, sound], login });
    await withConfig("camera-to-web.yaml", ([camera]) => {
      const url = `rtsp://127.0.0.1:${server.port}/stream1`;
      Object.assign(camera!.options, { url, username: "viewer", password: "s3cret" });
    }, async (relay) => {
      await using chromium = await launchChromium();
      const page = await chromium.browser.newPage();
      await page.goto(`${relay.url}?visible=always`);
      await page.waitForSelector("#broadcasts a[aria-current]", { timeout: 60_000 });
      assert.equal(await page.textContent("#broadcasts a"), "front-door");
      const first = await firstPicture(page);
      await until(
        async () => changedFields(first, await picture(page)) >= 10,
        "a picture that moves",
        20_000,
      );
      assert.equal((await statusOf(relay.adminUrl, "front-door")).state, "running");
      assert.doesNotMatch(relay.output(), /s3cret/);
    });
  },
});

Deno.test({
  name: "configs/restream.yaml: what is pushed over RTMP is announced, and withdrawn when it ends",
  ignore: !need("ffmpeg").ok,
  async fn() {
    const port = freePort();
    await withConfig("restream.yaml", ([studio, field]) => {
      studio!.options.listen = field!.options.listen = `127.0.0.1:${port}`; // TCP one, UDP the other
    }, async (relay) => {
      const announced = async () => await (await fetch(`${relay.url}announced`)).text();
      let [live, over] = [false, false];
      const pushing = (async () => {
        while (!over) {
          await new Deno.Command("ffmpeg", {
            args: [
              ...["-v", "error", "-nostdin", "-re", ...VIDEO, "-t", "4"],
              ...["-f", "flv", `rtmp://127.0.0.1:${port}/live/change-me`],
            ],
            stderr: "null",
          }).output();
          if (live) return;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      })();
      await until(
        async () => live = /studio/.test(await announced()),
        "the broadcast",
        30_000,
      );
      over = true;
      await pushing;
      await until(async () => !/studio/.test(await announced()), "its withdrawal", 20_000);
      assert.match((await statusOf(relay.adminUrl, "studio")).reason, /waiting for a publisher/);
    });
  },
});
