import assert from "node:assert/strict";
import { fnv1a, nodeOf, weightOf } from "./rendezvous.ts";

Deno.test("fnv1a() is the FNV-1a of 32 bits", () => {
  assert.equal(fnv1a(""), 0x811c9dc5);
  assert.equal(fnv1a("a"), 0xe40c292c);
  assert.equal(fnv1a("foobar"), 0xbf9cf968);
});

Deno.test("weightOf() spreads keys evenly, and a node that leaves moves only its own keys", () => {
  const nodes = ["https://a.example/", "https://b.example/", "https://c.example/"];
  const first = (key: string, among: readonly string[]) =>
    among.toSorted((x, y) => weightOf(key, y) - weightOf(key, x))[0]!;
  const keys = Array.from({ length: 3000 }, (_, i) => `live/${i}`);
  const counts = Map.groupBy(keys, (key) => first(key, nodes));
  for (const node of nodes) {
    const share = counts.get(node)!.length;
    assert.ok(share > 850 && share < 1150, `${node} has ${share} of 3000`);
  }
  const left = nodes.slice(1);
  for (const key of keys) {
    const before = first(key, nodes);
    if (before !== nodes[0]) assert.equal(first(key, left), before);
  }
});

Deno.test("nodeOf() finds the heaviest node, in whatever order they stand", () => {
  const nodes = Array.from({ length: 9 }, (_, i) => `https://node-${i}.example/`);
  const keys = Array.from({ length: 500 }, (_, i) => `live/${i}`);
  for (const key of keys) {
    const found = nodeOf(key, nodes);
    const weights = nodes.map((node) => weightOf(key, node));
    assert.equal(found, nodes[weights.indexOf(Math.max(...weights))]);
    assert.equal(nodeOf(key, nodes.toReversed()), found);
    const left = nodes.slice(1);
    if (found !== nodes[0]) assert.equal(nodeOf(key, left), found);
  }
  assert.equal(nodeOf("a", []), undefined);
});
