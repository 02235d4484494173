import assert from "node:assert/strict";
import { Broadcast } from "../broadcast.ts";
import {
  bytesOf,
  Copier,
  counting,
  FakeReader,
  FakeSource,
  LIVE,
  testContext,
} from "../../tests/support/fixtures/relay.ts";
import type { Route } from "../route.ts";

let order = 0;
function route(source: FakeSource, warm = 1): Route {
  return { source, hops: [7n], warm, cold: warm, order: ++order };
}

/** A broadcast with a route to each source, the first the cheapest, and its track. */
function broadcastOf(...sources: FakeSource[]) {
  const context = testContext();
  const broadcast = new Broadcast("b", 7n, { context, lingerMs: 5000 });
  const routes = sources.map((source, i) => route(source, i + 1));
  for (const each of routes) broadcast.setRoute(each);
  return { context, broadcast, routes, track: broadcast.track("b", "t") };
}

function added(track: { add(reader: FakeReader): void }, request = LIVE): FakeReader {
  const reader = new FakeReader(request);
  track.add(reader);
  return reader;
}

Deno.test("groups that later ones have overtaken at the start of a feed are taken for a moment, by those who read from there", () => {
  for (const told of [false, true]) {
    const source = new FakeSource("a");
    const { track, context } = broadcastOf(source);
    const early = added(track);
    if (told) source.last.sink.started(6);
    source.last.group(6);
    const late = added(track);
    const exact = added(track, { ...LIVE, startGroup: 6 });
    source.last.group(4);
    source.last.group(5);
    source.last.group(5);
    context.clock.advance(100);
    source.last.group(3);
    source.last.group(7);
    assert.deepEqual(early.sequences, told ? [6, 7] : [6, 4, 5, 7]);
    for (const reader of [late, exact]) assert.deepEqual(reader.sequences, [6, 7]);
    for (const reader of [early, late, exact]) track.remove(reader);
    const again = added(track);
    source.last.group(9);
    source.last.group(8);
    assert.deepEqual(again.sequences, [9, 8]);
  }
});

const lost = { kind: "failed", why: "lost" } as const;

Deno.test("Feed holds one subscription however many read, from the first until the last", () => {
  const source = new FakeSource("a");
  const { track, context } = broadcastOf(source);
  assert.equal(source.subscriptions.length, 0);
  const readers = Array.from({ length: 5 }, () => added(track));
  assert.equal(source.subscriptions.length, 1);
  source.last.group(1);
  for (const reader of readers) assert.deepEqual(reader.sequences, [1]);
  for (const reader of readers) {
    assert.equal(source.last.closed, false);
    track.remove(reader);
  }
  assert.equal(source.last.closed, true);
  assert.equal(source.last.sink.openGroup(2), undefined, "nothing is taken after that");
  added(track);
  assert.equal(source.subscriptions.length, 2);
  assert.equal(context.stats.upstreamSubscriptions, 2);
});

Deno.test("Feed cuts what is being written when the last reader has left and none goes on with it", () => {
  const source = new FakeSource("a");
  const { track, context } = broadcastOf(source);
  const reader = added(track);
  const writer = source.last.sink.openGroup(1)!;
  track.remove(reader);
  writer.frame(0, counting(3));
  assert.deepEqual([writer.open, writer.subgroup.bytes], [false, 0]);
  context.clock.advance(4999);
  assert.equal(writer.subgroup.state, "open");
  context.clock.advance(1);
  assert.equal(writer.subgroup.state, "cut");
});

