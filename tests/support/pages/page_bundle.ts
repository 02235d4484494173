/**
 * Modules as scripts in a page, and what they put into its global scope as promises.
 *
 * @module
 */
import type { Page } from "playwright-core";
import { fromFileUrl } from "../../../tools/file_url.ts";

/** The page's own side, as promises. */
export type Remote<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>>
    : never;
};

/** A module and all it needs as one script for browsers, without Deno's sockets. */
export async function bundleForPage(module: URL): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--platform", "browser"],
      ...["--external=../transport/dial.ts", fromFileUrl(module)],
    ],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Loads a script into a page and gives the functions it put under `name`. */
export async function loadInPage<T>(page: Page, script: string, name: string): Promise<Remote<T>> {
  await page.addScriptTag({ content: script, type: "module" });
  await page.waitForFunction(`globalThis.${name} !== undefined`);
  return new Proxy({} as Remote<T>, {
    get: (_, key) =>
      key === "then" ? undefined : (...args: unknown[]) =>
        page.evaluate(([name, key, args]) =>
          // deno-lint-ignore no-explicit-any
          (globalThis as any)[name as string][key as string](...args as unknown[]), [
          name,
          String(key),
          args,
        ]),
  });
}
