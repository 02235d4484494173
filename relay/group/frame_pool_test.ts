import assert from "node:assert/strict";
import fc from "fast-check";
import { FramePool, type Slab } from "./frame_pool.ts";

Deno.test("FramePool lends the slab again that came back: all of them, for ever", () => {
  const pool = new FramePool();
  const first = Array.from({ length: 100 }, () => pool.get(1500));
  for (const slab of first) pool.put(slab);
  const grown = pool.stats.grown;
  for (let round = 0; round < 10; round++) {
    const again = Array.from({ length: 100 }, () => pool.get(1500));
    assert.deepEqual(new Set(again), new Set(first));
    for (const slab of again) pool.put(slab);
  }
  assert.equal(pool.stats.grown, grown);
  assert.equal(pool.stats.reused, 1000);
  assert.equal(pool.stats.inUse, 0);
});

Deno.test("FramePool.get() lends the smallest power-of-two multiple of the capacity that is enough", () => {
  const pool = new FramePool({ frameCapacity: 1500 });
  const sizes = [0, 1, 1500, 1501, 3000, 3001, 100_000].map((n) => pool.get(n).bytes.length);
  assert.deepEqual(sizes, [1500, 1500, 1500, 3000, 3000, 6000, 192_000]);
});

Deno.test("FramePool.get() lends the largest slab there is when more is wanted", () => {
  const pool = new FramePool({ frameCapacity: 1 });
  assert.equal(pool.get(1 << 20).bytes.length, 1 << 15);
});

Deno.test("FramePool says where in which arena a slab lies", () => {
  const pool = new FramePool({ frameCapacity: 100, arenaBytes: 1000 });
  for (const size of [100, 200, 100, 200, 100, 200, 100, 400, 800]) {
    const slab = pool.get(size);
    const memory = pool.arena(slab.arena)!;
    new Uint8Array(memory)[slab.offset] = 77;
    assert.equal(slab.bytes[0], 77);
    assert.equal(slab.bytes.byteOffset, slab.offset);
    assert.equal(slab.bytes.buffer, memory);
  }
});

Deno.test("FramePool keeps its memory where other threads can read it, unless told not to", () => {
  assert.ok(new FramePool().get(1).bytes.buffer instanceof SharedArrayBuffer);
  assert.ok(new FramePool({ shared: false }).get(1).bytes.buffer instanceof ArrayBuffer);
});

Deno.test("FramePool hands big slabs back to the system once enough of them are free", () => {
  const pool = new FramePool({ frameCapacity: 100, arenaBytes: 400, maxFreeBytes: 1200 });
  const news: [number, boolean][] = [];
  pool.onArena = (index, memory) => news.push([index, memory !== undefined]);
  const big = [pool.get(400), pool.get(400), pool.get(400)];
  const small = pool.get(100);
  assert.equal(pool.stats.arenaBytes, 1600);
  for (const slab of [...big, small]) pool.put(slab);
  assert.equal(pool.stats.arenaBytes, 1200);
  assert.equal(pool.arena(big[2]!.arena), undefined);
  assert.deepEqual(news, [[0, true], [1, true], [2, true], [3, true], [2, false]]);
  assert.deepEqual(pool.arenas().map((memory) => memory !== undefined), [true, true, false, true]);
  assert.deepEqual(new Set([pool.get(400), pool.get(400)]), new Set(big.slice(0, 2)));
  // Two are out again, so there is room for the next one that comes back.
  pool.put(pool.get(400));
  assert.equal(pool.stats.arenaBytes, 1600);
});

Deno.test("FramePool hands memory that small slabs took in a rush back to the system, and lends none of it again", () => {
  const pool = new FramePool({ frameCapacity: 100, arenaBytes: 1000, maxFreeBytes: 2000 });
  const rush = Array.from({ length: 100 }, () => pool.get(100));
  assert.equal(pool.stats.arenaBytes, 10_000);
  for (const slab of rush) pool.put(slab);
  assert.equal(
    pool.stats.arenaBytes,
    3000,
    "as much as may be free, and the arena that is cut up now",
  );
  assert.equal(pool.arenas().filter((memory) => memory !== undefined).length, 3);
  for (let i = 0; i < 50; i++) {
    const slab = pool.get(100);
    assert.equal(slab.bytes.length, 100);
    assert.equal(slab.bytes.buffer, pool.arena(slab.arena));
  }
  assert.equal(pool.stats.arenaBytes, 5000);
});

Deno.test("FramePool raises the alarm while more is on loan than agreed", () => {
  const pool = new FramePool({ frameCapacity: 100 });
  let alarms = 0;
  pool.onAlarm = () => alarms++;
  pool.alarmBytes = 200;
  const slabs = [pool.get(100), pool.get(100)];
  assert.equal(alarms, 0);
  slabs.push(pool.get(100));
  assert.equal(alarms, 1);
  pool.put(slabs.pop()!);
  pool.put(slabs.pop()!);
  pool.get(100);
  assert.equal(alarms, 1);
});

Deno.test("FramePool never lends one byte twice, and its figures add up, whatever the order", () => {
  const step = fc.oneof(
    fc.record({ get: fc.integer({ min: 0, max: 5000 }) }),
    fc.record({ put: fc.nat() }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const pool = new FramePool({ frameCapacity: 64, arenaBytes: 2048, maxFreeBytes: 4096 });
    const lent: Slab[] = [];
    let gets = 0;
    for (const step of steps) {
      if ("get" in step) {
        const slab = pool.get(step.get);
        gets++;
        assert.ok(slab.bytes.length >= step.get);
        for (const other of lent) {
          if (other.arena !== slab.arena) continue;
          const apart = other.offset + other.bytes.length <= slab.offset ||
            slab.offset + slab.bytes.length <= other.offset;
          assert.ok(apart, "two slabs overlap");
        }
        lent.push(slab);
      } else if (lent.length > 0) {
        pool.put(lent.splice(step.put % lent.length, 1)[0]!);
      }
      const { stats } = pool;
      assert.equal(stats.gets, gets);
      assert.equal(stats.grown + stats.reused, gets);
      assert.equal(stats.inUse, lent.length);
      assert.equal(stats.bytesInUse, lent.reduce((sum, slab) => sum + slab.bytes.length, 0));
      const held = pool.arenas().reduce((sum, memory) => sum + (memory?.byteLength ?? 0), 0);
      assert.equal(stats.arenaBytes, held);
      assert.ok(stats.bytesInUse <= stats.arenaBytes);
    }
  }));
});
