import assert from "node:assert/strict";
import { memoryPair, type MemoryPairOptions } from "../transport/memory/memory.ts";
import { SESSION_CODE } from "../wire/lite/codes.ts";
import { hex, join, RawPeer, type TestRelay, testRelay, tick, Viewer } from "./peers_test.ts";

/** A raw viewer that subscribes to track v of broadcast a and reads no group unless told. */
class Sleeper {
  readonly connection;
  static async at(
    { relay }: TestRelay,
    pair: MemoryPairOptions,
    subscribe = '02 0c 01 01 "a" 01 "v" 00 53 88 00 00 00 00', // groups may be 5 s old
  ): Promise<Sleeper> {
    const [near, far] = memoryPair({ protocol: "moq-lite-06", ...pair });
    void relay.accept(far);
    const sleeper = new Sleeper(near, far);
    for (const [text, bidi] of [["01 01 00", false], [subscribe, true]] as const) {
      const bytes = hex(text);
      if (bidi) (await near.openBidi()).send.write(bytes);
      else {
        const send = await near.openUni();
        send.write(bytes);
        send.finish();
      }
    }
    await near.acceptUni().then((setup) => setup!.read());
    await tick();
    return sleeper;
  }
  private constructor(
    near: ReturnType<typeof memoryPair>[0],
    readonly far: ReturnType<typeof memoryPair>[1],
  ) {
    this.connection = near;
  }
}

async function published(at: TestRelay, maxAgeMs = 5000) {
  const publisher = await join(at, 6, {}, { groupCacheSize: 100 });
  const track = publisher.client.publish("a").track("v", { maxAgeMs });
  await tick();
  return { publisher, track };
}

const BIG = new Uint8Array(1000);

