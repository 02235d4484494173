/**
 * Broadcasts that the player cannot play: the page says what each one is, lists its tracks and shows their data.
 */
import { problemsOf, stage } from "../support/pages/stage.ts";
import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import { axeFindings } from "../support/pages/accessibility.ts";
import { need } from "../support/require.ts";

const MSF = {
  version: 1,
  tracks: [{ name: "1080p", packaging: "loc", role: "video", codec: "av01.0.08M.10.0.110.09" }],
};

Deno.test({
  name:
    "the page says what a broadcast is that it cannot play, and shows its frames as text or hex",
  ignore: !need("chromium").ok,
  async fn() {
    await using made = await stage();
    const { relay, browser } = made;
    await using publisher = await connect(relay.url);
    const chat = publisher.publish("bare").track("lines");
    chat.write("hello \u202e frame");
    const listed = publisher.publish("listed");
    const catalog = { chat: { message: { name: "talk" } } };
    listed.track("catalog.json").write(JSON.stringify(catalog));
    listed.track("talk").write(Uint8Array.of(0, 0xff, 0x41));
    const other = publisher.publish("other");
    other.track("catalog").write(JSON.stringify(MSF));
    other.track("1080p").write("not to be decoded");
    const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    const problems = problemsOf(page);

    await page.goto(`${relay.url}?name=bare`);
    await page.locator("#hint", { hasText: "bare has nothing that this page can play" }).waitFor();
    await page.locator("#data-kind", { hasText: "It has no catalog" }).waitFor();
    assert.equal(await page.locator("#player moq-watch").isVisible(), false);
    await page.locator("#frames pre", { hasText: "hello \\u202e frame" }).waitFor();
    chat.write("another line");
    await page.locator("#frames pre", { hasText: "another line" }).waitFor();
    assert.match((await page.textContent("#frames .frame"))!, /group 1, frame 0, 12 B/);
    await page.selectOption("#frames-shape", "hex");
    await page.locator("#frames pre", { hasText: "61 6e 6f 74 68 65 72" }).waitFor();
    assert.deepEqual(await axeFindings(page), []);
    assert.ok(await page.evaluate("document.documentElement.scrollWidth") as number <= 390);

    await page.click("#broadcasts a:has-text('listed')");
    await page.locator("#data-kind", { hasText: "It is data" }).waitFor();
    await page.locator("#frames pre", { hasText: "00 ff 41" }).waitFor();

    await page.click("#broadcasts a:has-text('other')");
    await page.locator("#data-kind", { hasText: "MSF catalog" }).waitFor();
    await page.locator("#data-tracks li", { hasText: "av01.0.08M.10.0.110.09, loc" }).waitFor();
    await page.locator("#frames pre", { hasText: "not to be decoded" }).waitFor();
    await page.fill("#data-track", "catalog");
    await page.press("#data-track", "Enter");
    await page.locator("#frames pre", { hasText: '"packaging":"loc"' }).waitFor();
    await page.fill("#data-track", "nowhere");
    await page.press("#data-track", "Enter");
    await page.locator("#frames-state", { hasText: "no such track" }).waitFor();
    assert.deepEqual(problems, []);
  },
});
