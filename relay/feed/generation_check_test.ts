import assert from "node:assert/strict";
import { FakeReader, FakeSource, testContext } from "../../tests/support/fixtures/relay.ts";
import { Broadcast } from "../broadcast.ts";
import { renewals } from "./renewals.ts";

/**
 * A track with groups 300 and 301 whose source was lost and has come back. `says` answers its next question with the number of
 * a group.
 */
function returned({ facts = false } = {}) {
  const context = testContext();
  const renewed: Broadcast[] = [];
  const onRenewed = (broadcast: Broadcast) => renewed.push(broadcast);
  const broadcast = new Broadcast("b", 7n, { context, lingerMs: 5000, renewals, onRenewed });
  const [before, after] = [new FakeSource("before"), new FakeSource("after")];
  const lost = { source: before, hops: [7n], warm: 1, cold: 1, order: 1 };
  broadcast.setRoute(lost);
  const track = broadcast.track("b", "t");
  const reader = new FakeReader();
  track.add(reader);
  before.last.group(300);
  before.last.group(301);
  broadcast.linger(lost);
  before.last.lost();
  const route = { source: after, hops: [7n], warm: 1, cold: 1, order: 2 };
  broadcast.setRoute(route);
  assert.equal(after.last.request.startGroup, 302);
  const main = after.last;
  if (facts) main.sink.accepted({ info: track.info, largest: { group: 3, object: 0 } });
  return { context, broadcast, renewed, track, reader, after, route, main };
}

Deno.test("a source whose newest group is far below ours and goes on has begun anew: readers get an end, watchers are told", () => {
  const { context, renewed, reader, after, main } = returned();
  context.clock.advance(500);
  assert.equal(after.last.request.startGroup, undefined);
  assert.equal(after.last.group(4), false);
  assert.equal(reader.end, undefined);
  assert.equal(after.last.group(5), false);
  assert.deepEqual(reader.end, { kind: "ended" });
  assert.equal(renewed.length, 1);
  assert.equal(main.closed && after.last.closed, true);
  context.clock.advance(60_000);
  assert.equal(after.subscriptions.length, 2);
});

Deno.test("a group that stays the newest one for a second proves it too, also where the source tells it by itself", () => {
  for (const facts of [false, true]) {
    const { context, renewed, after } = returned({ facts });
    context.clock.advance(500);
    if (!facts) after.last.group(4);
    context.clock.advance(999);
    assert.equal(renewed.length, 0);
    context.clock.advance(1);
    if (!facts) after.last.group(4);
    assert.equal(renewed.length, 1);
    assert.equal(after.subscriptions.length, facts ? 1 : 3);
  }
});

Deno.test("a source that is a little behind, or has nothing, or goes on, has not begun anew", () => {
  for (const numbers of [[299, 300, 301, 302], [300, 300, 300], [301], [], [302, 303]]) {
    const { context, renewed, reader, after, main } = returned();
    for (const number of numbers) {
      context.clock.advance(700);
      if (after.last !== main) after.last.group(number);
    }
    main.group(302);
    context.clock.advance(60_000);
    assert.deepEqual([renewed.length, reader.end], [0, undefined]);
    assert.deepEqual(reader.sequences, [300, 301, 302]);
    assert.equal(after.open, 1, "the question is over");
  }
});

Deno.test("old groups prove nothing once a newer one has come, nor while the source has lost its own", () => {
  const { context, renewed, reader, main, broadcast, route, after } = returned();
  const poor = { ...route, warm: Infinity, cold: Infinity };
  broadcast.setRoute(poor, route);
  context.clock.advance(5000);
  assert.equal(after.subscriptions.length, 1);
  for (const old of [3, 4, 5]) main.group(old);
  broadcast.setRoute(route, poor);
  main.group(302);
  for (const old of [6, 7, 8]) main.group(old);
  context.clock.advance(60_000);
  for (const old of [9, 10]) main.group(old);
  assert.deepEqual([renewed.length, reader.end], [0, undefined]);
  assert.deepEqual(reader.sequences, [300, 301, 302]);
});