Deno.test("a viewer that stops reading delays nobody, and only its own session ends", async () => {
  const at = testRelay({ writeTimeoutMs: 10_000 });
  const { track } = await published(at);
  const dead = await Sleeper.at(at, { windowBytes: 64 });
  const live = await join(at, 6);
  const watch = new Viewer(live.client.subscribe("a", "v"));
  await tick();
  for (let second = 0; second < 8; second++) {
    track.write(BIG);
    at.clock.advance(1000);
    await tick();
  }
  assert.deepEqual(watch.whole, [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.equal(at.relay.sessionCount, 3);
  for (let second = 0; second < 4; second++) {
    track.write(BIG);
    at.clock.advance(1000);
    await tick();
  }
  assert.equal((await dead.connection.closed).code, SESSION_CODE.controlTimeout);
  assert.equal(at.relay.sessionCount, 2);
  assert.equal(watch.whole.length, 12);
  assert.equal(watch.end, undefined);
  await at.relay.close();
});

Deno.test("a session that is lost leaves no reader, no stream and no memory behind", async () => {
  const at = testRelay({ groupCacheSize: 4 });
  const { track } = await published(at);
  const dead = await Sleeper.at(at, { windowBytes: 64 });
  const live = await join(at, 6);
  const watch = new Viewer(live.client.subscribe("a", "v"));
  await tick();
  for (let i = 0; i < 20; i++) {
    track.write(BIG);
    at.clock.advance(100);
    await tick();
  }
  const { track: served } = [...at.relay.origin.find("a")!.tracks()][0]!;
  assert.equal(served.readers, 2);
  assert.ok(at.relay.pool.stats.inUse > 4, "what the dead viewer has begun is kept for it");
  dead.connection.drop();
  await tick(2);
  assert.equal(served.readers, 1);
  assert.equal(watch.whole.length, 20);
  assert.deepEqual(dead.far.openStreams, { sending: 0, receiving: 0 });
  const kept = served.ring.since(0).reduce(
    (sum, { first }) => sum + first.segments.length,
    0,
  );
  assert.equal(at.relay.pool.stats.inUse, kept);
  watch.subscription.close();
  await tick();
  at.clock.advance(31_000);
  assert.equal(at.relay.pool.stats.inUse, 0);
  await at.relay.close();
});

Deno.test("with few streams the newest group goes first, and stale ones are skipped and counted", async () => {
  const at = testRelay({ groupCacheSize: 100 });
  const { track } = await published(at, 2000);
  const [near, far] = memoryPair({ protocol: "moq-lite-06", maxUniStreams: 1 });
  void at.relay.accept(far);
  const setup = await near.openUni();
  setup.write(hex("01 01 00"));
  setup.finish();
  await tick();
  const { send } = await near.openBidi();
  send.write(hex('02 0c 01 01 "a" 01 "v" 00 47 d0 00 00 00 00')); // groups may be 2 s old
  await tick();
  // The relay's SETUP takes the only stream there is as long as it is not read.
  for (let i = 0; i <= 30; i++) {
    track.write(String(i));
    at.clock.advance(100);
    await tick();
  }
  const viewer = new RawPeer(near);
  await tick(3);
  await (await viewer.nextUni()).hears("01 05 01 05 02 43 09", "fin");
  const order = viewer.unis.map(({ hex }) => parseInt(hex.split(" ")[3]!, 16));
  assert.deepEqual(order.slice(0, 3), [30, 29, 28]);
  assert.ok(order.length < 30 && order.length >= 19, `${order.length} groups within 2 s`);
  assert.equal(at.relay.stats.groupsSkipped, 31 - order.length);
  await at.relay.close();
});

Deno.test("a group that sticks and is older than anybody wants is cut, while the session lives", async () => {
  const at = testRelay();
  const { track } = await published(at, 2000);
  const viewer = RawPeer.at(at, "moq-lite-06", { windowBytes: 64 });
  await viewer.uni("01 01 00", true);
  await viewer.nextUni();
  await viewer.bidi('02 0b 01 01 "a" 01 "v" 00 00 00 00 00 00');
  await tick();
  // This one stream is accepted by hand and not read.
  const wish = '02 0c 01 01 "a" 01 "v" 00 47 d0 00 00 00 00'; // groups may be 2 s old
  const slow = await Sleeper.at(at, { windowBytes: 64 }, wish);
  track.write(BIG);
  await tick();
  const stuck = (await slow.connection.acceptUni())!;
  for (let i = 0; i < 4; i++) {
    at.clock.advance(1000);
    track.write("small");
    await tick();
  }
  await assert.rejects(stuck.read(), { code: "QUMO_STREAM_RESET", peerCode: 2 });
  assert.equal(at.relay.stats.groupsCutOut, 1);
  assert.equal(at.relay.sessionCount, 3);
  await at.relay.close();
});

Deno.test("a peer that never reads its announcements is closed after the write timeout", async () => {
  const at = testRelay({ writeTimeoutMs: 3000 });
  const [near, far] = memoryPair({ protocol: "moq-lite-04", windowBytes: 16 });
  void at.relay.accept(far);
  const stream = await near.openBidi();
  stream.send.write(Uint8Array.of(1, 2, 0, 0));
  const { publisher } = await published(at);
  for (let i = 0; i < 10; i++) publisher.client.publish(`room/${i}`);
  await tick();
  for (let i = 0; i < 5; i++) {
    at.clock.advance(1000);
    await tick();
  }
  assert.equal((await near.closed).code, SESSION_CODE.controlTimeout);
  assert.equal(at.relay.sessionCount, 1);
  await at.relay.close();
});

Deno.test("groups that starve behind newer ones do not make a session look dead", async () => {
  const at = testRelay({ writeTimeoutMs: 3000 });
  const { track } = await published(at, 60_000);
  const slow = await Sleeper.at(at, { windowBytes: 64 });
  track.write(BIG);
  await tick();
  const starving = (await slow.connection.acceptUni())!;
  for (let i = 0; i < 10; i++) {
    track.write(new Uint8Array(200));
    await tick();
    const newest = (await slow.connection.acceptUni())!;
    while (await newest.read() !== undefined);
    at.clock.advance(1000);
    await tick();
  }
  assert.equal(at.relay.sessionCount, 2);
  starving.stop(0);
  await at.relay.close();
});

for (const canReset of [true, false]) {
  Deno.test(`what waits in a transport ${canReset ? "with" : "without"} resets keeps its bytes when its group has left the cache`, async () => {
    const at = testRelay({ groupCacheSize: 1 });
    const { track } = await published(at);
    const slow = await Sleeper.at(at, { windowBytes: 64, canReset });
    for (let n = 1; n <= 20; n++) {
      track.write(new Uint8Array(1000).fill(n), n);
      await tick();
    }
    for (let n = 1; n <= 20; n++) {
      const stream = (await slow.connection.acceptUni())!;
      const bytes: number[] = [];
      for (let chunk = await stream.read(); chunk; chunk = await stream.read()) {
        bytes.push(...chunk);
      }
      const payload = bytes.slice(-1000);
      assert.deepEqual([bytes[3], new Set(payload)], [n - 1, new Set([n])]);
    }
    await tick();
    assert.equal(at.relay.pool.stats.inUse, 1);
    await at.relay.close();
  });
}
