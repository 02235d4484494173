/** Limits of one session, at a relay on a clock that stands still. */
import assert from "node:assert/strict";
import { join, RawPeer, testRelay, tick, Viewer } from "./peers_test.ts";

const KB = new Uint8Array(1000);

Deno.test("announcements beyond the limit are not taken, and the first ones stay", async () => {
  const at = testRelay({ maxAnnouncements: 2 });
  const { client } = await join(at, 6);
  const first = client.publish("a");
  client.publish("b");
  client.publish("c");
  await tick();
  assert.deepEqual([at.relay.origin.size, at.relay.hits.announcements], [2, 1]);
  first.close();
  await tick();
  client.publish("d");
  await tick();
  assert.deepEqual([at.relay.origin.size, at.relay.hits.announcements], [2, 1]);
  assert.equal(at.relay.sessionCount, 1);
});

Deno.test("subscriptions beyond the limit are refused, the others go on", async () => {
  const at = testRelay({ maxSubscriptions: 1 });
  const publisher = await join(at, 6);
  const track = publisher.client.publish("a").track("v");
  await tick();
  const viewer = await join(at, 6);
  const first = new Viewer(viewer.client.subscribe("a", "v"));
  await tick();
  const second = new Viewer(viewer.client.subscribe("a", "other"));
  await tick();
  track.write("x");
  await tick();
  assert.equal(first.text(0), "x");
  assert.notEqual(second.end, undefined);
  assert.equal(at.relay.hits.subscriptions, 1);
});

Deno.test("control messages above the rate wait, and none is lost", async () => {
  const at = testRelay({ maxMessageRate: 10 });
  const { client } = await join(at, 6);
  for (let i = 0; i < 150; i++) client.publish(`b/${i}`);
  await tick(3);
  const atOnce = at.relay.origin.size;
  assert.ok(atOnce >= 95 && atOnce <= 102, `${atOnce} at once`);
  assert.ok(at.relay.hits.messageRate > 0);
  for (let i = 0; i < 100; i++) {
    at.clock.advance(100);
    await tick();
  }
  assert.equal(at.relay.origin.size, 150);
});

Deno.test("requests above the rate wait on their streams", async () => {
  const at = testRelay({ maxMessageRate: 1 });
  const peer = RawPeer.at(at, "moq-lite-06");
  await peer.uni("01 01 00", true);
  for (let i = 0; i < 40; i++) await peer.bidi('02 0b 01 01 "a" 01 "v" 00 00 00 00 00 00');
  await tick();
  assert.ok(at.relay.hits.messageRate > 0);
  assert.equal(peer.code, undefined, "the session lives");
});

Deno.test("a viewer above its rate falls behind and skips, newest first, and is not closed", async () => {
  const at = testRelay({ maxAgeMs: 2000 });
  const publisher = await join(at, 6);
  const track = publisher.client.publish("a").track("v");
  await tick();
  const viewer = await join(at, 6);
  const watch = new Viewer(viewer.client.subscribe("a", "v"));
  await tick();
  at.relay.setLimits({ ...at.relay.limits, maxSendRate: 20_000 }); // counts for sessions that are open
  for (let n = 0; n < 100; n++) { // 100 KB a second for ten seconds
    const group = track.group();
    for (let i = 0; i < 10; i++) group.write(KB);
    group.close();
    at.clock.advance(100);
    await tick();
  }
  assert.ok(at.relay.hits.sendRate > 0);
  const { bytesOut } = at.relay.stats;
  // Ten seconds and a burst of two; a slice goes out whole.
  assert.ok(bytesOut >= 180_000 && bytesOut <= 280_000, `${bytesOut} bytes`);
  assert.equal(at.relay.sessionCount, 2);
  assert.ok(watch.whole.length > 10 && watch.whole.length < 40, `${watch.whole.length} groups`);
  assert.ok(Math.max(...watch.whole) > 80, "the newest come first");
  at.relay.setLimits({ ...at.relay.limits, maxSendRate: 0 });
  at.clock.advance(100);
  await tick();
  track.write("at once");
  await tick();
  assert.equal(watch.text(100), "at once");
});

Deno.test("a publisher above its rate is closed, one with a burst is not", async () => {
  const at = testRelay({ maxReceiveRate: 10_000 });
  const publisher = await join(at, 6);
  const track = publisher.client.publish("a").track("v");
  await tick();
  const viewer = await join(at, 6);
  new Viewer(viewer.client.subscribe("a", "v"));
  await tick();
  for (let i = 0; i < 25; i++) track.write(KB);
  await tick();
  at.clock.advance(1000);
  await tick();
  assert.equal(at.relay.sessionCount, 2);
  for (let second = 0; second < 3; second++) {
    for (let i = 0; i < 25; i++) track.write(KB);
    await tick();
    at.clock.advance(1000);
    await tick();
  }
  assert.equal((await publisher.client.closed).code, 64 + 429);
  assert.deepEqual([at.relay.sessionCount, at.relay.hits.receiveRate], [1, 1]);
});

Deno.test("a frame above its limit cuts its group, and the track goes on", async () => {
  const at = testRelay({ maxFrameBytes: 500 });
  const publisher = await join(at, 6);
  const track = publisher.client.publish("a").track("v");
  await tick();
  const viewer = await join(at, 6);
  const watch = new Viewer(viewer.client.subscribe("a", "v"));
  await tick();
  track.write(KB);
  await tick();
  track.write("small");
  await tick();
  assert.deepEqual([watch.whole, watch.text(1)], [[1], "small"]);
  assert.equal(at.relay.hits.frameBytes, 1);
  assert.equal(at.relay.sessionCount, 2);
});

Deno.test("sessions above the limit are closed at once, and there is room again when one has left", async () => {
  const at = testRelay({ maxSessions: 1 });
  const first = await join(at, 6);
  const second = RawPeer.at(at, "moq-lite-06");
  await tick();
  assert.deepEqual([second.code, at.relay.hits.sessions], [64 + 429, 1]);
  first.client.close();
  await tick();
  const third = RawPeer.at(at, "moq-lite-06");
  await third.uni("01 01 00", true);
  await tick();
  assert.deepEqual([third.code, at.relay.sessionCount], [undefined, 1]);
});

Deno.test("a peer that never says SETUP is closed and counted, and frees its place", async () => {
  const at = testRelay({ maxHandshakes: 4, handshakeTimeoutMs: 2000 });
  const silent = RawPeer.at(at, "moq-lite-06");
  const more = RawPeer.at(at, "moq-lite-06"); // a quarter is one
  await tick();
  assert.deepEqual([silent.code, more.code], [undefined, 64 + 429]);
  assert.equal(at.relay.doorkeeper.handshakes, 1);
  at.clock.advance(2000);
  await tick();
  assert.equal(silent.code, 0x11);
  assert.equal(at.relay.doorkeeper.handshakes, 0);
  const { handshakes, handshakeTime } = at.relay.hits;
  assert.deepEqual([handshakes, handshakeTime], [1, 1]);
});
