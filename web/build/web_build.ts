import { fileURLToPath } from "node:url";

/** Where the built page is, below the top of the project. */
export const WEB_DIR = "dist/web";

/** The scripts of the pages; what they import when it is needed becomes files of their own beside them. */
const ENTRIES = ["web/page.tsx", "web/embed.ts", "web/embed_frame.ts"] as const;
/** The script for other sites' pages. Its address never changes; it shares its parts with the page. */
const EMBED = { file: "embed.js", text: 'import "./assets/embed.js";\n' } as const;
/** The style sheet of the page. Its imports are put in place of their lines. */
const STYLE = { source: "web/page.css", file: "assets/page.css" } as const;
/** Files that are served as they are, and their names. */
const COPIED = {
  "web/embed.html": "embed.html",
  "web/index.html": "index.html",
} as const;
/** Folders whose code may be part of the page, besides what else it depends on. */
const FOLDERS = [
  "web",
  "media",
  "client",
  "session",
  "relay",
  "transport",
  "wire",
  "base",
] as const;
const VERSIONS = "deno.json";
/** This file. A change of it rebuilds the page from the same sources. */
const BUILDER = "web/build/web_build.ts";
/** The player's package. Without it the rest of the page still works. */
const PLAYER = "@moq/watch";
/** Reached by the client library in Deno only. */
const NOT_FOR_BROWSERS = "../transport/dial.ts";

/** How a build went. */
export interface WebBuild {
  /** Why the player is not part of it; absent when it is. */
  readonly noPlayer?: string;
}

/**
 * Makes the page's files in {@link WEB_DIR} when one of them is older than its sources.
 *
 * @param root The top of the project, a file URL that ends with a slash.
 * @throws {Error} What `deno bundle` said.
 */
export async function buildWeb(root: URL): Promise<WebBuild> {
  if (await webIsBuilt(root)) return {};
  // The page is built beside its place and moved there: a server that starts meanwhile never sees half of it.
  const half = new URL(`${WEB_DIR}.${Deno.pid}-${crypto.randomUUID().slice(0, 8)}/`, root);
  try {
    await Deno.mkdir(new URL("assets/", half), { recursive: true });
    const result = await bundle(root, half);
    await Deno.writeTextFile(new URL(EMBED.file, half), EMBED.text);
    await Deno.writeTextFile(
      new URL(STYLE.file, half),
      await styleSheet(new URL(STYLE.source, root)),
    );
    for (const [source, name] of Object.entries(COPIED)) {
      const target = new URL(name, half);
      await Deno.copyFile(new URL(source, root), target);
      // The copy keeps the time of its source in some file systems.
      // Without its player the page is tried again at the next start.
      const madeAt = result.noPlayer === undefined ? new Date() : new Date(0);
      await Deno.utime(target, madeAt, madeAt);
    }
    await moveIntoPlace(half, new URL(`${WEB_DIR}/`, root));
    return result;
  } finally {
    await Deno.remove(half, { recursive: true }).catch(() => {}); // moved
  }
}

/** Whether the page is there and as new as its sources. */
export async function webIsBuilt(root: URL): Promise<boolean> {
  const page = new URL(`${WEB_DIR}/index.html`, root);
  const madeAt = (await Deno.stat(page).catch(() => undefined))?.mtime;
  return madeAt ? madeAt >= await newestSource(root) : false;
}

/** Names of the built files as they are asked for, sorted: "index.html", "assets/page.js". */
export async function webFiles(root: URL): Promise<string[]> {
  const dir = new URL(`${WEB_DIR}/`, root);
  const names: string[] = [];
  for (const folder of ["", "assets/"]) {
    try {
      for await (const entry of Deno.readDir(new URL(folder, dir))) {
        if (entry.isFile) names.push(folder + entry.name);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return names.sort();
}

async function bundle(root: URL, into: URL): Promise<WebBuild> {
  const said = await tryBundle(root, into, [NOT_FOR_BROWSERS]);
  if (said === undefined) return {};
  const withoutPlayer = await tryBundle(root, into, [NOT_FOR_BROWSERS, PLAYER, `${PLAYER}/*`]);
  if (withoutPlayer === undefined) return { noPlayer: said };
  throw new Error(`deno bundle ${ENTRIES[0]}: ${said}`);
}

/**
 * A style sheet as one file. A line `@import "./PART.css";` becomes that part; each is small, and a browser asks once.
 * @throws {Error} A part is not there.
 */
async function styleSheet(file: URL): Promise<string> {
  const lines = (await Deno.readTextFile(file)).split("\n");
  const parts = lines.map((line) => {
    const part = /^@import "(\.\/[^"]+)";$/.exec(line)?.[1];
    return part === undefined ? line : styleSheet(new URL(part, file));
  });
  return (await Promise.all(parts)).join("\n");
}

/** @returns What went wrong, if anything did. */
async function tryBundle(
  root: URL,
  into: URL,
  external: readonly string[],
): Promise<string | undefined> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--platform", "browser", "--minify", "--code-splitting"],
      ...external.flatMap((name) => ["--external", name]),
      ...["--outdir", fileURLToPath(new URL("assets/", into)), ...ENTRIES],
    ],
    cwd: fileURLToPath(root),
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).output();
  if (success) return undefined;
  const said = new TextDecoder().decode(stderr).trim().split("\n").slice(0, 3).join(" ");
  return said || "it failed without a word";
}

/** Replaces a whole folder by another. When several do so at once, the last one stays. */
async function moveIntoPlace(from: URL, to: URL): Promise<void> {
  const old = new URL(from.href.replace(/\/$/, ".old/"));
  for (let tries = 0;; tries++) {
    await Deno.rename(to, old).catch(() => {}); // there may be none
    try {
      return await Deno.rename(from, to);
    } catch (error) {
      if (tries === 5) throw error;
    } finally {
      await Deno.remove(old, { recursive: true }).catch(() => {});
    }
  }
}

async function newestSource(root: URL): Promise<Date> {
  let newest = (await Deno.stat(new URL(VERSIONS, root))).mtime ?? new Date(0);
  const builder = (await Deno.stat(new URL(BUILDER, root))).mtime ?? new Date(0);
  if (builder > newest) newest = builder;
  const walk = async (folder: URL) => {
    for await (const entry of Deno.readDir(folder)) {
      const at = new URL(entry.name, folder);
      if (entry.isDirectory) await walk(new URL(`${at.href}/`));
      else if (!/_(test|bench)\.tsx?$/.test(entry.name)) {
        const { mtime } = await Deno.stat(at);
        if (mtime !== null && mtime > newest) newest = mtime;
      }
    }
  };
  for (const folder of FOLDERS) {
    await walk(new URL(`${folder}/`, root)).catch((error: unknown) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
  return newest;
}
