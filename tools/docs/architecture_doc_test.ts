import assert from "node:assert/strict";
import { MAY_IMPORT } from "../arrows.ts";
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
