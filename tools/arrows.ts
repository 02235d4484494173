/**
 * Which folder may import which, and the other rules of the house that a machine can hold: `deno task arrows`.
 * The reasons are in docs/architecture.md.
 */
import { type Module, readModules, readStyles } from "./module_graph.ts";
import { report } from "./say.ts";

/** Folder -> folders, or single files, it may import besides itself. What is not listed is refused. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: ["deno.json"],
  wire: ["base"],
  transport: ["base", "wire"],
  relay: ["base", "wire/path.ts", "wire/varint.ts"],
  session: ["base", "wire", "relay", "transport/connection.ts", "transport/errors.ts"],
  client: ["base", "wire", "transport", "session", "relay"],
  media: ["base", "client", "wire/path.ts", "wire/varint.ts"],
  storage: ["base"],
  // Where a Redis is: who connects to it knows how that is written.
  config: ["base", "wire/path_pattern.ts", "wire/versions.ts", "storage/redis_place.ts"],
  metrics: [
    "base",
    // What is counted is declared by who counts it.
    ...["relay/stats.ts", "relay/group/frame_pool.ts", "storage/store.ts"],
    ...["session/reasons.ts", "plugins/plugin.ts", "wire/versions.ts"],
  ],
  // The shapes of the admin interface, with what they describe of others.
  admin: ["base", "metrics/snapshot.ts", "plugins/plugin.ts", "relay/reading.ts"],
  plugins: [
    ...["base", "client", "media", "storage"],
    ...["wire/path.ts", "wire/path_pattern.ts", "wire/varint.ts"],
    // How options are declared, and what is said of wrong ones.
    ...["config/fields.ts", "config/address.ts", "config/input_kind.ts", "config/complaint.ts"],
    "config/problems.ts",
  ],
  server: [
    ...["base", "wire", "transport", "relay", "session", "client", "storage", "plugins"],
    ...["admin", "config", "metrics", "web/build/assets.ts"],
    // Which tracks a catalog names: the DVR records those.
    "media/hang",
  ],
  load: ["base", "wire", "transport", "session", "client", "relay/stats.ts"],
  cli: [
    ...[
      "admin",
      "base",
      "wire/path.ts",
      "wire/path_pattern.ts",
      "wire/versions.ts",
      "server",
      "client",
      "media",
    ],
    ...["load", "config", "metrics", "plugins", "web/build"],
  ],
  "main.ts": ["cli"],
  web: ["admin/shapes.ts", "base", "wire", "client", "media"],
};

/** Of {@link MAY_IMPORT}, what only types may be taken from: the page does not carry what checks a shape. */
export const TYPES_ONLY: Readonly<Record<string, readonly string[]>> = { web: ["admin"] };

/**
 * What a protocol has of its own -> who may import it besides itself: everybody else deals in sessions, and in versions by
 * name. The load generator's viewers speak their protocol by themselves, since they keep nothing of what comes.
 */
export const ONLY_FROM: Readonly<Record<string, readonly string[]>> = {
  "wire/ietf": [
    ...["session/ietf", "session/convert"],
    ...["client/objects", "load/light_ietf.ts", "load/object_scan.ts"],
  ],
  "wire/lite": ["session/lite", "load/light_lite.ts", "load/group_scan.ts"],
  "session/lite": ["session/open.ts", "session/accept.ts", "load/light_lite.ts"],
};

/** Folder -> npm packages it may import. A plugin's own stand under its folder. */
export const MAY_USE: Readonly<Record<string, readonly string[]>> = {
  transport: ["@moq/qmux"],
  admin: ["zod"],
  config: ["yaml", "zod"],
  metrics: ["prom-client"],
  server: ["hono"],
  "server/admin": ["zod"],
  "server/auth": ["jose"],
  cli: ["@logtape/logtape", "string-width"],
  plugins: ["zod"],
  "plugins/egress/s3": ["s3mini"],
  media: ["mp4box"],
  storage: ["@redis/client"],
  "plugins/webrtc": ["werift"],
  web: ["@moq/watch", "preact", "uplot"],
};

/** These import what they need: they stand around the program, not in it. */
const FREE = new Set(["tests", "bench", "tools", "examples"]);
/** Folders whose code runs in a browser as it does here. */
export const BROWSER_SAFE = new Set(["wire", "relay", "session", "media"]);
/** Longest file, in lines; tests included. */
const MAX_LINES = 600;
/** Most files of code a folder has of its own; tests and benches do not count. */
const MAX_FILES_IN_FOLDER = 16;

/** The folder a path belongs to, or the file's own name at the top. */
function areaOf(path: string): string {
  return path.split("/")[0]!;
}

/** Tests stand beside the code and may reach across it. */
function isFree(path: string): boolean {
  return FREE.has(areaOf(path)) || isTest(path);
}

