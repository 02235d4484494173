/** A relay and a browser that opens its page. */
import type { Page } from "playwright-core";
import { toFileUrl } from "../../../tools/file_url.ts";
import { ROOT } from "../../../tools/module_graph.ts";
import { buildWeb } from "../../../web/build/web_build.ts";
import { startRelay } from "../program.ts";
import { launchChromium } from "./chromium.ts";

/** Chromium uses a fake camera and microphone and does not ask for permission. */
export const FAKE_DEVICES = [
  ...["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
];

export interface StageOptions {
  /** Of the relay. */
  readonly flags?: readonly string[];
  /** Of Chromium. */
  readonly switches?: readonly string[];
}

/** A relay whose page is built already, and a browser. */
export async function stage({ flags = [], switches = [] }: StageOptions = {}) {
  await buildWeb(toFileUrl(ROOT));
  const stack = new AsyncDisposableStack();
  const relay = stack.use(await startRelay(flags));
  const { browser } = stack.use(await launchChromium(switches));
  return { relay, browser, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Errors of a page from now on. @param options.console Those of its console as well. */
export function problemsOf(page: Page, options: { readonly console?: boolean } = {}): string[] {
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (options.console && message.type() === "error") problems.push(message.text());
  });
  return problems;
}
