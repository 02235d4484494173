/** The files and folders that documents name: all of them are there, and all folders are described. */
import assert from "node:assert/strict";
import { MAY_IMPORT } from "../arrows.ts";
import { codeFiles, ROOT } from "../module_graph.ts";

/** Folders of the project; what is made is in none of them. */
const FOLDERS = new Set(
  [...Deno.readDirSync(ROOT)].filter(({ isDirectory }) => isDirectory).map(({ name }) => name),
);
for (const made of ["dist", "coverage", "node_modules"]) FOLDERS.delete(made);

/** What its user writes. */
const OF_THE_USER = new Set(["configs/config.yaml"]);

/** Paths in a document's spans of code and diagrams: "wire/lite/", "plugins/KIND/NAME.ts", "docs/*.md". */
function namedPaths(markdown: string): string[] {
  const diagrams = [...markdown.matchAll(/^```mermaid\n([\s\S]*?)^```/gm)].map(([, text]) => text!);
  const prose = markdown.replace(/^ *```[\s\S]*?^ *```/gm, "");
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!);
  const words = diagrams.flatMap((text) => text.match(/[\w.-]+(?:\/[\w.-]+)+/g) ?? []);
  return [...spans, ...words].filter((path) =>
    /^[\w.-]+(\/[\w.*-]+)*\/?$/.test(path) && path.includes("/") && !OF_THE_USER.has(path) &&
    FOLDERS.has(path.split("/")[0]!)
  );
}

/** Whether a path leads to something; a word in capitals and an asterisk stand for any name. */
function leadsSomewhere(path: string): boolean {
  const walk = (folder: string, parts: readonly string[]): boolean => {
    const [part, ...rest] = parts;
    if (part === undefined) return true;
    const pattern = part.split(/\*|(?<![A-Za-z])[A-Z]{2,}(?![A-Za-z])/).map(RegExp.escape).join(
      "[^/]*",
    );
    return [...Deno.readDirSync(folder)].some(({ name, isDirectory }) =>
      new RegExp(`^${pattern}$`).test(name) &&
      (rest.length === 0 || isDirectory && walk(`${folder}${name}/`, rest))
    );
  };
  return walk(ROOT, path.split("/").filter((part) => part !== ""));
}

Deno.test("every path of the project that a document names leads to a file or a folder", async () => {
  const documents = (await codeFiles(/\.md$/)).concat("certs/README.md");
  const named: string[] = [];
  const absent: string[] = [];
  for (const document of documents) {
    // It tells what was, under the names of its time.
    if (document === "CHANGELOG.md") continue;
    for (const path of namedPaths(await Deno.readTextFile(ROOT + document))) {
      named.push(path);
      if (!leadsSomewhere(path)) absent.push(`${document}: ${path}`);
    }
  }
  assert.ok(named.length > 100, `${named.length} paths were found`);
  assert.deepEqual(absent, []);
});

Deno.test("a name of code in CONTRIBUTING.md stands in a file that the same point names", async () => {
  const text = await Deno.readTextFile(`${ROOT}CONTRIBUTING.md`);
  const absent: string[] = [];
  let found = 0;
  for (const point of text.split(/\n(?=\d+\. |- |\n)/)) {
    const files = namedPaths(point).filter((path) => /\.(ts|tsx|json)$/.test(path));
    const sources = await Promise.all(
      files.map((path) => Deno.readTextFile(ROOT + path).catch(() => "")),
    );
    for (const [, name] of point.matchAll(/`([A-Z]\w*[A-Z_]\w*)`/g)) {
      if (files.length === 0) continue;
      found++;
      if (!sources.some((source) => RegExp(`\\b${name}\\b`).test(source))) absent.push(name!);
    }
  }
  assert.ok(found > 8, `${found} names were found`);
  assert.deepEqual(absent, []);
});

Deno.test("docs/architecture.md says of every folder of the program what it is for", async () => {
  const text = await Deno.readTextFile(`${ROOT}docs/architecture.md`);
  const [, section] = /^## The folders\n([\s\S]*?)^## /m.exec(text)!;
  const described = new Set([...section!.matchAll(/`([\w./]+?)\/?`/g)].map(([, path]) => path));
  const folders = new Set<string>();
  for (const path of await codeFiles()) {
    const [top, second] = path.split("/").slice(0, -1);
    if (top === undefined) continue;
    folders.add(top);
    if (top in MAY_IMPORT && second !== undefined) folders.add(`${top}/${second}`);
  }
  const silent = [...folders].filter((folder) => !described.has(folder));
  assert.deepEqual(silent, [], "of these it says nothing");
});

Deno.test("a path is found in a span and in a diagram, and not in a block of code", () => {
  const text = "`wire/lite/` and `live/*`, `docs/*.md`, `a b`\n" +
    "```sh\ncat `relay/none.ts`\n```\n```mermaid\nflowchart TD\n  a[wire/cursor.ts<br>reads]\n```\n";
  assert.deepEqual(namedPaths(text), ["wire/lite/", "docs/*.md", "wire/cursor.ts"]);
});

Deno.test("a name in capitals and an asterisk stand for any name, other names for themselves", () => {
  for (
    const path of [
      "plugins/KIND/NAME/mod.ts",
      "web/NAME/NAME_view.tsx",
      "docs/*.md",
      "wire",
      "base/errors.ts",
    ]
  ) {
    assert.ok(leadsSomewhere(path), path);
  }
  for (const path of ["plugins/KIND/NAME/none.ts", "docs/*.rst", "base/error.ts", "wire/x/y"]) {
    assert.ok(!leadsSomewhere(path), path);
  }
});
