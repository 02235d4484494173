/**
 * Makes the npm package of the client library in dist/npm: modules, types, package.json, README and licence. It is used from
 * bundlers and for its types; in plain Node everything but dialing works.
 */
import { ROOT } from "../module_graph.ts";
import { say } from "../say.ts";

/** The folder of the package, below the top of the project, and the folder of its archive. */
export const NPM_DIR = "dist/npm";
export const PACK_DIR = "dist";
/** What programs import: groups and frames, and objects beside them. */
const ENTRIES = ["client/mod.ts", "client/objects/mod.ts"];
/** The compiler that writes the declarations. Taken from npm when it runs, pinned here. */
export const TYPESCRIPT = "typescript@5.9.3";

/**
 * Makes the package.
 * @throws {Error} What the bundler or the compiler said.
 */
export async function buildNpm(): Promise<void> {
  const folder = ROOT + NPM_DIR;
  await Deno.remove(folder, { recursive: true }).catch((error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await run(
    ["bundle", "--quiet", "--platform", "browser", "--code-splitting"],
    ["--outdir", folder, ...ENTRIES],
  );
  await run(
    ["run", "-A", "--no-lock", `npm:${TYPESCRIPT}/tsc`, ...ENTRIES, "--declaration"],
    // Deno has checked them already, with its own types, which this compiler does not have.
    ["--emitDeclarationOnly", "--noCheck", "--stripInternal", "--allowImportingTsExtensions"],
    ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"],
    ["--target", "esnext", "--module", "nodenext", "--lib", "esnext,dom"],
    ["--rootDir", ".", "--outDir", `${folder}/types`],
  );
  await addGlobals(`${folder}/types/`);
  await pruneTypes(`${folder}/types/`);
  const denoOnly = await tidyScripts(folder);
  const { name, version, license } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const manifest = {
    name,
    version,
    description:
      "Client library of Media over QUIC (moq-lite, moq-transport) for browsers and Deno",
    keywords: ["moq", "media-over-quic", "webtransport", "live", "streaming"],
    license,
    type: "module",
    exports: {
      ".": { types: "./types/client/mod.d.ts", default: "./mod.js" },
      "./objects": { types: "./types/client/objects/mod.d.ts", default: "./objects/mod.js" },
    },
    types: "./types/client/mod.d.ts",
    browser: Object.fromEntries(denoOnly.map((file) => [`./${file}`, false])),
    sideEffects: false,
    engines: { node: ">=20" },
  };
  await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify(manifest, undefined, 2) + "\n");
  await Deno.copyFile(`${ROOT}LICENSE`, `${folder}/LICENSE`);
  const source = await Deno.readTextFile(`${ROOT}client/mod.ts`);
  await Deno.writeTextFile(`${folder}/README.md`, readmeOf(source, name));
}

/** The comment of the library's entry, for users of the npm package. */
export function readmeOf(source: string, name: string): string {
  const [, comment] = /^\/\*\*\n([\s\S]*?) \*\//.exec(source)!;
  const text = comment!.replace(/^ \* ?/gm, "").replace(/\n@module\s*$/, "")
    .replace(/\{@link ([\w.]+)\}/g, "`$1`");
  return `# ${name}\n\n${text.trim()}\n\n` +
    "Plain Node has no WebTransport: there `connect()` takes a WebSocket where there is one (Node 22 and newer), else\n" +
    "says so, and all else can be imported.\n";
}

/**
 * Archives the package as npm would send it: `dist/NAME-VERSION.tgz`.
 * @returns Its path below the top of the project. @throws {Error} What npm said. @throws {Deno.errors.NotFound} No npm.
 */
export async function packNpm(): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("npm", {
    ...{ args: ["pack", "--json", "--pack-destination", `${ROOT}${PACK_DIR}`] },
    ...{ cwd: ROOT + NPM_DIR, stdin: "null" },
  }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`npm pack: ${text.decode(stderr)}`);
  const [, name] = /"filename": "([^"]+)"/.exec(text.decode(stdout))!;
  return `${PACK_DIR}/${name}`;
}

/** The lazy imports that only Deno reaches. */
const DENO_ONLY = /^(?:dial|quic|accept)-\w+\.js$/;
/** The lazy import that browsers reach, where there is no WebTransport or it does not get through. */
const WHEN_DIALED = /^websocket_client-\w+\.js$/;

/**
 * Tells Deno where the types are, and takes the paths of this machine out of the scripts.
 * @returns The files that nothing but Deno loads. @throws {Error} A file for browsers needs Deno, or none dials a WebSocket.
 */
