import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import type { GroupProducer } from "../../client/publish.ts";
import { hex, join, testRelay, tick, Viewer } from "../../session/peers_test.ts";
import { type MemoryConnection, memoryPair } from "../../transport/memory/memory.ts";
import { SESSION_CODE } from "../../wire/lite/codes.ts";
import { Census, sharedCensus } from "./census.ts";

const LIMIT = 1_000_000;
const PIECE = new Uint8Array(100_000);
const SETTINGS = { frameCapacity: 1500, maxAgeMs: 60_000, lingerMs: 0 };

type At = ReturnType<typeof testRelay>;
const used = ({ relay }: At) => relay.pool.stats.bytesInUse;

/** Somebody who publishes and watches himself: many groups that grow and never end. */
async function hog(at: At, tracks: number, broadcast = "hog") {
  const publisher = await join(at, 6, {}, { groupCacheSize: 1 });
  const viewer = await join(at, 6);
  const producer = publisher.client.publish(broadcast);
  await tick();
  const watches = [];
  const groups: GroupProducer[] = [];
  for (let i = 0; i < tracks; i++) {
    const track = producer.track(`v${i}`);
    watches.push(new Viewer(viewer.client.subscribe(broadcast, `v${i}`)));
    await tick();
    groups.push(track.group());
  }
  let most = 0;
  const grow = async (pieces: number) => {
    for (let i = 0; i < pieces; i++) {
      for (const group of groups) {
        group.write(PIECE);
        await tick();
        most = Math.max(most, used(at));
      }
    }
    return most;
  };
  return { grow, watches };
}

/** An honest broadcast beside it: one group of 10 KB at a time. */
async function honest(at: At) {
  const { client } = await join(at, 6);
  const track = client.publish("honest").track("v");
  await tick();
  const viewer = await join(at, 6);
  const watch = new Viewer(viewer.client.subscribe("honest", "v"));
  await tick();
  const write = async () => {
    track.write(new Uint8Array(10_000));
    await tick();
  };
  return { write, watch };
}

Deno.test("groups that grow are cut before they pass the bytes of all, and an honest broadcast notices nothing", async () => {
  const at = testRelay({ ...SETTINGS, maxCacheBytes: LIMIT });
  const good = await honest(at);
  await good.write();
  const bad = await hog(at, 20);
  const most = await bad.grow(20); // 40 MB
  assert.ok(most <= 1.3 * LIMIT, `${most} bytes in use`);
  assert.ok(at.relay.hits.cache >= 10, `${at.relay.hits.cache} groups cut`);
  const cut = bad.watches.flatMap((watch) => watch.cut);
  assert.ok(cut.length >= 10, "who reads them hears that they are cut");
  await good.write();
  assert.deepEqual(good.watch.whole, [0, 1]);
  assert.deepEqual(good.watch.cut, []);
  const late = new Viewer((await join(at, 6)).client.subscribe("honest", "v"));
  await tick();
  assert.deepEqual(late.whole, [1], "who joins begins at once");
  await at.relay.close();
});

Deno.test("one broadcast's groups that grow are cut when they pass the bytes of a broadcast", async () => {
  const at = testRelay({ ...SETTINGS, maxBroadcastCacheBytes: LIMIT });
  const good = await honest(at);
  const bad = await hog(at, 10);
  for (let i = 0; i < 10; i++) {
    await bad.grow(1);
    await good.write();
    at.clock.advance(1000);
    await tick();
    assert.ok(used(at) <= 2.2 * LIMIT, `${used(at)} bytes in use`);
  }
  assert.ok(at.relay.hits.broadcastCache > 0);
  assert.equal(good.watch.whole.length, 10);
  await at.relay.close();
});

/** A viewer without any code of ours that reads the groups of its second subscription, and of others the first bytes. */
async function picky(at: At, canReset: boolean): Promise<MemoryConnection> {
  const [near, far] = memoryPair({ protocol: "moq-lite-06", windowBytes: 2000, canReset });
  void at.relay.accept(far);
  const setup = await near.openUni();
  setup.write(hex("01 01 00"));
  setup.finish();
  for (const [id, track] of [["01", "v"], ["02", "s"]]) { // groups may be a minute old
    const { send } = await near.openBidi();
    send.write(hex(`02 0e ${id} 01 "a" 01 "${track}" 00 80 00 ea 60 00 00 00 00`));
  }
  void (async () => {
    for (let stream = await near.acceptUni(); stream; stream = await near.acceptUni()) {
      const first = await stream.read();
      if (first?.[2] === 2) { while (await stream.read() !== undefined); }
    }
  })().catch(() => {});
  await tick();
  return near;
}

/** Writes a large and a small group every second. @returns The most bytes that were in use. */
async function feed(at: At, seconds: number) {
  const { client } = await join(at, 6, {}, { groupCacheSize: 1 });
  const broadcast = client.publish("a");
  const [big, small] = [broadcast.track("v"), broadcast.track("s")];
  await tick();
  return async () => {
    let most = 0;
    for (let second = 0; second < seconds; second++) {
      big.write(PIECE);
      small.write("moves");
      await tick();
      most = Math.max(most, used(at));
      at.clock.advance(1000);
      await tick();
    }
    return most;
  };
}

Deno.test("what a viewer has begun and does not read is not kept for it above the bytes of all", async () => {
  const at = testRelay({ ...SETTINGS, maxCacheBytes: LIMIT, groupCacheSize: 4 });
  const run = await feed(at, 40);
  const viewer = await picky(at, true);
  const most = await run();
  assert.ok(most <= 1.3 * LIMIT, `${most} bytes in use`);
  assert.ok(at.relay.stats.groupsCutOut > 10);
  assert.equal(await Promise.race([viewer.closed, "open"]), "open");
  await at.relay.close();
});

Deno.test("without resets a viewer that keeps memory which is needed is closed, though it reads something else", async () => {
  const at = testRelay({ ...SETTINGS, maxCacheBytes: LIMIT, groupCacheSize: 4 });
  const run = await feed(at, 40);
  const viewer = await picky(at, false);
  const most = await run();
  assert.deepEqual((await viewer.closed).code, SESSION_CODE.controlTimeout);
  assert.ok(most <= 3.3 * LIMIT, `${most} bytes in use: a write timeout's worth above the limit`);
  assert.ok(used(at) <= LIMIT);
  await at.relay.close();
});

Deno.test("of two threads the one that holds more than its share makes room, the other keeps what is live", async () => {
  const shared = sharedCensus(2);
  const clock = new ManualClock();
  const [mine, other] = [0, 1].map((index) =>
    testRelay({
      ...SETTINGS,
      clock,
      maxCacheBytes: LIMIT,
      census: new Census(shared, index),
      place: { index, count: 2 },
    })
  ) as [At, At];
  const good = await honest(mine);
  await good.write();
  const bad = await hog(other, 10);
  for (let i = 0; i < 20; i++) {
    await bad.grow(1);
    await good.write();
    const both = used(mine) + used(other);
    assert.ok(both <= 1.3 * LIMIT, `${both} bytes in use by both`);
  }
  assert.equal(good.watch.whole.length, 21);
  assert.ok(other.relay.hits.cache > 0);
  const late = new Viewer((await join(mine, 6)).client.subscribe("honest", "v"));
  await tick();
  assert.deepEqual(late.whole, [20]);
  await mine.relay.close();
  await other.relay.close();
});
