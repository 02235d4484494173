/** The modules of the project and their imports, as Deno resolves them. */
import { fromFileUrl, toFileUrl } from "./file_url.ts";

/** One file of the project; `path` starts at its top, with "/" on every system. */
export interface Module {
  readonly path: string;
  readonly source: string;
  /** Other files of the project; type-only and dynamic imports and workers count. */
  readonly files: readonly string[];
  /** The files of `files` that are imported only for types. */
  readonly types: readonly string[];
  /** Files named by `new URL("…", import.meta.url)`: workers and data that no import statement shows. */
  readonly urls: readonly string[];
  /** As written: "hono", "hono/cors", "node:fs". */
  readonly packages: readonly string[];
}

const CODE = /\.(ts|tsx|js|jsx)$/;
/** Folders without source code. */
const SKIPPED = new Set(["dist", "coverage", "certs", "node_modules", "profile"]);

/** The top of the project. */
export const ROOT = fromFileUrl(new URL("..", import.meta.url));

/** Paths of all code files of the project, sorted. @param kind A pattern of names, to list other files. */
export async function codeFiles(kind = CODE): Promise<string[]> {
  const found: string[] = [];
  const walk = async (folder: string) => {
    for await (const entry of Deno.readDir(ROOT + folder)) {
      const hidden = entry.name.startsWith(".") || SKIPPED.has(entry.name);
      if (entry.isDirectory && !hidden) await walk(`${folder}${entry.name}/`);
      else if (entry.isFile && kind.test(entry.name)) found.push(folder + entry.name);
    }
  };
  await walk("");
  return found.sort();
}

/** The style sheets of the project. The limit of lines applies to them too. */
export async function readStyles(): Promise<Pick<Module, "path" | "source">[]> {
  const paths = await codeFiles(/\.css$/);
  return await Promise.all(
    paths.map(async (path) => ({ path, source: await Deno.readTextFile(ROOT + path) })),
  );
}

/** `entries`, and the modules that they import directly or through others. */
export function reachable(modules: readonly Module[], entries: readonly string[]): Module[] {
  const byPath = new Map(modules.map((m) => [m.path, m]));
  const reached = new Map<string, Module>();
  const queue = [...entries];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const module = byPath.get(path);
    if (module === undefined || reached.has(path)) continue;
    reached.set(path, module);
    queue.push(...module.files);
  }
  return [...reached.values()];
}

interface GraphJson {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: { readonly specifier?: string };
      readonly type?: { readonly specifier?: string };
    }[];
  }[];
}

/**
 * Reads the whole module graph of the project.
 *
 * @throws {Error} `deno info` cannot read it, for instance over a syntax error or an import that leads nowhere.
 */
export async function readModules(): Promise<Module[]> {
  const paths = await codeFiles();
  const graph = await readGraph(paths);
  const top = toFileUrl(ROOT).href;
  const byPath = new Map<string, GraphJson["modules"][number]>();
  for (const m of graph.modules) {
    if (m.specifier.startsWith(top)) byPath.set(decodeURI(m.specifier.slice(top.length)), m);
  }
  return await Promise.all(paths.map(async (path) => {
    const found = byPath.get(path);
    if (found === undefined || found.error !== undefined) {
      throw new Error(`Cannot read the imports of ${path}: ${found?.error ?? "not in the graph"}`);
    }
    const source = await Deno.readTextFile(ROOT + path);
    const urls = urlsIn(source, path);
    const files = new Set(urls.filter((url) => CODE.test(url)));
    const types: string[] = [];
    const packages = new Set<string>();
    for (const dependency of found.dependencies ?? []) {
      const resolved = dependency.code?.specifier ?? dependency.type?.specifier;
      if (!resolved?.startsWith(top)) packages.add(dependency.specifier);
      else {
        const file = decodeURI(resolved.slice(top.length));
        files.add(file);
        if (dependency.code === undefined) types.push(file);
      }
    }
    return { path, source, urls, files: [...files].sort(), types, packages: [...packages].sort() };
  }));
}

/** One `deno info` for all files. It takes a single entry, so that is a module that imports every file. */
async function readGraph(paths: readonly string[]): Promise<GraphJson> {
  const entry = await Deno.makeTempFile({ prefix: "qumo-graph-", suffix: ".ts" });
  try {
    const urls = paths.map((path) => new URL(encodeURI(path), toFileUrl(ROOT)).href);
    await Deno.writeTextFile(entry, urls.map((url) => `import "${url}";`).join("\n"));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--config", `${ROOT}deno.json`, entry],
      stdout: "piped",
      stderr: "piped",
    }).output();
    const text = new TextDecoder();
    if (!success) throw new Error(`Cannot read the module graph: ${text.decode(stderr)}`);
    return JSON.parse(text.decode(stdout)) as GraphJson;
  } finally {
    await Deno.remove(entry);
  }
}

/** Files named by `new URL("./x.ts", import.meta.url)`. */
function urlsIn(source: string, path: string): string[] {
  const named = source.matchAll(/new URL\(\s*["'](\.[^"']*\.\w+)["'],\s*import\.meta\.url/g);
  return [...named].map(([, relative]) => new URL(relative!, `file:///${path}`).pathname.slice(1));
}
