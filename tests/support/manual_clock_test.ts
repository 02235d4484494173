import assert from "node:assert/strict";
import { ManualClock } from "./manual_clock.ts";

Deno.test("ManualClock.advance() calls back what falls due, in order, at its time", () => {
  const clock = new ManualClock();
  const calls: [string, number][] = [];
  clock.after(30, () => calls.push(["late", clock.now()]));
  clock.after(10, () => {
    calls.push(["early", clock.now()]);
    clock.after(5, () => calls.push(["nested", clock.now()]));
  });
  clock.after(31, () => calls.push(["never", clock.now()]));
  clock.advance(30);
  assert.deepEqual(calls, [["early", 10], ["nested", 15], ["late", 30]]);
  assert.equal(clock.now(), 30);
});

Deno.test("ManualClock keeps the order of those that fall due together", () => {
  const clock = new ManualClock();
  const calls: number[] = [];
  for (const n of [1, 2, 3]) clock.after(5, () => calls.push(n));
  clock.advance(5);
  assert.deepEqual(calls, [1, 2, 3]);
});

Deno.test("ManualClock.after() hands back what cancels it, harmless afterwards", () => {
  const clock = new ManualClock();
  let calls = 0;
  const cancel = clock.after(5, () => calls++);
  const other = clock.after(5, () => calls++);
  cancel();
  clock.advance(10);
  other();
  assert.equal(calls, 1);
});

Deno.test("ManualClock moves its wall time along", () => {
  const clock = new ManualClock();
  const before = clock.wallMs();
  clock.advance(1234);
  assert.equal(clock.wallMs() - before, 1234);
});
