import assert from "node:assert/strict";
import { join, testRelay, tick, Viewer } from "../../session/peers_test.ts";

const BIG = new Uint8Array(40_000);
const bytes = ({ relay }: ReturnType<typeof testRelay>) => relay.pool.stats.bytesInUse;

/** A relay whose sixteen groups per track would never fit, and a publisher. */
async function crowded(limits: Parameters<typeof testRelay>[0]) {
  const at = testRelay({ frameCapacity: 1500, maxAgeMs: 60_000, ...limits });
  const publisher = await join(at, 6);
  const viewer = await join(at, 6);
  const add = async (broadcast: string, name = "v") => {
    const track = publisher.client.publish(broadcast).track(name);
    await tick();
    const watch = new Viewer(viewer.client.subscribe(broadcast, name));
    await tick();
    return { track, watch };
  };
  const write = async (track: { write(payload: Uint8Array): void }, groups: number) => {
    for (let i = 0; i < groups; i++) {
      track.write(BIG);
      await tick();
      at.clock.advance(200);
    }
  };
  return { at, add, write };
}

Deno.test("above the bytes of all, the oldest groups go first and every track keeps its newest", async () => {
  const { at, add, write } = await crowded({ maxCacheBytes: 500_000 });
  const quiet = await add("quiet");
  await write(quiet.track, 1);
  const busy = await add("busy");
  await write(busy.track, 40);
  assert.ok(bytes(at) <= 600_000, `${bytes(at)} bytes in use`);
  assert.ok(at.relay.hits.cache > 10);
  assert.equal(busy.watch.whole.length, 40, "who watches live misses nothing");
  const late = new Viewer((await join(at, 6)).client.subscribe("quiet", "v"));
  await tick();
  assert.deepEqual(late.whole, [0], "the newest of the quiet one is still there");
});

Deno.test("one broadcast above its bytes loses its own groups, not those of others", async () => {
  const { at, add, write } = await crowded({ maxBroadcastCacheBytes: 400_000 });
  const small = await add("small");
  await write(small.track, 5);
  const large = await add("large");
  await write(large.track, 40);
  assert.ok(at.relay.hits.broadcastCache > 10);
  const kept = (path: string) =>
    [...at.relay.origin.find(path)!.tracks()].map(({ track }) => track.ring.size)[0]!;
  assert.equal(kept("small"), 5);
  assert.ok(kept("large") < 10, `${kept("large")} groups of the large one`);
  assert.equal(large.watch.whole.length, 40);
});
