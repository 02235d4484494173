/**
 * Builds the page into dist/web. With `--entry` also writes dist/main.ts, which is main.ts with the built page inside:
 * what `deno task bundle` and `deno task compile` are made from. `--quiet` is for a task that then starts a relay: it prints
 * only what is missing, and ends with code 0.
 */
import { reasonOf } from "../../base/errors.ts";
import { buildWeb, WEB_DIR, webFiles, webIsBuilt } from "../../web/build/web_build.ts";
import { ROOT } from "../module_graph.ts";
import { report, say } from "../say.ts";
import { builtSizes, sizeTable, tooLarge } from "./web_sizes.ts";
import { toFileUrl } from "../file_url.ts";

/** The entry of a program that has the page in it. */
export function entryWithPage(files: readonly string[]): string {
  const names = files.map((_, i) => `file${i}`);
  const folder = WEB_DIR.replace(/^dist\//, "./");
  return [
    "// Made by tools/ship/build_web.ts.",
    'import { embedWeb } from "../web/build/web_assets.ts";',
    'import { run } from "../cli/main.ts";',
    ...files.map((file, i) => `import ${names[i]} from "${folder}/${file}" with { type: "text" };`),
    "",
    "embedWeb({",
    ...files.map((file, i) => `  "${file}": ${names[i]},`),
    "});",
    "if (import.meta.main) Deno.exit(await run(Deno.args));",
    "",
  ].join("\n");
}

/** Builds the page and writes dist/main.ts. */
export async function buildEntry(): Promise<void> {
  const root = toFileUrl(ROOT);
  await buildWeb(root);
  await Deno.writeTextFile(`${ROOT}dist/main.ts`, entryWithPage(await webFiles(root)));
}

async function main(args: readonly string[]): Promise<void> {
  if (args.includes("--quiet")) return await buildQuietly();
  if (args.includes("--entry")) await buildEntry();
  else await buildWeb(toFileUrl(ROOT));
  say(`${WEB_DIR}/ is built:`);
  const assets = `${ROOT}${WEB_DIR}/assets/`;
  for (const line of await sizeTable(assets)) say(`  ${line}`);
  report("page", tooLarge(await builtSizes(assets)));
}

/** A relay without its page is better than none. */
async function buildQuietly(): Promise<void> {
  const root = toFileUrl(ROOT);
  try {
    if (!await webIsBuilt(root)) say("The page is being built. One moment …");
    const { noPlayer } = await buildWeb(root);
    if (noPlayer !== undefined) say(`The page is built without its player: ${noPlayer}`);
  } catch (error) {
    say(`The page could not be built: ${reasonOf(error)}`);
  }
}

if (import.meta.main) await main(Deno.args);
