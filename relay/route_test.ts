import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeSource } from "../tests/support/fixtures/relay.ts";
import { compareRoutes, publisherOf, type Route, runsThrough } from "./route.ts";

const source = new FakeSource("a");
const base: Route = { source, hops: [1n, 2n], warm: 5, cold: 5, order: 1 };

Deno.test("compareRoutes() puts the known publisher first, then warm, cold, hops, and the newer", () => {
  const better: Partial<Route>[] = [
    { hops: [1n, 2n], warm: 4, cold: 9, order: 0 },
    { cold: 4, order: 0 },
    { hops: [1n], order: 0 },
    { order: 2 },
  ];
  for (const change of better) assert.ok(compareRoutes({ ...base, ...change }, base) < 0);
  const anonymous = { ...base, hops: [0n], warm: 0, cold: 0, order: 9 };
  assert.ok(compareRoutes(base, anonymous) < 0);
});

Deno.test("compareRoutes() orders any routes, unknown costs among them, without a contradiction", () => {
  const cost = fc.oneof(fc.nat(3), fc.constant(Infinity));
  const route = fc.record({
    hops: fc.array(fc.bigInt({ min: 0n, max: 2n }), { maxLength: 3 }),
    warm: cost,
    cold: cost,
    order: fc.nat(3),
  }).map((route): Route => ({ source, ...route }));
  fc.assert(fc.property(route, route, route, (a, b, c) => {
    assert.equal(Math.sign(compareRoutes(a, b)) + Math.sign(compareRoutes(b, a)), 0);
    if (compareRoutes(a, b) <= 0 && compareRoutes(b, c) <= 0) assert.ok(compareRoutes(a, c) <= 0);
  }));
});

Deno.test("publisherOf() and runsThrough() take hop 0 for nobody", () => {
  assert.equal(publisherOf([3n, 4n]), 3n);
  assert.equal(publisherOf([0n, 4n]), undefined);
  assert.equal(publisherOf([]), undefined);
  assert.equal(runsThrough([3n, 4n], 4n), true);
  assert.equal(runsThrough([3n, 0n], 0n), false);
});
