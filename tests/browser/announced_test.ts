/** The list of what is live comes with the player's session: the page hears of a broadcast without asking. */
import { stage } from "../support/pages/stage.ts";
import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import { need } from "../support/require.ts";

Deno.test({
  name:
    "a page that watches hears what begins and ends from its session, though nothing answers its questions",
  ignore: !need("chromium").ok,
  async fn() {
    await using made = await stage();
    const { relay, browser } = made;
    await using publisher = await connect(relay.url);
    publisher.publish("first").track("data").write("hello");
    const page = await browser.newPage();
    await page.goto(`${relay.url}?name=first`);
    await page.locator("#broadcasts a", { hasText: "first" }).waitFor();
    await page.locator("#transport", { hasText: "Web" }).waitFor();
    // From here on the list that the page requests is out of date.
    await page.route("**/announced", (route) => route.fulfill({ body: "first\n" }));
    const second = publisher.publish("second\nline");
    await page.locator("#broadcasts a", { hasText: "second\\u000aline" }).waitFor();
    await page.locator("#relay-state", { hasText: "2 live" }).waitFor();
    second.close();
    await page.locator("#relay-state", { hasText: "1 live" }).waitFor();
    assert.equal(await page.locator("#broadcasts a").count(), 1);
  },
});
