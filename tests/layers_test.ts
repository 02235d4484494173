import assert from "node:assert/strict";
import {
  cycles,
  denoInBrowserCode,
  refusedImports,
  refusedPackages,
  tooFull,
  tooLong,
} from "../tools/arrows.ts";
import { type Module, readModules, readStyles, ROOT } from "../tools/module_graph.ts";
import { ownPackageProblems, packageProblems, readTable } from "../tools/ship/packages.ts";

/** Read once: it takes a `deno info` over the whole project. */
const own = readModules();

Deno.test("folders import only what docs/architecture.md allows", async () => {
  assert.deepEqual(refusedImports(await own), []);
});

Deno.test("npm packages stay in the folder they were taken for", async () => {
  assert.deepEqual(refusedPackages(await own), []);
});

Deno.test("wire, relay, session and media never name the Deno global", async () => {
  assert.deepEqual(denoInBrowserCode(await own), []);
});

Deno.test("one file knows how kept frames are laid out; others read varints only from the wire", async () => {
  const readers = (await own).filter(({ path, files }) =>
    /^(relay|session|client|server|storage)\//.test(path) && !path.endsWith("_test.ts") &&
    files.includes("wire/varint.ts")
  );
  assert.deepEqual(readers.map(({ path }) => path).sort(), [
    "relay/group/frame_layout.ts",
    "session/lite/frame_parser.ts", // the frames a peer sends
    "session/stream_reader.ts",
  ]);
});

Deno.test("no file is longer than 600 lines, style sheets as well", async () => {
  const styles = await readStyles();
  assert.ok(styles.some(({ path }) => path === "web/page.css"));
  assert.deepEqual(tooLong([...await own, ...styles]), []);
});

Deno.test("no folder has more than 16 files of its own", async () => {
  assert.deepEqual(tooFull(await own), []);
});

Deno.test("no two files import each other, directly or around", async () => {
  assert.deepEqual(cycles(await own), []);
});

Deno.test("each import of deno.json is pinned, used and has its reason in the README", async () => {
  assert.deepEqual(await ownPackageProblems(await own), []);
});

Deno.test("the graph shows value, type-only and re-exported imports of real files", async () => {
  const modules = await own;
  const find = (path: string) => modules.find((m) => m.path === path);
  assert.ok(find("wire/lite/dialect.ts")?.files.includes("wire/message.ts")); // only for a type
  assert.deepEqual(find("wire/lite/dialect.ts")?.types.includes("wire/message.ts"), true);
  assert.ok(find("wire/cursor.ts")?.files.includes("wire/errors.ts"));
  assert.deepEqual(find("wire/cursor.ts")?.types, []);
  assert.ok(find("wire/lite/fields_test.ts")?.packages.includes("node:assert/strict"));
});

// The rules themselves, on files that do not exist.

function file(path: string, imports: readonly string[] = [], source = ""): Module {
  const isFile = (to: string) => /\.(ts|json|html)$/.test(to);
  const packages = imports.filter((to) => !isFile(to));
  return { path, source, urls: [], files: imports.filter(isFile), types: [], packages };
}

Deno.test("an import against an arrow is refused, within a folder and along an arrow it is not", () => {
  const modules = [
    file("wire/a.ts", ["wire/b.ts", "base/errors.ts"]),
    file("wire/b.ts", ["relay/track.ts"]),
    file("relay/track.ts", ["wire/path.ts", "wire/message.ts"]),
    file("relay/track_test.ts", ["server/serve.ts"]),
    file("plugins/p.ts", ["wire/path.ts", "relay/track.ts"]),
    file("misc/x.ts"),
    file("server/serve.ts", ["tests/fixture.ts", "server/serve_test.ts", "web/index.html"]),
    file("tests/fixture.ts", ["cli/shell/args.ts"]),
  ];
  assert.deepEqual(refusedImports(modules), [
    "wire/b.ts -> relay/track.ts",
    "relay/track.ts -> wire/message.ts",
    "plugins/p.ts -> relay/track.ts",
    "misc/x.ts: misc has no place in the layout",
    "server/serve.ts -> tests/fixture.ts",
    "server/serve.ts -> server/serve_test.ts",
  ]);
});

Deno.test("the page takes types of the admin interface's shapes, and nothing that would come with them", () => {
  const shapes = "admin/shapes.ts";
  const typed = { ...file("web/a.ts", [shapes]), types: [shapes] };
  const modules = [typed, file("web/b.tsx", [shapes]), file("server/a.ts", [shapes])];
  assert.deepEqual(refusedImports(modules), ["web/b.tsx -> admin/shapes.ts: only its types"]);
});

Deno.test("what a protocol has of its own is imported by its session and by nobody who has a session", () => {
  const modules = [
    file("wire/lite/codes.ts", ["wire/errors.ts"]),
    file("wire/versions.ts", ["wire/lite/dialect.ts"]),
    file("session/lite/session.ts", ["wire/lite/dialect.ts", "session/context.ts"]),
    file("session/open.ts", ["session/lite/session.ts", "wire/lite/codes.ts"]),
    file("session/intake.ts", ["wire/lite/codes.ts", "session/lite/session.ts"]),
    file("session/intake_test.ts", ["wire/lite/codes.ts"]),
    file("server/relay.ts", ["session/open.ts", "session/lite/session.ts", "wire/lite/codes.ts"]),
    file("client/peer.ts", ["wire/versions.ts", "wire/lite/dialect.ts"]),
    file("load/light_lite.ts", ["session/lite/handshake.ts", "wire/lite/dialect.ts"]),
    file("load/bench/viewer.ts", ["wire/lite/dialect.ts"]),
  ];
  assert.deepEqual(refusedImports(modules), [
    "wire/versions.ts -> wire/lite/dialect.ts: only its protocol may",
    "session/open.ts -> wire/lite/codes.ts: only its protocol may",
    "session/intake.ts -> wire/lite/codes.ts: only its protocol may",
    "session/intake.ts -> session/lite/session.ts: only its protocol may",
    "server/relay.ts -> session/lite/session.ts: only its protocol may",
    "server/relay.ts -> wire/lite/codes.ts: only its protocol may",
    "client/peer.ts -> wire/lite/dialect.ts: only its protocol may",
    "load/bench/viewer.ts -> wire/lite/dialect.ts: only its protocol may",
  ]);
});

