/**
 * Takes docs/watch.png: ffmpeg's test picture through a relay into the first page, in Chromium. Other sizes and states for
 * whoever works on the page: `deno run -A tools/screenshot.ts --out DIR`.
 */
import type { Browser } from "playwright-core";
import { launchChromium } from "../tests/support/chromium.ts";
import { start, startRelay, testMedia } from "../tests/support/program.ts";
import { firstPicture } from "../tests/support/watch_page.ts";
import { ROOT } from "./module_graph.ts";
import { say } from "./say.ts";

interface Shot {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly dark: boolean;
}

async function shoot(browser: Browser, url: string, shot: Shot, live: boolean, path: string) {
  const { width, height, dark } = shot;
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
  });
  page.on("console", (message) => {
    if (message.type() === "error") say(`page: ${message.text()}`);
  });
  await page.goto(url + (live ? "?visible=always" : ""));
  if (live) await firstPicture(page);
  await page.waitForTimeout(live ? 2000 : 500);
  await page.screenshot({ path });
  await page.close();
  say(`wrote ${path}`);
}

const SHOTS: readonly Shot[] = [
  { name: "light", width: 1200, height: 760, dark: false },
  { name: "dark", width: 1200, height: 760, dark: true },
  { name: "phone", width: 390, height: 780, dark: true },
];

async function main(args: readonly string[]): Promise<void> {
  const out = args[0] === "--out" ? args[1] : undefined;
  await using relay = await startRelay();
  await using chromium = await launchChromium();
  await new Promise((resolve) => setTimeout(resolve, 3000)); // the page may be built anew
  if (out !== undefined) {
    for (const shot of SHOTS) {
      await shoot(chromium.browser, relay.url, shot, false, `${out}/empty-${shot.name}.png`);
    }
  }
  await using media = testMedia({ size: "1280x720" });
  await using _pub = start(["pub", relay.url, "--broadcast", "demo"], { stdin: media.stdout });
  if (out === undefined) {
    return await shoot(chromium.browser, relay.url, SHOTS[0]!, true, `${ROOT}docs/watch.png`);
  }
  for (const shot of SHOTS) {
    await shoot(chromium.browser, relay.url, shot, true, `${out}/live-${shot.name}.png`);
  }
}

if (import.meta.main) await main(Deno.args);
