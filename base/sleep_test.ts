import assert from "node:assert/strict";
import { ManualClock } from "../tests/support/manual_clock.ts";
import { sleep } from "./sleep.ts";

/** Whether a promise has fulfilled by now. */
async function isOver(promise: Promise<void>): Promise<boolean> {
  let over = false;
  void promise.then(() => over = true);
  for (let i = 0; i < 5; i++) await Promise.resolve();
  return over;
}

Deno.test("sleep() ends when its time is over, by the clock it was given", async () => {
  const clock = new ManualClock();
  const slept = sleep(100, undefined, clock);
  clock.advance(99);
  assert.ok(!await isOver(slept));
  clock.advance(1);
  assert.ok(await isOver(slept));
});

Deno.test("sleep() ends early when its signal aborts, and leaves no timer behind", async () => {
  let timers = 0;
  const clock = {
    after() {
      timers++;
      return () => void timers--;
    },
  };
  const abort = new AbortController();
  const slept = sleep(100, abort.signal, clock);
  assert.equal(timers, 1);
  abort.abort();
  await slept;
  assert.equal(timers, 0);
});

Deno.test("sleep() does not begin when its signal has aborted already", async () => {
  await sleep(100_000, AbortSignal.abort());
});

Deno.test("sleep() without a clock goes by the machine's time", async () => {
  await sleep(1);
  await sleep(1, new AbortController().signal);
});

Deno.test("sleep() is as long as was asked for, beyond what one timer takes, and without an end", async () => {
  const clock = new ManualClock();
  const day = 86_400_000;
  const month = sleep(30 * day, undefined, clock);
  const abort = new AbortController();
  const endless = sleep(Infinity, abort.signal);
  for (let n = 1; n < 30; n++) clock.advance(day);
  assert.ok(!await isOver(month));
  clock.advance(day);
  assert.ok(await isOver(month));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(!await isOver(endless));
  abort.abort();
  await endless;
});
