import assert from "node:assert/strict";
import { systemClock } from "./clock.ts";

Deno.test("systemClock calls back once, later, and not when cancelled", async () => {
  let cancelled = false;
  systemClock.after(0, () => cancelled = true)();
  const before = systemClock.now();
  // Its timers do not keep a process alive by themselves, so one that does stands beside it.
  const alive = setInterval(() => {}, 1000);
  await new Promise<void>((resolve) => systemClock.after(1, resolve));
  clearInterval(alive);
  assert.equal(cancelled, false);
  assert.ok(systemClock.now() >= before);
});
