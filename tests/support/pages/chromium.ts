import { type Browser, chromium, type Page } from "playwright-core";
import { need } from "../require.ts";

/** A headless Chromium and a page on this machine, where WebTransport is allowed. */
export interface RunningChromium extends AsyncDisposable {
  readonly browser: Browser;
  /** Origin of the page, like "http://127.0.0.1:1234". */
  readonly origin: string;
  /** A new tab with an empty page. */
  page(): Promise<Page>;
}

/**
 * Starts Debian's Chromium.
 * @param switches Further ones of its command line.
 * @throws {Error} It is absent; ask {@link need} first.
 */
export async function launchChromium(switches: readonly string[] = []): Promise<RunningChromium> {
  const { path } = need("chromium");
  if (!path) throw new Error("Cannot start Chromium: it is not installed");
  const browser = await chromium.launch({
    executablePath: path,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...switches,
    ],
  });
  const pages = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("<!doctype html><title>test</title>", { headers: HTML }),
  );
  const origin = `http://127.0.0.1:${pages.addr.port}`;
  return {
    browser,
    origin,
    async page() {
      const page = await browser.newPage();
      await page.goto(origin);
      return page;
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await pages.shutdown();
    },
  };
}

const HTML = { "content-type": "text/html; charset=utf-8" };
