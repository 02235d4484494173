/**
 * Makes the npm package of the client library in dist/npm: modules, types, package.json, README and licence. It is used from
 * bundlers and for its types; in plain Node everything but dialing works.
 */
import { ROOT } from "./module_graph.ts";
import { say } from "./say.ts";

/** Where the package is, below the top of the project. */
export const NPM_DIR = "dist/npm";
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
    ["--outdir", folder, "client/mod.ts"],
  );
  await run(
    ["run", "-A", "--no-lock", `npm:${TYPESCRIPT}/tsc`, "client/mod.ts", "--declaration"],
    // Checked by Deno already, and with Deno's own types, which this compiler does not have.
    ["--emitDeclarationOnly", "--noCheck", "--stripInternal", "--allowImportingTsExtensions"],
    ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"],
    ["--target", "esnext", "--module", "nodenext", "--lib", "esnext,dom"],
    ["--rootDir", ".", "--outDir", `${folder}/types`],
  );
  await pruneTypes(`${folder}/types/`);
  const { name, version, license } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const manifest = {
    name,
    version,
    description: "Client library of Media over QUIC (moq-lite 01 to 06) for browsers and Deno",
    keywords: ["moq", "media-over-quic", "webtransport", "live", "streaming"],
    license,
    type: "module",
    exports: { ".": { types: "./types/client/mod.d.ts", default: "./mod.js" } },
    types: "./types/client/mod.d.ts",
    // Reached in Deno only.
    browser: Object.fromEntries((await lazyFiles(folder)).map((file) => [`./${file}`, false])),
    sideEffects: false,
    engines: { node: ">=20" },
  };
  await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify(manifest, undefined, 2) + "\n");
  await Deno.copyFile(`${ROOT}LICENSE`, `${folder}/LICENSE`);
  const source = await Deno.readTextFile(`${ROOT}client/mod.ts`);
  await Deno.writeTextFile(`${folder}/README.md`, readmeOf(source, name));
}

/** The comment of the library's entry, for those who have it from npm. */
export function readmeOf(source: string, name: string): string {
  const [, comment] = /^\/\*\*\n([\s\S]*?) \*\//.exec(source)!;
  const text = comment!.replace(/^ \* ?/gm, "").replace(/\n@module\s*$/, "")
    .replaceAll("./client/mod.ts", name)
    .replace(/\{@link ([\w.]+)\}/g, "`$1`");
  return `# ${name}\n\n${text.trim()}\n\n` +
    "Plain Node has no WebTransport: there `connect()` says so, and all else can be imported.\n";
}

/** Files that the package's entry reaches by lazy imports alone. */
async function lazyFiles(folder: string): Promise<string[]> {
  const needed = new Set<string>();
  const queue = ["mod.js"];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (needed.has(file)) continue;
    needed.add(file);
    const script = await Deno.readTextFile(`${folder}/${file}`);
    for (const [, path] of script.matchAll(/^(?:\} from|import) "\.\/([^"]+)";$/gm)) {
      queue.push(path!);
    }
  }
  const all: string[] = [];
  for await (const { name } of Deno.readDir(folder)) if (name.endsWith(".js")) all.push(name);
  return all.filter((file) => !needed.has(file)).sort();
}

/** Keeps the declarations that the entry reaches, and names their neighbours as they are called in a package. */
async function pruneTypes(folder: string): Promise<void> {
  const kept = new Set<string>();
  const queue = [new URL("file:///client/mod.d.ts")];
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
}
