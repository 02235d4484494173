import assert from "node:assert/strict";
import fc from "fast-check";
import { faultsOf } from "../../admin/faults.ts";
import { pageOf, PAGING } from "./page.ts";

const names = fc.uniqueArray(fc.string({ unit: "grapheme", maxLength: 20 }), { maxLength: 30 });
const self = (name: string) => name;

/** Every page of a list, from the first to the last. */
function pages(list: readonly string[], limit: number): (readonly string[])[] {
  const found: (readonly string[])[] = [];
  let after: { after?: string } = {};
  for (;;) {
    const { items, next } = pageOf(list, self, { limit, ...after });
    found.push(items);
    if (next === undefined) return found;
    assert.deepEqual(faultsOf(next, PAGING[1]!.shape), []);
    after = { after: next };
  }
}

Deno.test("pageOf() gives every item once, in order, never more than the limit", () => {
  fc.assert(fc.property(names, fc.integer({ min: 1, max: 12 }), (list, limit) => {
    const found = pages(list, limit);
    assert.deepEqual(found.flat(), list.toSorted());
    assert.ok(found.every((page) => page.length <= limit));
  }));
});

Deno.test("pageOf() goes on at the right place when items come and go in between", () => {
  const first = pageOf(["a", "b", "c", "d"], self, { limit: 2 });
  assert.deepEqual(first.items, ["a", "b"]);
  const { items } = pageOf(["0", "a", "ba", "d"], self, { limit: 9, after: first.next! });
  assert.deepEqual(items, ["ba", "d"]);
});

Deno.test("pageOf() keeps items of one name together, and takes any text for a place", () => {
  assert.deepEqual(pageOf(["a", "a", "a", "b"], self, { limit: 1 }).items, ["a", "a", "a"]);
  assert.deepEqual(pageOf(["a"], self, { after: "A" }).items, ["a"]);
  assert.deepEqual(pageOf(["a"], self, { after: "" }).items, ["a"]);
});

Deno.test("pageOf() bounds a list of the longest names when nobody asks for that", () => {
  const list = Array.from({ length: 5000 }, (_, i) => `${i}`.padStart(1024, "x"));
  const { items, next } = pageOf(list, self, {});
  assert.equal(items.length, 500);
  assert.ok(next!.length < 4096);
});