Deno.test("a package outside its folder is refused, its sub-paths are not", () => {
  const modules = [
    file("server/http.ts", ["hono", "hono/cors", "honolulu", "node:fs"]),
    file("wire/a.ts", ["node:buffer"]),
    file("config/load.ts", ["yaml", "prom-client"]),
    file("media/mp4/split.ts", ["mp4box"]),
    file("plugins/egress/s3/put.ts", ["mp4box"]),
    file("wire/a_test.ts", ["fast-check"]),
  ];
  assert.deepEqual(refusedPackages(modules), [
    "server/http.ts -> honolulu",
    "wire/a.ts -> node:buffer",
    "config/load.ts -> prom-client",
    "plugins/egress/s3/put.ts -> mp4box",
  ]);
});

Deno.test("the Deno global is found in code and not in comments", () => {
  const modules = [
    file("wire/a.ts", [], "const x = Deno.cwd();"),
    file("relay/b.ts", [], "// Deno.cwd() is not here\n/** nor Deno.env */\nconst y = 1;"),
    file("session/c.ts", [], "const z = globalThis.Deno?.env;"),
    file("server/d.ts", [], "Deno.cwd();"),
  ];
  assert.deepEqual(denoInBrowserCode(modules), ["wire/a.ts", "session/c.ts"]);
});

Deno.test("a file of 600 lines is taken and one of 601 refused", () => {
  const lines = (n: number) => "x\n".repeat(n);
  const modules = [
    file("wire/a.ts", [], lines(600)),
    file("wire/b_test.ts", [], lines(601)),
    file("web/page.css", [], lines(602)),
  ];
  assert.deepEqual(tooLong(modules), [
    "wire/b_test.ts: 601 lines, at most 600",
    "web/page.css: 602 lines, at most 600",
  ]);
});

Deno.test("a folder of 16 files is taken and one of 17 refused, tests and inner folders left out", () => {
  const files = (folder: string, n: number, end = ".ts") =>
    Array.from({ length: n }, (_, i) => file(`${folder}f${i}${end}`));
  const modules = [
    ...files("wire/", 16),
    ...files("wire/", 9, "_test.ts"),
    ...files("wire/inner/", 2),
    ...files("web/watch/", 17, ".tsx"),
    ...files("tools/", 16),
    ...files("tools/", 1, ".js"),
    ...files("", 17),
  ];
  assert.deepEqual(tooFull(modules), [
    "web/watch: 17 files, at most 16",
    "tools: 17 files, at most 16",
    ".: 17 files, at most 16",
  ]);
});

Deno.test("a ring of imports is found and named once", () => {
  const modules = [
    file("wire/a.ts", ["wire/b.ts"]),
    file("wire/b.ts", ["wire/c.ts"]),
    file("wire/c.ts", ["wire/b.ts"]),
  ];
  assert.deepEqual(cycles(modules), ["wire/b.ts -> wire/c.ts -> wire/b.ts"]);
});

Deno.test("what tests only run beside the relay is not fetched with it", async () => {
  const lock = await Deno.readTextFile(`${ROOT}deno.lock`);
  const outside = JSON.parse(await Deno.readTextFile(`${ROOT}tests/outside/packages.json`));
  for (const name of Object.keys(outside)) assert.ok(!lock.includes(`"${name}@`), name);
});

Deno.test("documents spell Deno one way, and the README says once what stands for it", async () => {
  const texts = ["README.md", "CONTRIBUTING.md"];
  for await (const { name } of Deno.readDir(`${ROOT}docs`)) {
    if (name.endsWith(".md")) texts.push(`docs/${name}`);
  }
  for (const path of texts) {
    const text = await Deno.readTextFile(ROOT + path);
    const found = text.match(/npx -y deno@/g)?.length ?? 0;
    assert.equal(found, path === "README.md" ? 2 : 0, path);
  }
});

Deno.test("packageProblems() names what is unused, unpinned, doubled or without a reason", () => {
  const imports = {
    "yaml": "npm:yaml@2.9.1",
    "zod": "npm:zod@^4.6.7",
    "yaml2": "npm:yaml@2.9.0",
    "hono": "npm:hono@4.13.19",
  };
  const modules = [file("config/load.ts", ["yaml", "zod", "yaml2", "hono/cors"])];
  const table = readTable([
    "## Packages and why",
    "| Package | Where | Why |",
    "|---|---|---|",
    "| `yaml`  | config | reads the file |",
    "| `zod` | config | |",
    "| `yaml2` | config | reads it again |",
    "| `gone` | nowhere | was used once |",
    "## Licence",
    "| `hono` | not in the table | so not seen |",
    "",
  ].join("\n"));
  assert.deepEqual(packageProblems(imports, modules, table), [
    'zod: "npm:zod@^4.6.7" is not pinned to one version',
    "zod: no reason in README.md",
    "yaml2: the same package as yaml",
    "hono: 0 rows in README.md, one expected",
    "gone: in README.md, not in deno.json",
  ]);
  assert.deepEqual(packageProblems({ "yaml": "npm:yaml@2.9.1" }, [], table.slice(0, 1)), [
    "yaml: in deno.json, imported by no file",
  ]);
});
