import { fileURLToPath } from "node:url";

/** Each file of the page: where it is made of, and whether it has to be bundled. Paths begin at the top of the project. */
const PARTS = [
  { name: "index.html", source: "web/index.html", bundle: false },
  { name: "assets/page.css", source: "web/page.css", bundle: false },
  { name: "assets/page.js", source: "web/page.ts", bundle: true },
  { name: "assets/watch.js", source: "web/watch.ts", bundle: true },
] as const;

/** Names of the files of the page, as they are asked for. */
export const WEB_FILES = PARTS.map(({ name }) => name);

/** What the bundles depend on besides their own source. */
const VERSIONS = "deno.json";

/** Where the built page is, below the top of the project. */
export const WEB_DIR = "dist/web";

/**
 * Makes the page's files in {@link WEB_DIR}, those that are older than their source.
 *
 * @param root The top of the project, a file URL that ends with a slash.
 * @throws {Error} What `deno bundle` said.
 */
export async function buildWeb(root: URL): Promise<void> {
  await Deno.mkdir(new URL(`${WEB_DIR}/assets/`, root), { recursive: true });
  for (const { name, source, bundle } of PARTS) {
    const target = new URL(`${WEB_DIR}/${name}`, root);
    if (await isFresh(target, [new URL(source, root), new URL(VERSIONS, root)])) continue;
    if (!bundle) {
      await Deno.copyFile(new URL(source, root), target);
      // The copy keeps the time of its source in some file systems.
      await Deno.utime(target, new Date(), new Date());
      continue;
    }
    await bundleForBrowser(root, source, target);
  }
}

/** Whether all files are there and as new as their sources. */
export async function webIsBuilt(root: URL): Promise<boolean> {
  for (const { name, source } of PARTS) {
    const target = new URL(`${WEB_DIR}/${name}`, root);
    if (!await isFresh(target, [new URL(source, root), new URL(VERSIONS, root)])) return false;
  }
  return true;
}

async function bundleForBrowser(root: URL, source: string, target: URL): Promise<void> {
  // Written beside and renamed: a server that starts meanwhile never sees half a file.
  const half = fileURLToPath(target).replace(/\.js$/, `.${Deno.pid}.js`);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "browser", "--minify", "--output", half, source],
    cwd: fileURLToPath(root),
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) {
    const said = new TextDecoder().decode(stderr).trim().split("\n").slice(0, 3).join(" ");
    throw new Error(`deno bundle ${source}: ${said || "it failed without a word"}`);
  }
  await Deno.rename(half, target);
}

async function isFresh(target: URL, sources: readonly URL[]): Promise<boolean> {
  const madeAt = (await Deno.stat(target).catch(() => undefined))?.mtime;
  if (!madeAt) return false;
  for (const source of sources) {
    const { mtime } = await Deno.stat(source);
    if (mtime !== null && mtime > madeAt) return false;
  }
  return true;
}
