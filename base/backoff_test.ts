import assert from "node:assert/strict";
import { Backoff } from "./backoff.ts";

Deno.test("Backoff doubles up to its limit, spreads by half, and starts anew after a session that held", () => {
  const backoff = new Backoff({ minMs: 100, maxMs: 300, random: () => 0 });
  assert.deepEqual([backoff.next(), backoff.next(), backoff.next()], [50, 100, 150]);
  backoff.ended(5000);
  assert.equal(backoff.next(), 150);
  assert.equal(backoff.attempts, 4);
  backoff.ended(10_000);
  assert.deepEqual([backoff.attempts, backoff.next()], [0, 50]);
});
