/** Shaka Player, which reads MSF over moq-transport, plays what our publishers make. */
import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { bundleOutside } from "../outside/run.ts";
import { encode } from "../support/fixtures/ffmpeg_fixtures.ts";
import { testMedia } from "../support/media/test_media.ts";
import { bundleForPage, loadInPage } from "../support/pages/page_bundle.ts";
import type { ShakaPage } from "../support/pages/shaka_page.ts";
import { FAKE_DEVICES, stage } from "../support/pages/stage.ts";
import { goLive } from "../support/pages/watch_page.ts";
import { start } from "../support/program.ts";
import { need } from "../support/require.ts";
import { until } from "../support/server.ts";

const ignore = !need("chromium").ok || !need("ffmpeg").ok;
const SWITCHES = [...FAKE_DEVICES, "--autoplay-policy=no-user-gesture-required"];

const scripts = ignore ? undefined : await Promise.all([
  bundleOutside("shaka-player", "dist/shaka-player.experimental.js"),
  bundleForPage(new URL("../support/pages/shaka_page.ts", import.meta.url)),
]);

interface Expected {
  readonly broadcast: string;
  readonly version: "draft-14" | "draft-16" | "auto";
  readonly width: number;
}

/** Watches a broadcast until two seconds of picture and sound were shown. */
async function watch(browser: Browser, url: string, { broadcast, version, width }: Expected) {
  const page = await browser.newPage();
  try {
    // Another page of the same address: it may have any script, and no player of its own.
    await page.goto(`${url}certificate.sha256`);
    await page.evaluate(`(async () => {
      const script = new Blob([${JSON.stringify(scripts![0])}], { type: "text/javascript" });
      globalThis.shaka = (await import(URL.createObjectURL(script))).default;
    })()`);
    const player = await loadInPage<ShakaPage>(page, scripts![1], "shakaPage");
    await player.play(url, broadcast, version);
    const at = async () => await player.state();
    await until(async () => (await at()).frames > 5, `${broadcast} in ${version}`, 30_000);
    const first = await at();
    await until(
      async () => {
        const { seconds, frames, soundBytes } = await at();
        return seconds > first.seconds + 2 && frames > first.frames + 20 &&
          soundBytes > first.soundBytes;
      },
      `two seconds of ${broadcast} in ${version}`,
      60_000,
    );
    const last = await at();
    assert.equal(last.width, width);
    assert.deepEqual(last.failures, []);
  } finally {
    await page.close();
  }
}

Deno.test({
  name: "Shaka Player plays `ffmpeg | qumo-relay pub` in drafts 14 and 16, and whoever joins later",
  ignore,
  async fn() {
    await using made = await stage({ switches: SWITCHES });
    const { relay, browser } = made;
    await using media = testMedia();
    await using pub = start(["pub", relay.url, "-b", "studio/one"], { stdin: media.stdout });
    await pub.saw("Publishing");
    const one = { broadcast: "studio/one", width: 640 };
    await watch(browser, relay.url, { ...one, version: "draft-16" });
    await Promise.all(
      (["draft-14", "auto"] as const).map((version) =>
        watch(browser, relay.url, { ...one, version })
      ),
    );
  },
});

Deno.test({
  name: "Shaka Player plays a file that the plugin `file` publishes, with B-frames and AAC",
  ignore,
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "qumo-relay-test-" });
    try {
      const film = await encode({
        name: "",
        codecs: "-c:v libx264 -preset ultrafast -bf 2 -g 30 -c:a aac",
        movflags: "frag_keyframe+empty_moov+default_base_moof",
        lengthSeconds: 8,
      });
      await Deno.writeFile(`${dir}/film.mp4`, film);
      const options = { path: `${dir}/film.mp4`, broadcast: "film" };
      const plugins = [{ name: "film", kind: "ingress", plugin: "file", options }];
      await Deno.writeTextFile(`${dir}/relay.yaml`, JSON.stringify({ plugins }));
      await using made = await stage({
        flags: ["--config", `${dir}/relay.yaml`],
        switches: SWITCHES,
      });
      const { relay, browser } = made;
      await watch(browser, relay.url, { broadcast: "film", version: "draft-16", width: 320 });
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

Deno.test({
  name: "Shaka Player plays a camera that the page publishes",
  ignore,
  async fn() {
    await using made = await stage({ switches: SWITCHES });
    const { relay, browser } = made;
    const page = await browser.newPage();
    await page.goto(`${relay.url}#/publish`);
    await goLive(page, { name: "cam", source: "camera", lines: 360 });
    await watch(browser, relay.url, { broadcast: "cam", version: "draft-14", width: 640 });
  },
});