async function tidyScripts(folder: string): Promise<string[]> {
  const scripts = new Map<string, string>();
  for (const name of await scriptsIn(folder)) {
    const script = await Deno.readTextFile(`${folder}/${name}`);
    const tidy = script.replace(/^\/\/ (?:\.\.\/)+.*\/(@?[^/]+\/[^/]+\/\d[^/]*\/.*)$/gm, "// $1");
    scripts.set(name, SCRIPTS.includes(name) ? typesOf(name) + tidy : tidy);
    await Deno.writeTextFile(`${folder}/${name}`, scripts.get(name)!);
  }
  const reached = new Set<string>();
  const queue = [...SCRIPTS];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file) || DENO_ONLY.test(file)) continue;
    reached.add(file);
    for (const [, path] of scripts.get(file)!.matchAll(IMPORTED)) {
      queue.push(new URL(path!, `file:///${file}`).pathname.slice(1));
    }
  }
  const wrong = [...reached].find((file) => /\bDeno\.connectQuic|"node:/.test(scripts.get(file)!));
  if (wrong !== undefined) throw new Error(`${wrong} is for browsers and needs Deno`);
  if (![...reached].some((file) => WHEN_DIALED.test(file))) {
    throw new Error("no file for browsers dials a WebSocket");
  }
  return [...scripts.keys()].filter((file) => !reached.has(file)).sort();
}

/** The scripts of the bundle, by their paths in the package. */
async function scriptsIn(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for (const below of ["", "objects/"]) {
    for await (const { name } of Deno.readDir(`${folder}/${below}`)) {
      if (name.endsWith(".js")) paths.push(below + name);
    }
  }
  return paths;
}

/** The entries, as they are in the package. */
const SCRIPTS = ["mod.js", "objects/mod.js"];
const typesOf = (script: string) => {
  const up = script.includes("/") ? ".." : ".";
  return `// @ts-self-types="${up}/types/client/${script.replace(/js$/, "d.ts")}"\n`;
};
/** A script of the bundle imports another, at once or lazily. */
const IMPORTED = /(?:\bfrom|\bimport\(?)\s*"(\.\.?\/[^"]+\.js)"/g;

/**
 * The global types that the declarations need, for programs that are checked without them (`lib: ["ES2022"]`). Each
 * interface merges with the one of `dom`, Node's or Deno's types, where there is one.
 */
const GLOBALS = `/// <reference lib="esnext.disposable" />
interface AbortSignal {
  readonly aborted: boolean;
}
interface URL {
  toJSON(): string;
}
`;

async function addGlobals(folder: string): Promise<void> {
  await Deno.writeTextFile(`${folder}client/globals.d.ts`, GLOBALS);
  const entry = `${folder}client/mod.d.ts`;
  const text = await Deno.readTextFile(entry);
  await Deno.writeTextFile(entry, `/// <reference path="./globals.d.ts" />\n${text}`);
}

/** Keeps the declarations that the entry reaches, and rewrites their imports for the package. */
async function pruneTypes(folder: string): Promise<void> {
  const kept = new Set<string>();
  kept.add("client/globals.d.ts");
  const queue = ENTRIES.map((entry) => new URL(`file:///${entry.replace(/ts$/, "d.ts")}`));
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    const path = at.pathname.slice(1);
    if (kept.has(path)) continue;
    kept.add(path);
    const text = await Deno.readTextFile(folder + path);
    const from = at;
    const renamed = text.replace(
      /^(?! \*)(.*(?:from|import\()\s*")(\.[^"]+)\.ts"/gm,
      (_, start, to) => {
        queue.push(new URL(`${to}.d.ts`, from));
        return `${start}${to}.js"`;
      },
    );
    await Deno.writeTextFile(folder + path, renamed);
  }
  for await (const area of Deno.readDir(folder)) await prune(folder, `${area.name}`, kept);
}

async function prune(top: string, path: string, kept: ReadonlySet<string>): Promise<void> {
  if (kept.has(path)) return;
  if (![...kept].some((file) => file.startsWith(`${path}/`))) {
    return await Deno.remove(top + path, { recursive: true });
  }
  for await (const { name } of Deno.readDir(top + path)) await prune(top, `${path}/${name}`, kept);
}

async function run(...args: readonly string[][]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    ...{ args: args.flat(), cwd: ROOT, stdin: "null", env: { NO_COLOR: "1" } },
  }).output();
  const text = new TextDecoder();
  if (!success) {
    throw new Error(`deno ${args.flat().join(" ")}: ${text.decode(stdout)}${text.decode(stderr)}`);
  }
}

if (import.meta.main) {
  await buildNpm();
  say(`${NPM_DIR}/ is built`);
  try {
    say(`${await packNpm()} is packed`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    say(`${NPM_DIR}/ can be installed as it is; to pack it, npm is needed`);
  }
}
