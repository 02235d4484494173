/**
 * Takes docs/watch.png: ffmpeg's test picture through a relay into the page, in Chromium. Other sizes and states for
 * whoever works on the page: `deno run -A tools/screenshot.ts --out DIR`.
 */
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../tests/support/chromium.ts";
import { start, startRelay, testMedia } from "../tests/support/program.ts";
import { firstPicture, goLive } from "../tests/support/watch_page.ts";
import { buildWeb } from "../cli/web_build.ts";
import { ROOT } from "./module_graph.ts";
import { say } from "./say.ts";
import { toFileUrl } from "./file_url.ts";

interface Shot {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly dark: boolean;
}

const SHOTS: readonly Shot[] = [
  { name: "light", width: 1280, height: 860, dark: false },
  { name: "dark", width: 1280, height: 860, dark: true },
  { name: "phone", width: 390, height: 844, dark: true },
];
/** How long graphs are given to fill. */
const SETTLE_MS = 12_000;

async function open(browser: Browser, url: string, { width, height, dark }: Shot): Promise<Page> {
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
  });
  page.on("console", (message) => {
    if (message.type() === "error") say(`page: ${message.text()}`);
  });
  await page.goto(url);
  return page;
}

async function take(page: Page, path: string): Promise<void> {
  await page.screenshot({ path });
  say(`wrote ${path}`);
}

/** The three views at once in as many pages: one publishes, one watches, one looks on. */
async function live(browser: Browser, url: string, shot: Shot, pathOf: (view: string) => string) {
  const publish = await open(browser, `${url}#/publish`, shot);
  await goLive(publish, { name: "demo", source: "pattern" });
  const watch = await open(browser, `${url}?name=demo&visible=always#/watch`, shot);
  await firstPicture(watch);
  const dashboard = await open(browser, `${url}#/dashboard`, shot);
  await watch.waitForTimeout(SETTLE_MS);
  await take(publish, pathOf("publish"));
  await take(watch, pathOf("watch"));
  await take(dashboard, pathOf("dashboard"));
  for (const page of [publish, watch, dashboard]) await page.close();
}

async function main(args: readonly string[]): Promise<void> {
  const out = args[0] === "--out" ? args[1] : undefined;
  await buildWeb(toFileUrl(ROOT));
  await using relay = await startRelay();
  await using chromium = await launchChromium();
  const { browser } = chromium;
  if (out === undefined) {
    return await live(browser, relay.url, SHOTS[0]!, (view) => `${ROOT}docs/${view}.png`);
  }
  for (const shot of SHOTS) {
    for (const view of ["watch", "publish", "dashboard"]) {
      const page = await open(browser, `${relay.url}#/${view}`, shot);
      await page.waitForTimeout(800);
      await take(page, `${out}/empty-${view}-${shot.name}.png`);
      await page.close();
    }
  }
  await using media = testMedia({ size: "1280x720" });
  await using _pub = start(["pub", relay.url, "--broadcast", "bars"], { stdin: media.stdout });
  for (const shot of SHOTS) {
    await live(browser, relay.url, shot, (view) => `${out}/live-${view}-${shot.name}.png`);
  }
}

if (import.meta.main) await main(Deno.args);
