import assert from "node:assert/strict";
import { MAY_IMPORT, MAY_USE } from "../arrows.ts";
import { ROOT } from "../module_graph.ts";
import { architectureMarkdown, diagram } from "./architecture_doc.ts";

Deno.test("docs/architecture.md lists every decision, and has a row for every folder", async () => {
  const text = await architectureMarkdown();
  const decisions = [...Deno.readDirSync(`${ROOT}docs/adr`)].map(({ name }) => name);
  assert.ok(decisions.length >= 12);
  for (const name of decisions) assert.ok(text.includes(`](adr/${name})`), name);
  for (const folder of Object.keys(MAY_IMPORT)) {
    assert.match(text, RegExp(`^\\| \`${folder}\` `, "m"));
  }
});

Deno.test("the diagram has an arrow for what follows from no other, dotted where single files are meant", () => {
  const arrows = {
    base: [],
    wire: ["base"],
    relay: ["base", "wire/path.ts"],
    session: ["base", "wire", "relay"],
    server: ["base", "wire", "relay", "session"],
  };
  assert.deepEqual(diagram(arrows).split("\n").slice(1, -1), [
    "flowchart TD",
    "  wire --> base",
    "  relay -.-> wire",
    "  session --> wire", // the dotted arrow of relay does not imply it
    "  session --> relay",
    "  server --> session",
  ]);
});

Deno.test("folders that import each other in a ring are all in the diagram", () => {
  assert.match(diagram({ a: ["b"], b: ["a"] }), / {2}a --> b\n {2}b --> a\n/);
});

Deno.test("the README's table of packages names every folder that may use one", async () => {
  const readme = await Deno.readTextFile(`${ROOT}README.md`);
  const within = (a: string, b: string) => a === b || a.startsWith(`${b}/`);
  for (const [folder, packages] of Object.entries(MAY_USE)) {
    for (const name of packages) {
      const [, where] = RegExp(`^\\| \`${RegExp.escape(name)}\` *\\|([^|]*)\\|`, "m").exec(readme)!;
      const named = [...where!.matchAll(/`([^`]+)`/g)].map(([, at]) => at!);
      assert.ok(
        named.some((at) => within(at, folder) || within(folder, at)),
        `${name} in ${folder}: ${where}`,
      );
    }
  }
});