Deno.test("a reader that goes on where the last one left has what was kept, and the group that was open from where it stopped", () => {
  const source = new FakeSource("a");
  const { track, context } = broadcastOf(source);
  const reader = added(track);
  for (const number of [1, 2, 3]) source.last.group(number);
  const begun = source.last.sink.openGroup(4)!;
  begun.frame(0, counting(5));
  track.remove(reader);
  context.clock.advance(3000);
  const next = added(track, { ...LIVE, maxLatencyMs: 5000, startGroup: 2 });
  assert.equal(source.last.request.startGroup, 4);
  const rest = source.last.sink.openGroup(4)!;
  rest.frame(0, counting(5));
  rest.frame(1, counting(6));
  rest.finish();
  assert.deepEqual(next.sequences, [2, 3, 4]);
  assert.equal(next.groups[2]!.frames, 2);
  track.remove(next);
  // The newest group would be stale for who wants that one, and so are all of them after a while.
  const live = added(track);
  assert.deepEqual([live.sequences, source.last.request.startGroup], [[], undefined]);
  source.last.group(9);
  track.remove(live);
  context.clock.advance(5001);
  added(track, { ...LIVE, maxLatencyMs: 5000, startGroup: 9 });
  assert.equal(track.ring.size, 0);
});

Deno.test("Feed tells its source when the readers' wishes change", () => {
  const source = new FakeSource("a");
  const { track } = broadcastOf(source);
  added(track);
  const urgent = added(track, { ...LIVE, priority: 200 });
  track.remove(urgent);
  assert.deepEqual(source.last.updates.map((request) => request.priority), [200, 100]);
});

Deno.test("Feed takes the track's properties from the source it uses", async () => {
  const source = new FakeSource("a");
  source.info = { priority: 3, maxAgeMs: 700, timescale: 90_000 };
  const { track } = broadcastOf(source);
  added(track);
  await Promise.resolve();
  assert.deepEqual(track.info, source.info);
});

Deno.test("Feed goes to the next route when a source refuses, and passes the last refusal on", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { track } = broadcastOf(a, b);
  const reader = added(track);
  assert.equal(b.subscriptions.length, 0);
  a.last.refuse("not here");
  assert.equal(reader.end, undefined);
  b.last.refuse("nor here");
  assert.deepEqual(reader.end, { kind: "failed", why: "not-found", reason: "nor here" });
  added(track);
  assert.equal(a.subscriptions.length, 2, "who comes later is a new try");
});

Deno.test("Feed refuses at once when there is no route", () => {
  const { track } = broadcastOf();
  const { end } = added(track);
  assert.equal(end?.kind === "failed" && end.why, "unroutable");
  assert.equal(track.readers, 0);
});

Deno.test("Feed moves to a better route with its first group; the old one drains", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { track, broadcast, context } = broadcastOf(a);
  const reader = added(track);
  const begun = a.last.sink.openGroup(4)!;
  begun.frame(0, counting(5));
  broadcast.setRoute(route(b, 0));
  assert.equal(b.last.request.startGroup, 5);
  assert.equal(a.last.closed, false);
  b.last.group(5);
  assert.equal(a.last.sink.openGroup(6), undefined, "b has taken over");
  assert.equal(a.last.updates.at(-1)?.endGroup, 4);
  begun.frame(1, counting(5));
  begun.finish();
  assert.deepEqual(reader.sequences, [4, 5]);
  assert.equal(reader.groups[0]!.frames, 2);
  assert.equal(reader.groups[0]!.state, "complete");
  context.clock.advance(10_000);
  assert.equal(a.last.closed, true);
  assert.equal(b.last.closed, false);
});

Deno.test("Feed drops a route it was about to move to when a better or the old one wins", () => {
  const [a, b, c] = [new FakeSource("a"), new FakeSource("b"), new FakeSource("c")];
  const { track, broadcast } = broadcastOf(a);
  added(track);
  a.last.group(1);
  const toB = route(b, 0.5);
  broadcast.setRoute(toB);
  broadcast.setRoute(route(c, 0.2));
  assert.equal(b.last.closed, true);
  assert.equal(c.open, 1);
  c.last.refuse();
  assert.ok(a.last.group(2), "a was never left");
});

