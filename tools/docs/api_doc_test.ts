import assert from "node:assert/strict";
import { apiMarkdown } from "./api_doc.ts";
import { printSignature, printType } from "./api_types.ts";
import { ROOT } from "../module_graph.ts";

Deno.test("every symbol of the client library that can be reached is documented", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", "client/mod.ts", "client/objects/mod.ts"],
    ...{ cwd: ROOT, stdin: "null", stdout: "null", stderr: "piped", env: { NO_COLOR: "1" } },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
});

Deno.test("the reference shows signatures, links what it names and hides what is internal", async () => {
  const text = await apiMarkdown();
  assert.match(text, /^function connect\(\n {2}url: string \| URL \| /m);
  assert.match(text, /^function subscribeObjects\(/m);
  assert.match(text, /\[`QumoError`\]\(#qumoerror\)/);
  assert.doesNotMatch(text, /@internal|@throws|\{@link/);
  const headings = new Set(
    [...text.matchAll(/^### (\w+)$/gm)].map(([, name]) => name!.toLowerCase()),
  );
  const links = [...text.matchAll(/\]\(#(\w+)\)/g)].map(([, name]) => name!);
  assert.deepEqual(links.filter((name) => !headings.has(name)), []);
});

Deno.test("printType() and printSignature() print nested types as they are written", () => {
  const text = { kind: "keyword", repr: "string", value: "string" };
  const union = {
    kind: "union",
    value: [text, { kind: "literal", value: { kind: "string", string: "a" } }],
  };
  assert.equal(printType({ kind: "array", value: union }), '(string | "a")[]');
  assert.equal(
    printType({ kind: "typeRef", value: { typeName: "Promise", typeParams: [text] } }),
    "Promise<string>",
  );
  const params = [
    { kind: "identifier", name: "at", tsType: text },
    { kind: "assign", left: { kind: "identifier", name: "how", tsType: union } },
  ];
  assert.equal(
    printSignature({ params, returnType: text }),
    '(at: string, how?: string | "a"): string',
  );
  assert.throws(() => printType({ kind: "mapped", value: {} }), /mapped/);
});
