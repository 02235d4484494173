import assert from "node:assert/strict";
import { Capacity } from "./capacity.ts";
import { Census, sharedCensus } from "./census.ts";

const NONE = { capacitySessions: 0, capacityMbps: 0, capacityCpu: 0 };

Deno.test("a node without a capacity is never full", () => {
  const census = new Census();
  const capacity = new Capacity(NONE, census);
  for (let i = 0; i < 50; i++) census.enter(`192.0.2.1:${i}`);
  for (let i = 0; i < 10; i++) capacity.measured({ mbps: 1e6, cpu: 1 });
  assert.equal(capacity.full(), false);
});

Deno.test("a node that was full has to lose one session in twenty before it takes newcomers", () => {
  const census = new Census();
  const capacity = new Capacity({ ...NONE, capacitySessions: 40 }, census);
  const leave = Array.from({ length: 39 }, (_, i) => census.enter(`192.0.2.1:${i}`));
  assert.equal(capacity.full(), false, "one more is its 40th");
  leave.push(census.enter("192.0.2.1:99"));
  assert.equal(capacity.full(true), false, "that one is in the census already");
  assert.equal(capacity.full(), true);
  leave[0]!();
  assert.equal(capacity.full(), true, "39 are not yet room enough");
  leave[1]!();
  assert.equal(capacity.full(), false);
  census.enter("192.0.2.1:100");
  assert.equal(capacity.full(), false, "and it takes them up to the last");
});

Deno.test("a capacity of one session is full with one, and not without", () => {
  const census = new Census();
  const capacity = new Capacity({ ...NONE, capacitySessions: 1 }, census);
  const leave = census.enter("192.0.2.1:1");
  assert.equal(capacity.full(), true);
  leave();
  assert.equal(capacity.full(), false);
});

Deno.test("three seconds of load make a node full in every thread, three of less make it free again", () => {
  const shared = sharedCensus(2);
  const limits = { ...NONE, capacityMbps: 100, capacityCpu: 80 };
  const [first, second] = [0, 1].map((i) => new Capacity(limits, new Census(shared, i)));
  const look = (...measured: readonly (readonly [mbps: number, cpu: number])[]) => {
    for (const [mbps, cpu] of measured) first!.measured({ mbps, cpu });
    return second!.full();
  };
  assert.equal(look([120, 0.1], [120, 0.1]), false);
  assert.equal(look([10, 0.1]), false, "a peak is none");
  assert.equal(look([120, 0.1], [10, 0.81], [100, 0]), true, "one of them is enough");
  assert.equal(look([95, 0], [10, 0.75], [10, 0], [10, 0], [10, 0.79]), true);
  assert.equal(look([80, 0], [80, 0.1], [80, 0.5]), false);
});

Deno.test("a node whose capacity is taken away by a reload is free at once for sessions, and soon for load", () => {
  const limits = { ...NONE, capacitySessions: 1, capacityCpu: 10 };
  const census = new Census();
  const capacity = new Capacity(limits, census);
  census.enter("192.0.2.1:1");
  for (let i = 0; i < 3; i++) capacity.measured({ mbps: 0, cpu: 1 });
  assert.equal(capacity.full(), true);
  Object.assign(limits, NONE);
  for (let i = 0; i < 3; i++) capacity.measured({ mbps: 0, cpu: 1 });
  assert.equal(capacity.full(), false);
});
