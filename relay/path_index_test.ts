import assert from "node:assert/strict";
import fc from "fast-check";
import { hasPrefix, isHidden, stripPrefix } from "../wire/path.ts";
import { PathIndex } from "./path_index.ts";

Deno.test("PathIndex.below() finds what a search through all paths finds", () => {
  const part = fc.constantFrom("a", "b", "ab", ".c");
  const path = fc.array(part, { maxLength: 4 }).map((parts) => parts.join("/"));
  const step = fc.record({ add: fc.boolean(), path });
  fc.assert(fc.property(fc.array(step), path, fc.boolean(), (steps, prefix, hidden) => {
    const index = new PathIndex();
    const all = new Set<string>();
    for (const { add, path } of steps) {
      if (add) {
        index.add(path);
        all.add(path);
      } else {
        index.delete(path);
        all.delete(path);
      }
    }
    const expected = [...all].filter((one) =>
      hasPrefix(one, prefix) && (hidden || !isHidden(stripPrefix(one, prefix)!))
    );
    assert.deepEqual(index.below(prefix, hidden).sort(), expected.sort());
  }));
});
