/** Cameras and microphones to choose from on the publish view. */
import { FAKE_DEVICES, stage } from "../support/pages/stage.ts";
import assert from "node:assert/strict";
import { need } from "../support/require.ts";

Deno.test({
  name:
    "a camera is chosen by its name or by the side of the phone; one that is gone is replaced, and that is told",
  ignore: !need("chromium").ok,
  async fn() {
    await using made = await stage({
      switches: [`${FAKE_DEVICES[0]}=device-count=3`, FAKE_DEVICES[1]!],
    });
    const { relay, browser } = made;
    const context = await browser.newContext({
      hasTouch: true,
      isMobile: true,
      viewport: { width: 390, height: 844 },
    });
    const page = await context.newPage();
    await page.goto(`${relay.url}#/publish`);
    await page.locator("#camera option", { hasText: "Back camera" }).waitFor({ state: "attached" });
    const plays = (label: string) =>
      page.waitForFunction((wanted) => {
        // deno-lint-ignore no-explicit-any
        const video = (globalThis as any).document.querySelector("#preview video");
        const label = video?.srcObject?.getVideoTracks()[0]?.label;
        return wanted === "" ? label !== undefined : label === wanted;
      }, label);
    await page.click("#show-preview");
    await plays("");
    // The names are known once there is permission.
    await page.locator("#camera option", { hasText: "fake_device_1" }).waitFor({
      state: "attached",
    });
    const options = await page.locator("#camera option").allTextContents();
    assert.deepEqual(options.slice(0, 3), ["Any camera", "Front camera", "Back camera"]);

    for (const label of options.slice(-2)) {
      await page.selectOption("#camera", { label });
      await page.click("#show-preview");
      await plays(label);
    }
    // A device that was chosen before and is gone now.
    await page.evaluate(`localStorage.setItem("qumo.publish.camera", '"gone"')`);
    await page.reload();
    await page.locator("#camera option", { hasText: "chosen before" }).waitFor({
      state: "attached",
    });
    await page.click("#show-preview");
    await page.locator(".below", { hasText: "The chosen device is not there" }).waitFor();
    await plays("");
  },
});