Deno.test("Feed stays on a route that is withdrawn until its subscription ends", () => {
  const a = new FakeSource("a");
  const { track, broadcast, routes } = broadcastOf(a);
  const reader = added(track);
  broadcast.dropRoute(routes[0]!);
  broadcast.abandon();
  a.last.group(1);
  a.last.sink.ended({ kind: "ended", nextGroup: 2 });
  assert.deepEqual(reader.sequences, [1]);
  assert.deepEqual(reader.end, { kind: "ended", nextGroup: 2 });
});

Deno.test("Feed resumes a group that broke off by the publisher's other route, byte for byte", () => {
  const whole = [counting(40), counting(33, 7), new Uint8Array(0), counting(90, 3)];
  for (let breakAt = 0; breakAt <= 163; breakAt++) {
    const [a, b] = [new FakeSource("a"), new FakeSource("b")];
    const { track, context } = broadcastOf(a, b);
    const reader = added(track);
    const first = a.last.sink.openGroup(4)!;
    const copier = new Copier(reader.groups[0]!);
    let left = breakAt;
    for (const [i, payload] of whole.entries()) {
      first.begin(i * 10, payload.length);
      const n = Math.min(left, payload.length);
      left -= n;
      first.payload(payload.subarray(0, n));
      if (n < payload.length) break;
    }
    a.last.sink.interrupt(first);
    a.last.lost();
    assert.equal(b.last.request.startGroup, 4);
    const second = b.last.sink.openGroup(4)!;
    a.last.sink.interrupt(first);
    first.cut();
    for (const [i, payload] of whole.entries()) second.frame(i * 10, payload);
    second.finish();
    context.clock.advance(20_000);
    const group = reader.groups[0]!;
    assert.equal(group.state, "complete");
    assert.deepEqual(copier.copied, [...bytesOf(group)]);
    const plain = broadcastOf(a);
    const other = added(plain.track);
    const writer = a.last.sink.openGroup(4)!;
    for (const [i, payload] of whole.entries()) writer.frame(i * 10, payload);
    assert.deepEqual(copier.copied, [...bytesOf(other.groups[0]!)]);
    assert.deepEqual(reader.sequences, [4]);
    assert.equal(context.stats.groupsCut, 0);
  }
});

Deno.test("Feed asks a route it was about to move to again when the old one breaks off in mid-group", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { track, broadcast } = broadcastOf(a);
  const reader = added(track);
  const first = a.last.sink.openGroup(4)!;
  broadcast.setRoute(route(b, 0));
  assert.equal(b.last.request.startGroup, 5);
  a.last.sink.interrupt(first);
  a.last.lost();
  assert.equal(b.open, 1);
  assert.equal(b.last.request.startGroup, 4);
  b.last.group(4);
  assert.equal(reader.groups[0]!.state, "complete");
});

Deno.test("Feed cuts a group that nobody resumes once the time for it is over", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { track, context } = broadcastOf(a, b);
  const reader = added(track);
  a.last.sink.interrupt(a.last.sink.openGroup(4)!);
  a.last.lost();
  b.last.group(5);
  context.clock.advance(4999);
  assert.equal(reader.groups[0]!.state, "open");
  context.clock.advance(1);
  assert.equal(reader.groups[0]!.state, "cut");
  assert.equal(context.stats.groupsCut, 1);
  assert.deepEqual(reader.sequences, [4, 5]);
});

Deno.test("Feed does not resume a group from the middle of what is missing", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { track } = broadcastOf(a, b);
  const reader = added(track);
  const writer = a.last.sink.openGroup(4)!;
  writer.frame(0, counting(3));
  a.last.sink.interrupt(writer);
  a.last.lost();
  assert.equal(b.last.sink.openGroup(4, 2), undefined);
  const second = b.last.sink.openGroup(4, 1)!;
  second.frame(1, counting(3));
  second.finish();
  assert.equal(reader.groups[0]!.frames, 2);
});

