import assert from "node:assert/strict";
import fc from "fast-check";
import { Histogram } from "./histogram.ts";

Deno.test("Histogram tells any quantile to within 1 %", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 200 }),
    fc.double({ min: 0.01, max: 1, noNaN: true }),
    (values, share) => {
      const histogram = new Histogram();
      for (const value of values) histogram.record(value);
      const exact = values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1]!;
      const told = histogram.quantile(share);
      assert.ok(told >= exact && told <= exact * 1.01 + 1, `${told} for ${exact}`);
      assert.equal(histogram.quantile(1), Math.max(...values));
    },
  ));
});

Deno.test("Histograms that went through JSON add up to the one that had recorded everything", () => {
  const [one, two, all] = [new Histogram(), new Histogram(), new Histogram()];
  for (let i = 0; i < 1000; i++) {
    const value = i * i;
    (i % 3 ? one : two).record(value);
    all.record(value);
  }
  one.add(JSON.parse(JSON.stringify(two)));
  assert.deepEqual(one.toJSON(), all.toJSON());
  assert.equal(one.count, 1000);
});

Deno.test("Histogram counts what is below 0 as 0, and is empty after clear()", () => {
  const histogram = new Histogram();
  histogram.record(-5);
  assert.deepEqual([histogram.count, histogram.quantile(0.5), histogram.max], [1, 0, 0]);
  histogram.record(7);
  histogram.clear();
  assert.deepEqual([histogram.count, histogram.quantile(0.99), histogram.max], [0, 0, 0]);
});
