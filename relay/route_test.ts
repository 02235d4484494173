import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeSource } from "../tests/support/fixtures/relay.ts";
import {
  compareOffers,
  comparePublishers,
  compareRoutes,
  isKept,
  publisherOf,
  type Route,
  runsThrough,
} from "./route.ts";

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

Deno.test("publisherOf() and runsThrough() take hop 0 for nobody", () => {
  assert.equal(publisherOf([3n, 4n]), 3n);
  assert.equal(publisherOf([0n, 4n]), undefined);
  assert.equal(publisherOf([]), undefined);
  assert.equal(runsThrough([3n, 4n], 4n), true);
  assert.equal(runsThrough([3n, 0n], 0n), false);
});

Deno.test("routes are in one order, whatever costs and chains peers tell", () => {
  const cost = fc.oneof(
    fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER + 1, Infinity),
    fc.maxSafeNat(),
  );
  const route = fc.record({
    hops: fc.array(fc.constantFrom(0n, 1n, 2n, 2n ** 62n - 1n), { maxLength: 4 }),
    warm: cost,
    cold: cost,
    peer: fc.boolean(),
    tie: fc.constantFrom(0n, 1n, 2n ** 64n - 1n),
    order: fc.nat(),
    sibling: fc.boolean(),
  }).map(({ sibling, ...rest }): Route => ({
    ...rest,
    source: Object.assign(new FakeSource("s"), { sibling }),
  }));
  for (const compare of [compareRoutes, comparePublishers, compareOffers]) {
    fc.assert(fc.property(route, route, route, (a, b, c) => {
      const [ab, bc, ac] = [compare(a, b), compare(b, c), compare(a, c)].map(Math.sign);
      assert.equal(ab, -Math.sign(compare(b, a)));
      if (ab! <= 0 && bc! <= 0) assert.ok(ac! <= 0);
    }));
  }
});

Deno.test("isKept() keeps a feed where it is, but for a cheaper or shorter route, or its own publisher's newer session", () => {
  const route = (more: Partial<Route>): Route => ({
    source: new FakeSource("s"),
    hops: [9n, 5n],
    warm: 2,
    cold: 2,
    order: 1,
    ...more,
  });
  const node = route({ peer: true });
  assert.ok(isKept(node, route({ peer: true, hops: [9n, 6n], order: 2 })));
  assert.ok(isKept(node, route({ peer: true, order: 2 })), "a second link to the same node");
  assert.ok(!isKept(node, route({ peer: true, warm: 1 })));
  assert.ok(!isKept(node, route({ peer: true, cold: 1 })));
  assert.ok(!isKept(node, route({ hops: [9n] })));
  assert.ok(!isKept(route({}), route({ order: 2 })), "the older session may be dead");
  assert.ok(isKept(route({}), route({ hops: [9n, 6n], order: 2 })));
  assert.ok(!isKept(route({ hops: [9n, 0n] }), route({})));
});
