import assert from "node:assert/strict";
import { PROFILES } from "../../wire/ietf/profile.ts";
import { layoutOf } from "./context.ts";

Deno.test("each draft has a layout; drafts share one only if they write objects alike", () => {
  const kind = (layout: string) => PROFILES.filter((profile) => layoutOf(profile) === layout);
  const drafts = (layout: string) => kind(layout).map(({ draft }) => draft).reverse();
  assert.deepEqual(drafts("objects14"), [14, 15]);
  assert.deepEqual(drafts("objects16"), [16]);
  assert.deepEqual(drafts("objects18"), [17, 18, 19, 20, 21, 22]);
  for (const layout of ["objects14", "objects16", "objects18"]) {
    const [first, ...others] = kind(layout);
    for (const other of others) {
      assert.equal(other.pairDeltas, first!.pairDeltas);
      assert.equal(other.varints.max, first!.varints.max);
    }
  }
});
