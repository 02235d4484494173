import assert from "node:assert/strict";
import {
  hex,
  join,
  RawPeer,
  type TestRelay,
  testRelay,
  tick,
  Viewer,
} from "../session/peers_test.ts";
import { memoryPair } from "../transport/memory/memory.ts";

/** Lets time go by in small steps. @returns How long it took until `done`, in milliseconds. */
async function until(at: TestRelay, done: Promise<unknown>, atMostMs: number): Promise<number> {
  let over = false;
  void done.then(() => over = true);
  const from = at.clock.now();
  await tick();
  while (!over && at.clock.now() - from < atMostMs) {
    at.clock.advance(10);
    await tick();
  }
  assert.ok(over, `not over after ${atMostMs} ms`);
  return at.clock.now() - from;
}

for (const version of [6, 5, 4, 3, 2] as const) {
  Deno.test(`drain() lets a group in flight to 0${version} finish, tells its end, and closes`, async () => {
    const at = testRelay();
    const publisher = await join(at, 6);
    const told: string[] = [];
    const viewer = await join(at, version, {}, { ongoaway: (uri) => told.push(uri) });
    viewer.client.announced();
    const track = publisher.client.publish("a").track("v");
    await tick();
    const watch = new Viewer(viewer.client.subscribe("a", "v"));
    await tick();
    const group = track.group();
    group.write("begun");
    await tick();
    const drained = at.relay.drain(5000);
    assert.equal(at.relay.draining, true);
    await tick();
    assert.deepEqual(told, version >= 4 ? [""] : []);
    at.clock.advance(1000);
    await tick();
    track.write("too late");
    group.write("ended");
    await tick();
    assert.equal(at.relay.sessionCount, 2, "the group is still on its way");
    group.close();
    const tookMs = await until(at, drained, 5000);
    assert.ok(tookMs < 1000, `${tookMs} ms after the last group`);
    assert.deepEqual([watch.text(0), watch.whole], ["begun,ended", [0]]);
    if (version >= 5) assert.deepEqual([watch.end, watch.subscription.endGroup], ["ended", 1]);
    assert.equal((await viewer.client.closed).code, 0);
    assert.equal(at.relay.sessionCount, 0);
    await at.relay.drain(5000); // idempotent
  });
}

Deno.test("drain() says END before FIN and refuses newcomers", async () => {
  const at = testRelay();
  const publisher = await join(at, 6);
  publisher.client.publish("a").track("v").write("x");
  const viewer = RawPeer.at(at, "moq-lite-06");
  await viewer.uni("01 01 00", true);
  await viewer.bidi("01 01 00");
  const live = await viewer.bidi('02 0b 01 01 "a" 01 "v" 00 00 00 00 00 00');
  await live.hears("00 01 00");
  const drained = at.relay.drain(5000);
  const again = at.relay.drain(5000);
  await tick();
  at.clock.advance(100);
  await live.hears("01 01 01", "fin");
  const late = RawPeer.at(at, "moq-lite-06");
  await tick();
  assert.equal(late.code, 0);
  await until(at, Promise.all([drained, again]), 2000);
  assert.equal(viewer.code, 0);
});

Deno.test("a peer that never reads holds a drain for the grace and no longer", async () => {
  const at = testRelay();
  const publisher = await join(at, 6);
  const track = publisher.client.publish("a").track("v");
  const [near, far] = memoryPair({
    protocol: "moq-lite-06",
    windowBytes: 16,
    maxBidiStreams: 2,
  });
  void at.relay.accept(far);
  const setup = await near.openUni();
  setup.write(hex("01 01 00"));
  setup.finish();
  const { send } = await near.openBidi();
  send.write(hex('02 0b 01 01 "a" 01 "v" 00 00 00 00 00 00'));
  await tick();
  track.write(new Uint8Array(1000));
  await tick();
  const viewer = await join(at, 4);
  const watch = new Viewer(viewer.client.subscribe("a", "v"));
  await tick();
  const tookMs = await until(at, at.relay.drain(3000), 4000);
  assert.equal(tookMs, 3000);
  assert.deepEqual(watch.whole, [0]);
  assert.deepEqual([(await near.closed).code, at.relay.sessionCount], [0x10, 0]);
});

Deno.test("a relay without sessions drains at once", async () => {
  const at = testRelay();
  await at.relay.drain(5000);
  assert.equal(at.relay.draining, true);
});