function isTest(path: string): boolean {
  return /_(test|bench)\.tsx?$/.test(path);
}

function covers(allowed: string, path: string): boolean {
  return path === allowed || path.startsWith(`${allowed}/`);
}

/** Imports that {@link MAY_IMPORT} does not list, or {@link ONLY_FROM} keeps for others. */
export function refusedImports(modules: readonly Module[]): string[] {
  const refused: string[] = [];
  for (const { path, files, types } of modules) {
    if (isFree(path)) continue;
    const area = areaOf(path);
    const allowed = MAY_IMPORT[area];
    if (allowed === undefined) refused.push(`${path}: ${area} has no place in the layout`);
    // Pages, styles and texts are data: what they are taken into decides.
    for (const to of files.filter((file) => /\.([jt]sx?|json)$/.test(file))) {
      const within = areaOf(to) === area && !isFree(to);
      if (!within && !allowed?.some((a) => covers(a, to))) refused.push(`${path} -> ${to}`);
      else if (isKept(to, path)) refused.push(`${path} -> ${to}: only its protocol may`);
      else if (!types.includes(to) && TYPES_ONLY[area]?.some((a) => covers(a, to))) {
        refused.push(`${path} -> ${to}: only its types`);
      }
    }
  }
  return refused;
}

/** Whether {@link ONLY_FROM} keeps a file for others than this one. */
function isKept(file: string, from: string): boolean {
  return Object.entries(ONLY_FROM).some(([folder, others]) =>
    covers(folder, file) && ![folder, ...others].some((other) => covers(other, from))
  );
}

/** npm packages in folders that {@link MAY_USE} does not give them to. */
export function refusedPackages(modules: readonly Module[]): string[] {
  const refused: string[] = [];
  for (const { path, packages } of modules) {
    if (isFree(path)) continue;
    const folders = Object.keys(MAY_USE).filter((folder) => covers(folder, path));
    const allowed = folders.flatMap((folder) => MAY_USE[folder]!);
    for (const name of packages) {
      const builtIn = name.startsWith("node:") && !BROWSER_SAFE.has(areaOf(path));
      if (!builtIn && !allowed.some((a) => covers(a, name))) refused.push(`${path} -> ${name}`);
    }
  }
  return refused;
}

/** Browser-safe files that name the `Deno` global. */
export function denoInBrowserCode(modules: readonly Module[]): string[] {
  const inBrowser = modules.filter(({ path }) => BROWSER_SAFE.has(areaOf(path)) && !isFree(path));
  return inBrowser.filter(({ source }) => /\bDeno\s*[.[?]/.test(withoutComments(source)))
    .map(({ path }) => path);
}

/** Good enough to find a global: comments go, texts stay. */
function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

/** Files above {@link MAX_LINES}. */
export function tooLong(modules: readonly Pick<Module, "path" | "source">[]): string[] {
  return modules.map(({ path, source }) => ({ path, lines: source.trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => `${path}: ${lines} lines, at most ${MAX_LINES}`);
}

/** Folders that hold more files of their own than {@link MAX_FILES_IN_FOLDER}: drawers, in which nothing is found. */
export function tooFull(modules: readonly Pick<Module, "path">[]): string[] {
  const counts = new Map<string, number>();
  for (const { path } of modules) {
    if (isTest(path)) continue;
    const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ".";
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts].filter(([, files]) => files > MAX_FILES_IN_FOLDER)
    .map(([folder, files]) => `${folder}: ${files} files, at most ${MAX_FILES_IN_FOLDER}`);
}

/** Rings of files that import each other, each once, as "a.ts -> b.ts -> a.ts". */
export function cycles(modules: readonly Module[]): string[] {
  const files = new Map(modules.map((m) => [m.path, m.files]));
  const state = new Map<string, "open" | "done">();
  const trail: string[] = [];
  const found: string[] = [];
  const visit = (path: string) => {
    if (state.get(path) === "done") return;
    if (state.get(path) === "open") {
      found.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      return;
    }
    state.set(path, "open");
    trail.push(path);
    for (const to of files.get(path) ?? []) visit(to);
    trail.pop();
    state.set(path, "done");
  };
  for (const { path } of modules) visit(path);
  return found;
}

if (import.meta.main) {
  const modules = await readModules();
  report(`arrows of ${modules.length} files`, [
    ...refusedImports(modules),
    ...refusedPackages(modules),
    ...denoInBrowserCode(modules).map((path) => `${path}: uses the Deno global`),
    ...tooLong([...modules, ...await readStyles()]),
    ...tooFull(modules),
    ...cycles(modules).map((ring) => `cycle: ${ring}`),
  ]);
}