Deno.test("Feed resumes a group that gave way in the ring meanwhile, for those who read it", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { track, context } = broadcastOf(a, b);
  added(track);
  a.last.sink.interrupt(a.last.sink.openGroup(1)!);
  a.last.lost();
  for (let sequence = 2; sequence < 12; sequence++) b.last.group(sequence);
  const resumed = b.last.sink.openGroup(1)!;
  assert.equal(resumed.open, true);
  resumed.finish();
  context.clock.advance(5000);
  assert.equal(context.pool.stats.inUse, track.ring.size);
});

Deno.test("Feed waits for a publisher that lingers, and goes on with the group when it is back", () => {
  const [a, again] = [new FakeSource("a"), new FakeSource("again")];
  const { track, broadcast, routes } = broadcastOf(a);
  const reader = added(track);
  const writer = a.last.sink.openGroup(4)!;
  broadcast.lingering = true;
  broadcast.dropRoute(routes[0]!);
  a.last.sink.interrupt(writer);
  a.last.lost();
  assert.equal(reader.end, undefined);
  broadcast.setRoute(route(again));
  assert.equal(again.last.request.startGroup, 4);
  again.last.group(4);
  assert.deepEqual(reader.sequences, [4]);
  assert.equal(reader.groups[0]!.state, "complete");
});

Deno.test("Feed tells its readers when a publisher that was waited for does not come", () => {
  const a = new FakeSource("a");
  const { track, broadcast, routes } = broadcastOf(a);
  const reader = added(track);
  const writer = a.last.sink.openGroup(4)!;
  broadcast.lingering = true;
  broadcast.dropRoute(routes[0]!);
  a.last.sink.interrupt(writer);
  a.last.lost();
  broadcast.abandon();
  assert.deepEqual({ ...reader.end, reason: "" }, { ...lost, reason: "" });
  assert.equal(writer.subgroup.state, "cut");
});

Deno.test("Feed gives a source that offers the broadcast anew another chance", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { track, broadcast, routes } = broadcastOf(a, b);
  added(track);
  a.last.refuse();
  b.last.group(1);
  broadcast.dropRoute(routes[0]!);
  broadcast.setRoute(route(a, 0));
  assert.equal(a.subscriptions.length, 2);
  assert.ok(a.last.group(2));
});

Deno.test("Feed ends in order when its source does; groups under way go on to their end", () => {
  const a = new FakeSource("a");
  const { track } = broadcastOf(a);
  const reader = added(track);
  const writer = a.last.sink.openGroup(4)!;
  a.last.sink.ended({ kind: "ended", nextGroup: 5 });
  a.last.lost();
  assert.deepEqual(reader.end, { kind: "ended", nextGroup: 5 });
  writer.frame(0, counting(3));
  writer.finish();
  assert.equal(reader.groups[0]!.state, "complete");
});

Deno.test("Feed refuses a second copy of a group, and counts it", () => {
  const a = new FakeSource("a");
  const { track, context } = broadcastOf(a);
  added(track);
  assert.ok(a.last.group(1));
  assert.equal(a.last.group(1), false);
  assert.equal(context.stats.groupsRefused, 1);
});

Deno.test("Feed takes datagrams from the route it uses, and moves with one too", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { track, broadcast } = broadcastOf(a);
  const reader = added(track);
  a.last.sink.datagram(1, 0, counting(1));
  broadcast.setRoute(route(b, 0));
  a.last.sink.datagram(2, 0, counting(1));
  b.last.sink.datagram(3, 0, counting(1));
  a.last.sink.datagram(4, 0, counting(1));
  assert.deepEqual(reader.datagrams, [1, 2, 3]);
});

Deno.test("Feed takes a group once, whether it comes as a stream, as a datagram, or as both", () => {
  const source = new FakeSource("a");
  const { track, context } = broadcastOf(source);
  const reader = added(track);
  const { sink } = source.last;
  assert.equal(sink.datagram(1, 0, counting(1)), true);
  assert.equal(sink.datagram(1, 0, counting(1)), false);
  assert.equal(sink.openGroup(1), undefined);
  source.last.group(2);
  assert.equal(sink.datagram(2, 0, counting(1)), false);
  assert.deepEqual([reader.datagrams, reader.sequences], [[1], [2]]);
  assert.equal(context.stats.groupsRefused, 3);
  // A publisher that comes anew may count anew.
  track.remove(reader);
  const again = added(track);
  assert.equal(source.last.sink.datagram(1, 0, counting(1)), true);
  assert.deepEqual(again.datagrams, [1]);
});

