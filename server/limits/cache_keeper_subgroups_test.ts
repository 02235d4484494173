import assert from "node:assert/strict";
import {
  counting,
  FakeReader,
  FakeSource,
  LIVE,
  testContext,
} from "../../tests/support/fixtures/relay.ts";
import { convert, objects, ObjectWriter } from "../../tests/support/fixtures/objects.ts";
import { Origin } from "../../relay/origin.ts";
import { newLimitHits } from "../../metrics/limit_keys.ts";
import { CacheKeeper } from "./cache_keeper.ts";
import { Census } from "./census.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { heldBytes } from "../../relay/group/eviction.ts";

/** A source of groups with three subgroups each, of some 4 KB together, and what keeps them within 40,000 bytes. */
function keeping(limits: { maxCacheBytes?: number; maxBroadcastCacheBytes?: number }) {
  const context = testContext({ groupCacheSize: 64 }, convert);
  const origin = new Origin({ context, hop: 1n, lingerMs: 0 });
  const source = new FakeSource("a");
  origin.announce("b", source, { hops: [7n], warm: 0, cold: 0 });
  const track = origin.find("b")!.track("b", "t");
  const hits = newLimitHits();
  const keeper = new CacheKeeper({ ...DEFAULT_LIMITS, ...limits }, hits, new Census(), origin);
  const group = (sequence: number, isWhole = true) => {
    for (const id of [0, 1, 2]) {
      const head = objects(id, { endOfGroup: id === 2 });
      const { sink } = source.last;
      const writer = new ObjectWriter(sink.openGroup(sequence, 0, head)!);
      writer.object({ id, payload: counting(1000) });
      if (isWhole) writer.writer.finish();
    }
    context.clock.advance(100);
    keeper.look(context.clock.now());
  };
  return { context, track, hits, group };
}

Deno.test("groups with several subgroups are forgotten whole, the oldest first, until the rest fits", () => {
  const { context, track, hits, group } = keeping({ maxCacheBytes: 40_000 });
  track.add(new FakeReader(LIVE, "objects16"));
  for (let sequence = 0; sequence < 30; sequence++) group(sequence);
  assert.ok(context.pool.stats.bytesInUse <= 40_000);
  const kept = track.ring.since(0);
  assert.ok(kept.length > 5 && kept.length < 15, `${kept.length} groups`);
  assert.deepEqual(kept.map(({ sequence }) => sequence).at(-1), 29);
  for (const { subgroups } of kept) assert.equal(subgroups.length, 3);
  assert.equal(hits.cache, 30 - kept.length);
  const held = kept.reduce((sum, group) => sum + heldBytes(group), 0);
  assert.equal(context.pool.stats.bytesInUse, held);
});

Deno.test("copies in another layout count as memory of their broadcast, and give way with its groups", () => {
  for (const limits of [{ maxCacheBytes: 40_000 }, { maxBroadcastCacheBytes: 40_000 }]) {
    const { context, track, group } = keeping(limits);
    const reader = new FakeReader(); // takes frames
    reader.then = (copy) => {
      const cursor = {
        slot: -1,
        pump: () => copy.state === "cut" && copy.detach(cursor),
        evicted: () => copy.detach(cursor),
      };
      copy.attach(cursor);
    };
    track.add(reader);
    for (let sequence = 0; sequence < 30; sequence++) group(sequence, false);
    assert.ok(context.pool.stats.bytesInUse <= 60_000, `${context.pool.stats.bytesInUse} bytes`);
    assert.ok(reader.groups.filter(({ state }) => state === "cut").length > 10);
  }
});
