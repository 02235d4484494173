/**
 * Takes docs/watch.png, docs/publish.png and docs/dashboard.png: one tab of Chromium publishes a test pattern through a
 * relay, a second one watches it, and a third one shows the dashboard. For work on the page,
 * `deno run -A tools/screenshot.ts --out DIR` takes other sizes and states.
 */
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../tests/support/pages/chromium.ts";
import { start, startRelay } from "../tests/support/program.ts";
import { testMedia } from "../tests/support/media/test_media.ts";
import { firstPicture, goLive } from "../tests/support/pages/watch_page.ts";
import { buildWeb } from "../web/build/web_build.ts";
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
/** How long graphs may fill: for a quick look, and for the documents. */
const SETTLE_MS = { look: 12_000, documents: 65_000 } as const;

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

async function take(page: Page, path: string, fullPage = false): Promise<void> {
  await page.screenshot({ path, fullPage });
  say(`wrote ${path}`);
}

/** The three views in three pages: one publishes, one watches, one shows the dashboard. */
async function live(
  browser: Browser,
  url: string,
  shot: Shot,
  { settleMs, pathOf }: { readonly settleMs: number; readonly pathOf: (view: string) => string },
): Promise<void> {
  const publish = await open(browser, `${url}#/publish`, shot);
  await goLive(publish, { name: "demo", source: "pattern", lines: 540 });
  const watch = await open(browser, `${url}?name=demo&visible=always#/watch`, shot);
  await firstPicture(watch);
  const dashboard = await open(browser, `${url}#/dashboard`, shot);
  await watch.waitForTimeout(settleMs);
  await take(publish, pathOf("publish"), true);
  await take(watch, pathOf("watch"), true);
  await take(dashboard, pathOf("dashboard"), true);
  for (const page of [publish, watch, dashboard]) await page.close();
}

async function main(args: readonly string[]): Promise<void> {
  const out = args[0] === "--out" ? args[1] : undefined;
  await buildWeb(toFileUrl(ROOT));
  await using relay = await startRelay();
  await using chromium = await launchChromium();
  const { browser } = chromium;
  if (out === undefined) {
    const pathOf = (view: string) => `${ROOT}docs/${view}.png`;
    return await live(browser, relay.url, SHOTS[0]!, { settleMs: SETTLE_MS.documents, pathOf });
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
    const pathOf = (view: string) => `${out}/live-${view}-${shot.name}.png`;
    await live(browser, relay.url, shot, { settleMs: SETTLE_MS.look, pathOf });
  }
}

if (import.meta.main) await main(Deno.args);
