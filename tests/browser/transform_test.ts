/** What transforms publish, played by @moq/watch on the relay's page: the watermark is visible, and the quality can be chosen. */
import { stage } from "../support/pages/stage.ts";
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { need } from "../support/require.ts";
import { until } from "../support/server.ts";
import { changedFields, firstPicture, picture } from "../support/pages/watch_page.ts";

const ignore = !need("chromium").ok || !need("ffmpeg").ok;

/** Size of the canvas's picture. */
function shownHeight(page: Page): Promise<number> {
  // deno-lint-ignore no-explicit-any
  return page.evaluate(() => (globalThis as any).document.querySelector("moq-watch canvas").height);
}

Deno.test({
  name: "the page plays a marked broadcast with its mark, and chooses among a ladder's qualities",
  ignore,
  async fn() {
    const dir = await Deno.makeTempDir();
    const white = "-v error -f lavfi -i color=white:size=64x64 -frames:v 1 -update 1".split(" ");
    await new Deno.Command("ffmpeg", { args: [...white, `${dir}/white.png`] }).output();
    const camera = { device: "test", width: 640, height: 360, framerate: 15 };
    const quick = { preset: "ultrafast", bitrate: 800 };
    const mark = { image: `${dir}/white.png`, position: "bottom-left", size: 20, margin: 5 };
    const plugins = [
      { name: "cam", plugin: "camera", options: { broadcast: "cam", ...camera } },
      {
        name: "mark",
        plugin: "watermark",
        options: { input: "cam", output: "marked", ...mark, ...quick },
      },
      {
        name: "ladder",
        plugin: "transcode",
        options: { input: "cam", renditions: [{ codec: "copy" }, { height: 180, ...quick }] },
      },
    ];
    await Deno.writeTextFile(`${dir}/config.yaml`, `plugins: ${JSON.stringify(plugins)}\n`);
    try {
      await using made = await stage({ flags: ["--config", `${dir}/config.yaml`] });
      const { relay, browser } = made;
      const page = await browser.newPage();
      await page.goto(`${relay.url}?visible=always#/watch`);
      const choose = (name: string) =>
        page.locator("#broadcasts a", { hasText: name }).click({ timeout: 60_000 });
      await choose("marked");
      const first = await firstPicture(page);
      // The lower left, a square of 20 % of the width: four of 32 columns, some of 18 rows within it.
      const markedNow = async () => {
        const fields = await picture(page);
        return [[2, 13], [3, 14], [4, 15]].every(([x, y]) => {
          const at = (y! * 32 + x!) * 3;
          return fields.subarray(at, at + 3).every((value) => value > 220);
        });
      };
      await until(markedNow, "the mark's white on the screen", 20_000);
      let moved = 0;
      for (let tries = 0; tries < 100 && moved < 5; tries++) {
        await page.waitForTimeout(100);
        moved = Math.max(moved, changedFields(first, await picture(page)));
      }
      assert.ok(moved >= 5, `only ${moved} of 576 fields have changed`);

      await choose("cam-ladder");
      await page.locator("#quality").waitFor({ timeout: 30_000 });
      const offered = await page.locator("#quality option").allTextContents();
      assert.equal(offered.length, 3, String(offered));
      for (const [track, height] of [["180p", 180], ["source", 360], ["180p", 180]] as const) {
        await page.selectOption("#quality", track);
        await until(
          async () => await shownHeight(page) === height,
          `a picture of ${height}`,
          30_000,
        );
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
