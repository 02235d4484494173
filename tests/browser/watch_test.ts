/**
 * The whole path as a user runs it: ffmpeg, `qumo-relay pub`, a relay, and its page in a real browser.
 */
import { problemsOf } from "../support/pages/stage.ts";
import assert from "node:assert/strict";
import { launchChromium } from "../support/pages/chromium.ts";
import { start, startRelay } from "../support/program.ts";
import { testMedia } from "../support/media/test_media.ts";
import { need } from "../support/require.ts";
import { say } from "../../tools/say.ts";
import { changedFields, firstPicture, litFields, picture } from "../support/pages/watch_page.ts";

const ignore = !need("chromium").ok || !need("ffmpeg").ok;

for (const codecs of ["-c:a libopus", "-c:a aac"]) {
  Deno.test({
    name:
      `the page of a relay plays what ffmpeg and pub send it, over moq-lite-05 or newer (${codecs})`,
    ignore,
    async fn() {
      await using relay = await startRelay();
      await using media = testMedia({
        codecs: `-c:v libx264 -preset ultrafast -tune zerolatency -g 30 ${codecs}`,
      });
      await using pub = start(["pub", relay.url, "--broadcast", "demo"], { stdin: media.stdout });
      await using chromium = await launchChromium();
      const page = await chromium.browser.newPage();
      const problems = problemsOf(page);

      await page.goto(`${relay.url}?visible=always`);
      // While the page is being built it asks again by itself.
      await page.waitForSelector("#broadcasts a[aria-current]", { timeout: 60_000 });
      const first = await firstPicture(page);
      let moved = 0;
      for (let tries = 0; tries < 100 && moved < 10; tries++) {
        await page.waitForTimeout(100);
        const now = await picture(page);
        assert.ok(litFields(now) > 100, "the picture has gone black");
        moved = Math.max(moved, changedFields(first, now));
      }
      assert.ok(moved >= 10, `only ${moved} of 576 fields have changed`);

      const version = await page.textContent("#version");
      say(`page: ${version}, ${moved} of 576 fields changed`);
      const [, number] = /^moq-lite-(\d\d)$/.exec(version ?? "") ?? [];
      assert.ok(Number(number) >= 5, `negotiated ${version}`);
      assert.equal(await page.textContent("#certificate"), relay.hash);
      assert.equal(await page.textContent("#broadcasts a"), "demo");
      assert.deepEqual(problems, []);
      assert.equal(
        pub.output(),
        `Publishing demo. Watch it at ${relay.url}?name=demo\nCtrl-C ends it.\n`,
      );
    },
  });
}

Deno.test({
  name: "the page tells how to publish while nothing is live, and again when it is over",
  ignore,
  async fn() {
    await using relay = await startRelay();
    await using chromium = await launchChromium();
    const page = await chromium.browser.newPage();
    await page.goto(relay.url);
    const command = page.locator("#command");
    await command.filter({ hasText: "ffmpeg -v error" }).waitFor({ timeout: 60_000 });
    const text = await command.textContent();
    assert.match(text!, /main\.ts pub http:\/\/127\.0\.0\.1:\d+\/ --broadcast demo$/);
    assert.ok(text!.includes(relay.url), "it names this server's port");

    await using media = testMedia({ seconds: 3, size: "320x180" });
    await using pub = start(["pub", relay.url, "-b", "three"], { stdin: media.stdout });
    await page.locator("#stage").waitFor({ state: "visible" });
    assert.equal(await page.textContent("#now"), "three");
    assert.equal(await pub.ended(), 0, pub.output());
    await page.locator("#empty").waitFor({ state: "visible" });
    assert.equal(await page.locator("#broadcasts a").count(), 0);
  },
});
