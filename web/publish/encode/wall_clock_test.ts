import assert from "node:assert/strict";
import { Anchor } from "./wall_clock.ts";

Deno.test("Anchor keeps the distances of the source, however unevenly its frames come", () => {
  const anchor = new Anchor();
  assert.equal(anchor.place(0, 1_000_000), 1_000_000);
  assert.equal(anchor.place(33_000, 1_050_000), 1_033_000);
  assert.equal(anchor.place(66_000, 1_066_000), 1_066_000);
});

Deno.test("Anchor begins anew when the source has run away from the time of day", () => {
  const anchor = new Anchor();
  anchor.place(0, 1_000_000);
  assert.equal(anchor.place(33_000, 2_000_000), 2_000_000);
  assert.equal(anchor.place(66_000, 2_040_000), 2_033_000);
});
