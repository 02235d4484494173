/** The page of a relay in a browser that has no WebTransport: it plays over WebSocket, plain and by TLS. */
import assert from "node:assert/strict";
import { launchChromium } from "../support/pages/chromium.ts";
import { start, startRelay } from "../support/program.ts";
import { testMedia } from "../support/media/test_media.ts";
import { need } from "../support/require.ts";
import { changedFields, firstPicture, goLive, picture } from "../support/pages/watch_page.ts";

const ignore = !need("chromium").ok || !need("ffmpeg").ok;

for (const scheme of ["http", "https"]) {
  Deno.test({
    name: `without WebTransport the page at ${scheme}:// publishes, and plays over WebSocket`,
    ignore,
    async fn() {
      await using relay = await startRelay();
      await using media = testMedia({ size: "320x180" });
      await using _pub = start(["pub", relay.url, "--broadcast", "demo"], { stdin: media.stdout });
      await using chromium = await launchChromium();
      const context = await chromium.browser.newContext({ ignoreHTTPSErrors: true });
      await context.addInitScript("delete globalThis.WebTransport");
      const page = await context.newPage();
      const url = relay.url.replace("http:", `${scheme}:`);
      await page.goto(`${url}?visible=always`);
      await page.waitForSelector("#broadcasts a[aria-current]", { timeout: 60_000 });
      const first = await firstPicture(page);
      let moved = 0;
      for (let tries = 0; tries < 100 && moved < 10; tries++) {
        await page.waitForTimeout(100);
        moved = Math.max(moved, changedFields(first, await picture(page)));
      }
      assert.ok(moved >= 10, `only ${moved} of 576 fields have changed`);
      assert.equal(await page.textContent("#transport"), "WebSocket");
      assert.match((await page.textContent("#version"))!, /^moq-lite-0[56]$/);

      const publish = await context.newPage();
      await publish.goto(`${url}#/publish`);
      await goLive(publish, { name: "from/page", source: "pattern" });
      const { sessions } = await (await fetch(`${relay.adminUrl}/api/v1/sessions`)).json();
      const transports = sessions.map(({ transport }: { transport: string }) => transport);
      assert.equal(transports.filter((t: string) => t === "websocket").length, 2);
    },
  });
}
