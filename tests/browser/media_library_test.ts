/** The media library where the page uses it: in a browser, with what the browser itself encodes and plays. */
import assert from "node:assert/strict";
import { launchChromium } from "../support/pages/chromium.ts";
import type { MediaPage } from "../support/pages/media_page.ts";
import { bundleForPage, loadInPage } from "../support/pages/page_bundle.ts";
import { need } from "../support/require.ts";

Deno.test({
  name:
    "media/ runs in a browser without Deno: catalog, frames, segments and splitter, and Chromium plays it",
  ignore: !need("chromium").ok,
  async fn() {
    const script = await bundleForPage(new URL("../support/pages/media_page.ts", import.meta.url));
    assert.doesNotMatch(script, /\bDeno\.|from "node:|transport\/dial/);
    await using http = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } }),
    );
    await using chromium = await launchChromium();
    const page = await chromium.browser.newPage();
    await page.goto(`http://127.0.0.1:${http.addr.port}/`);
    const { wholeWay } = await loadInPage<MediaPage>(page, script, "mediaPage");
    const { playedS, ...counts } = await wholeWay();
    assert.deepEqual(counts, { modules: 3, segments: 3, samples: 30, groups: 3 });
    assert.ok(playedS > 1.1 && playedS < 1.3, `${playedS} s of 1.2`);
  },
});
