import assert from "node:assert/strict";
import { EVERYTHING, includes, isPast, isReached, rangeOf } from "./range.ts";

const at = (group: number, object: number) => ({ group, object });
const LARGEST = at(5, 7);

Deno.test("rangeOf() counts relative filters from the largest location", () => {
  const start = (filter: Parameters<typeof rangeOf>[0], largest = LARGEST) =>
    rangeOf(filter, largest).start;
  assert.deepEqual(start({ kind: "next-object" }), at(5, 8));
  assert.deepEqual(start({ kind: "groups-back", groups: 0 }), at(6, 0));
  assert.deepEqual(start({ kind: "groups-back", groups: 1 }), at(5, 0));
  assert.deepEqual(start({ kind: "groups-back", groups: 3 }), at(3, 0));
  assert.deepEqual(start({ kind: "groups-back", groups: 99 }), at(0, 0));
  assert.deepEqual(start({ kind: "range", start: at(2, 3) }), at(2, 3));
  for (const filter of [undefined, { kind: "all" }] as const) {
    assert.equal(rangeOf(filter, LARGEST), EVERYTHING);
  }
  // Nothing has come: whatever comes first is next.
  for (const filter of [{ kind: "next-object" }, { kind: "groups-back", groups: 2 }] as const) {
    assert.equal(rangeOf(filter, undefined), EVERYTHING);
  }
});

Deno.test("isPast() is true for a range that ends before it starts, or before the largest location", () => {
  const past = (end: { group: number; object?: number } | undefined, start = at(2, 0)) =>
    isPast({ start, end }, LARGEST);
  assert.equal(past(undefined), false);
  assert.equal(past({ group: 4 }), true);
  assert.equal(past({ group: 5 }), false);
  assert.equal(past({ group: 5, object: 6 }), true);
  assert.equal(past({ group: 5, object: 7 }), false);
  assert.equal(past({ group: 9, object: 1 }, at(9, 2)), true);
  assert.equal(isPast({ start: at(2, 0), end: { group: 3 } }, undefined), false);
});

Deno.test("isReached() is true from the last object of a range on, and for a whole group from the next one on", () => {
  const reached = (end: { group: number; object?: number } | undefined) =>
    isReached({ start: undefined, end }, LARGEST);
  assert.equal(reached(undefined), false);
  assert.equal(reached({ group: 4 }), true);
  assert.equal(reached({ group: 5 }), false);
  assert.equal(reached({ group: 5, object: 7 }), true);
  assert.equal(reached({ group: 5, object: 8 }), false);
  assert.equal(isReached({ start: undefined, end: { group: 1 } }, undefined), false);
});

Deno.test("includes() takes both ends of a range", () => {
  const range = { start: at(2, 3), end: { group: 4, object: 1 } };
  for (const [group, object] of [[2, 3], [3, 0], [4, 1]] as const) {
    assert.ok(includes(range, group, object), `${group}/${object}`);
  }
  for (const [group, object] of [[2, 2], [1, 9], [4, 2], [5, 0]] as const) {
    assert.ok(!includes(range, group, object), `${group}/${object}`);
  }
  assert.ok(includes({ start: undefined, end: { group: 4 } }, 4, 2 ** 50));
});