Deno.test("Feed asks the route in use again when the one before it breaks off inside a group", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { track, broadcast } = broadcastOf(a);
  const reader = added(track);
  const begun = a.last.sink.openGroup(4)!;
  begun.frame(0, counting(5));
  broadcast.setRoute(route(b, 0));
  const five = b.last.sink.openGroup(5)!;
  five.frame(0, counting(5));
  a.last.sink.interrupt(begun);
  a.last.lost();
  assert.deepEqual([b.subscriptions.length, b.last.request.startGroup], [2, 4]);
  const rest = b.last.sink.openGroup(4)!;
  rest.frame(0, counting(5));
  rest.frame(1, counting(6));
  rest.finish();
  const again = b.last.sink.openGroup(5)!;
  again.frame(0, counting(5));
  again.frame(1, counting(6));
  again.finish();
  five.frame(1, counting(6));
  five.finish();
  assert.deepEqual(reader.sequences, [4, 5]);
  assert.deepEqual(reader.groups.map(({ frames, state }) => [frames, state]), [
    [2, "complete"],
    [2, "complete"],
  ]);
});

Deno.test("Feed asks the next route for a group that a newer one had overtaken, but not for one that never was", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { track, context } = broadcastOf(a, b);
  added(track);
  a.last.group(1);
  context.clock.advance(2000);
  a.last.group(3);
  context.clock.advance(2000);
  a.last.group(4);
  a.last.group(6);
  a.last.lost();
  assert.equal(b.last.request.startGroup, 5);
});

Deno.test("Feed leaves a source that has lost its own in the middle of a group, and the next one goes on with it", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { track, broadcast, routes, context } = broadcastOf(a, b);
  const reader = added(track);
  const begun = a.last.sink.openGroup(4)!;
  begun.frame(0, counting(5));
  broadcast.setRoute({ ...routes[0]!, warm: Infinity, cold: Infinity }, routes[0]);
  assert.equal(b.last.request.startGroup, 4);
  const rest = b.last.sink.openGroup(4)!;
  rest.frame(0, counting(5));
  begun.frame(1, counting(99)); // too late: it is somebody else's now
  begun.cut();
  rest.frame(1, counting(6));
  rest.finish();
  assert.deepEqual(reader.sequences, [4]);
  assert.deepEqual([reader.groups[0]!.frames, reader.groups[0]!.state], [2, "complete"]);
  assert.equal(b.last.sink.openGroup(4), undefined);
  assert.equal(context.stats.groupsCut, 0);
});

Deno.test("Feed comes back to a source that had lost its own for a moment", () => {
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const { track, context } = broadcastOf(a, b);
  const reader = added(track);
  a.last.lost();
  b.last.group(1);
  context.clock.advance(1000);
  b.last.lost();
  assert.equal(a.subscriptions.length, 2);
  a.last.lost();
  assert.equal(reader.end?.kind, "failed");
});

Deno.test("Feed asks for the newest group when one reader wants that, and nothing comes from where another one wants to begin", () => {
  const a = new FakeSource("a");
  const { track, context } = broadcastOf(a);
  const later = added(track, { ...LIVE, startGroup: 300 });
  assert.equal(a.last.request.startGroup, 300);
  const live = added(track);
  context.clock.advance(499);
  assert.equal(a.subscriptions.length, 1);
  context.clock.advance(1);
  assert.equal(a.subscriptions.length, 2);
  assert.equal(a.last.request.startGroup, undefined);
  a.last.group(7);
  a.last.group(8);
  assert.deepEqual([live.sequences, later.sequences], [[7, 8], []]);
});
