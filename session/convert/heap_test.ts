import assert from "node:assert/strict";
import fc from "fast-check";
import { Heap } from "./heap.ts";

Deno.test("a heap has the first value at hand, whatever came and went", () => {
  const step = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 20 }));
  fc.assert(fc.property(fc.array(step), (steps) => {
    const heap = new Heap<{ rank: number }>((a, b) => a.rank < b.rank);
    const here: { rank: number }[] = [];
    for (const [adds, number] of steps) {
      if (adds) {
        const value = { rank: number };
        heap.add(value);
        here.push(value);
      } else {
        const [value = { rank: 0 }] = here.splice(number % (here.length || 1), 1);
        heap.delete(value);
      }
      const lowest = here.length === 0 ? undefined : Math.min(...here.map(({ rank }) => rank));
      assert.equal(heap.first?.rank, lowest);
    }
  }));
});
