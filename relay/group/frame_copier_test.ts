import assert from "node:assert/strict";
import fc from "fast-check";
import { bytesOf, counting } from "../../tests/support/fixtures/relay.ts";
import { FrameCopier } from "./frame_copier.ts";
import { FramePool } from "./frame_pool.ts";
import { Group } from "./group.ts";
import { GroupWriter } from "./group_writer.ts";

const LIMITS = { maxGroupBytes: 1 << 20 };

Deno.test("FrameCopier makes the same group of the bytes, however they are cut, and leaves half a head for later", () => {
  const frames = fc.array(
    fc.record({ timestamp: fc.nat(2 ** 31 - 1), size: fc.nat(300) }),
    { maxLength: 10 },
  );
  const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
  fc.assert(fc.property(frames, cuts, fc.option(fc.nat(12)), (list, sizes, most) => {
    const pool = new FramePool({ frameCapacity: 64 });
    const [whole, wanted, copy] = [0, 1, 2].map(() => Group.alone(pool, 0, 0));
    for (const [group, frames] of [[whole!, list], [wanted!, list.slice(0, most ?? 12)]] as const) {
      const writer = new GroupWriter(group, LIMITS);
      frames.forEach(({ timestamp, size }, i) => writer.frame(timestamp, counting(size, i)));
    }
    const bytes = bytesOf(whole!);
    const writer = new GroupWriter(copy!, LIMITS);
    const copier = new FrameCopier(writer, most ?? Infinity);
    let [at, end] = [0, 0];
    for (let i = 0; end < bytes.length; i++) {
      end = Math.min(bytes.length, end + sizes[i % sizes.length]!);
      at += copier.push(bytes.subarray(at, end));
      assert.ok(end - at < 16 || copier.done, "only a head is left over");
    }
    writer.commit();
    assert.deepEqual(bytesOf(copy!), bytesOf(wanted!));
    assert.deepEqual([copy!.frames, copy!.lastTimestamp], [wanted!.frames, wanted!.lastTimestamp]);
    assert.equal(copier.atBoundary, true);
    assert.equal(copier.done, most !== null && most <= list.length);
  }));
});
