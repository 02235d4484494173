/** Looking back on the page: the past is another colour. */
import { problemsOf } from "../support/pages/stage.ts";
import { fragmented } from "../support/media/test_media.ts";
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { launchChromium } from "../support/pages/chromium.ts";
import { start, startRelay } from "../support/program.ts";
import { need } from "../support/require.ts";

const ignore = !need("chromium").ok || !need("ffmpeg").ok;

/** Red for three seconds, blue from then on, as live fragmented MP4. */
const redThenBlue = () =>
  fragmented([
    ...["-re", "-f", "lavfi", "-i"],
    "color=red:s=320x180:r=30:d=3[a];color=blue:s=320x180:r=30:d=300[b];[a][b]concat=n=2:v=1:a=0",
    ...["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "15"],
  ]);

/** Waits until the middle of a canvas has a colour. */
async function waitForColour(page: Page, canvas: string, colour: "red" | "blue"): Promise<void> {
  await page.waitForFunction(
    ([selector, wanted]) => {
      // deno-lint-ignore no-explicit-any
      const { document } = globalThis as any;
      const shown = document.querySelector(selector);
      if (shown === null || shown.hidden || shown.width === 0) return false;
      const small = document.createElement("canvas");
      small.width = small.height = 1;
      const context = small.getContext("2d");
      context.drawImage(shown, 0, 0, 1, 1);
      const [red, , blue] = context.getImageData(0, 0, 1, 1).data;
      return wanted === "red" ? red > 150 && blue < 100 : blue > 150 && red < 100;
    },
    [canvas, colour],
    { timeout: 30_000, polling: 100 },
  );
}

Deno.test({
  name:
    "the page goes back in a recorded broadcast, plays on from there, and returns to what is live",
  ignore,
  async fn() {
    await using relay = await startRelay(["--storage.record", "**"]);
    await using media = redThenBlue();
    await using _pub = start(["pub", relay.url, "--broadcast", "demo"], { stdin: media.stdout });
    await using chromium = await launchChromium();
    const page = await chromium.browser.newPage();
    const problems = problemsOf(page);
    await page.goto(`${relay.url}?visible=always`);
    await page.waitForSelector("#broadcasts a[aria-current]", { timeout: 60_000 });
    await waitForColour(page, "moq-watch canvas", "blue");

    const position = page.locator("#past-position");
    await position.waitFor({ timeout: 20_000 });
    // As far back as it goes.
    await position.focus();
    await page.keyboard.press("Home");
    await waitForColour(page, "#past", "red");
    assert.match((await page.textContent("#behind"))!, /^\d+ s ago/);
    await waitForColour(page, "#past", "blue"); // it plays on

    await page.click("#to-live");
    await page.locator("#past").waitFor({ state: "hidden" });
    assert.equal(await page.textContent("#behind"), "live");
    await page.click("#back");
    await waitForColour(page, "#past", "blue");
    assert.deepEqual(problems, []);
  },
});
