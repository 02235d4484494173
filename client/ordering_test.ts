import assert from "node:assert/strict";
import { ManualClock } from "../tests/support/manual_clock.ts";
import { join, testRelay, tick } from "../session/peers_test.ts";
import type { GroupReader } from "./frames.ts";
import { Ordering } from "./ordering.ts";

function ordering(waitMs: number) {
  const clock = new ManualClock();
  const out: number[] = [];
  const closed: number[] = [];
  const order = new Ordering({
    clock,
    waitMs: () => waitMs,
    deliver: ({ sequence }) => out.push(sequence),
  });
  const push = (sequence: number, start = 0) =>
    order.push({ sequence, close: () => closed.push(sequence) } as unknown as GroupReader, start);
  return { clock, order, push, out, closed };
}

Deno.test("groups that come in any order go out by sequence, those in turn at once", () => {
  const { push, out } = ordering(100);
  for (const sequence of [1, 0, 2, 4, 5, 3, 6]) push(sequence);
  assert.deepEqual(out, [0, 1, 2, 3, 4, 5, 6]);
});

Deno.test("a missing group is waited for, then skipped and counted, and too late when it comes", () => {
  const { clock, order, push, out, closed } = ordering(100);
  push(0);
  push(3);
  clock.advance(60);
  push(4);
  assert.deepEqual(out, [0]);
  clock.advance(40);
  assert.deepEqual(out, [0, 3, 4]);
  assert.equal(order.skipped, 2);
  push(2);
  assert.deepEqual([out, closed], [[0, 3, 4], [2]]);
});

Deno.test("each gap has its own time, counted from the first group behind it", () => {
  const { clock, push, out } = ordering(100);
  push(1);
  clock.advance(50);
  push(3);
  clock.advance(50);
  assert.deepEqual(out, [1]);
  clock.advance(49);
  assert.deepEqual(out, [1]);
  clock.advance(1);
  assert.deepEqual(out, [1, 3]);
});

Deno.test("with no time to wait, groups only ever go up", () => {
  const { push, out, closed } = ordering(0);
  for (const sequence of [2, 1, 5, 4, 6]) push(sequence, 2);
  assert.deepEqual([out, closed], [[2, 5, 6], [1, 4]]);
});

Deno.test("the end hands out what waits, close() lets go of it", () => {
  const ended = ordering(100);
  for (const sequence of [2, 5]) ended.push(sequence);
  ended.order.flush();
  assert.deepEqual([ended.out, ended.order.skipped], [[2, 5], 4]);
  const left = ordering(100);
  left.push(2);
  left.order.close();
  left.clock.advance(1000);
  assert.deepEqual([left.out, left.closed], [[], [2]]);
});

Deno.test("skipTo() gives up what lies below", () => {
  const { order, push, out, closed } = ordering(100);
  for (const sequence of [0, 2, 4]) push(sequence);
  order.skipTo(4);
  assert.deepEqual([out, closed], [[0, 4], [2]]);
});

Deno.test("an ordered subscription waits maxLatencyMs for a group that was left out", async () => {
  const at = testRelay();
  const publisher = await join(at, 6);
  const viewer = await join(at, 6);
  const track = publisher.client.publish("a").track("v");
  await tick();
  const subscription = viewer.client.subscribe("a", "v", { ordered: true, maxLatencyMs: 300 });
  const got: number[] = [];
  void (async () => {
    for await (const { sequence } of subscription) got.push(sequence);
  })();
  await tick();
  for (const sequence of [0, 2, 1, 5]) {
    track.group(sequence).close();
    await tick();
  }
  assert.deepEqual(got, [0, 1, 2]);
  at.clock.advance(300);
  await tick();
  assert.deepEqual(got, [0, 1, 2, 5]);
  assert.equal(subscription.skipped, 2);
  subscription.close();
  await at.relay.close();
});
