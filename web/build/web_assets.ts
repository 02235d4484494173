import type { Logger } from "../../base/logger.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Asset, Assets } from "./assets.ts";
import { buildWeb, WEB_DIR, webFiles, webIsBuilt } from "./web_build.ts";

/** The page's files as texts, by the name they are asked for. */
export type EmbeddedWeb = Readonly<Record<string, string>>;

let embedded: EmbeddedWeb | undefined;

/** Gives the program the page that was built into it. The entry of `deno task bundle` and `compile` calls it. */
export function embedWeb(files: EmbeddedWeb): void {
  embedded = files;
}

/** The top of the project when the program runs from source. */
const ROOT = new URL("../../", import.meta.url);

/**
 * The files of the page. From source they are built when they are absent or older than their sources; that takes some
 * seconds, so they come into the map later, and until then it holds a page that says so.
 */
export async function webAssets(logger: Logger): Promise<Assets> {
  const assets = new Map<string, Asset>();
  if (embedded !== undefined) {
    fill(assets, embedded);
  } else if (!await hasSources()) {
    logger.warn("the page is not inside this program: / has no player", {
      cure: "make it with `deno task bundle` or `deno task compile`",
    });
    assets.set("index.html", html(pageOf("This program was made without its page.")));
  } else if (await webIsBuilt(ROOT)) {
    fill(assets, await readBuilt());
  } else {
    assets.set("index.html", html(pageOf("The page is being built. One moment …", 1)));
    void build(assets, logger);
  }
  return assets;
}

async function build(assets: Map<string, Asset>, logger: Logger): Promise<void> {
  try {
    const { noPlayer } = await buildWeb(ROOT);
    fill(assets, await readBuilt());
    if (noPlayer === undefined) logger.debug("the page is built");
    else logger.warn("the page is built without its player", { reason: noPlayer });
  } catch (error) {
    const reason = reasonOf(error);
    logger.warn("the page could not be built: / has no player", { reason });
    assets.set("index.html", html(pageOf("The page could not be built; the log tells why.")));
  }
}

async function hasSources(): Promise<boolean> {
  if (ROOT.protocol !== "file:" || Deno.build.standalone) return false;
  return await Deno.stat(new URL("web/page.tsx", ROOT)).then(() => true, () => false);
}

async function readBuilt(): Promise<EmbeddedWeb> {
  const files: Record<string, string> = {};
  for (const name of await webFiles(ROOT)) {
    files[name] = await Deno.readTextFile(new URL(`${WEB_DIR}/${name}`, ROOT));
  }
  return files;
}

function fill(assets: Map<string, Asset>, files: EmbeddedWeb): void {
  // The page itself last: whoever gets it finds the rest.
  for (const name of Object.keys(files).sort().filter((name) => name !== "index.html")) {
    assets.set(name, { type: typeOf(name), body: new TextEncoder().encode(files[name]) });
  }
  const page = files["index.html"]!.replace(
    'content="qumo-relay pub"',
    `content="${pubCommand()}"`,
  );
  assets.set("index.html", html(page));
}

/** The command line that starts this program's `pub`, for the page to show. */
function pubCommand(): string {
  if (Deno.build.standalone || Deno.env.has("QUMO_PACKED")) return "qumo-relay pub";
  // Started by npx there is no `deno` on the user's path.
  const npx = /[\\/]node_modules[\\/]/.test(Deno.execPath());
  const deno = npx ? `npx -y deno@${Deno.version.deno}` : "deno";
  const main = /[\w.-]+$/.exec(Deno.mainModule)?.[0] ?? "main.ts";
  // A bundle may run where no deno.json allows QUIC.
  return `${deno} run -A ${main.endsWith(".js") ? "--unstable-net " : ""}${main} pub`;
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
};

const typeOf = (name: string) => TYPES[name.split(".").at(-1)!]!;

function html(text: string): Asset {
  return { type: TYPES.html!, body: new TextEncoder().encode(text) };
}

/** A page without the player. */
function pageOf(text: string, refreshSeconds?: number): string {
  const refresh = refreshSeconds === undefined
    ? ""
    : `<meta http-equiv="refresh" content="${refreshSeconds}">`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">${refresh}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>qumo-relay</title></head>
<body style="font:16px/1.5 system-ui,sans-serif;max-width:60ch;margin:10vh auto;padding:0 16px">
<h1 style="font-size:1.25rem">qumo-relay</h1><p>${text}</p>
<p>The relay runs. <a href="/announced">What is live</a> ·
<a href="/certificate.sha256">the certificate's hash</a></p></body></html>
`;
}
