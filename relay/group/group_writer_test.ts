import assert from "node:assert/strict";
import fc from "fast-check";
import { GroupTooLarge } from "../errors.ts";
import { bytesOf, Copier, counting } from "../../tests/support/fixtures/relay.ts";
import { FramePool } from "./frame_pool.ts";
import { Group, type Subgroup } from "./group.ts";
import { GroupWriter, type IngressCounter } from "./group_writer.ts";

interface Frame {
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

const ROOMY = { maxGroupBytes: 1 << 20 };

function newGroup(startFrame = 0): Subgroup {
  const pool = new FramePool({ frameCapacity: 32, arenaBytes: 4096 });
  return Group.alone(pool, 7, 0, { startFrame });
}

/** A QUIC varint, straight from the table of RFC 9000 §16. */
function varint(value: bigint): number[] {
  const [bytes, prefix] = value < 64n
    ? [1, 0n]
    : value < 16384n
    ? [2, 1n]
    : value < 1n << 30n
    ? [4, 2n]
    : [8, 3n];
  const whole = value | prefix << BigInt(bytes * 8 - 2);
  return Array.from(
    { length: bytes },
    (_, i) => Number(whole >> BigInt(8 * (bytes - 1 - i)) & 255n),
  );
}

function encoded(frames: readonly Frame[]): number[] {
  let last = 0n;
  return frames.flatMap(({ timestamp, payload }) => {
    const delta = BigInt(timestamp) - last;
    last = BigInt(timestamp);
    const zigzag = delta < 0n ? -2n * delta - 1n : 2n * delta;
    return [...varint(zigzag), ...varint(BigInt(payload.length)), ...payload];
  });
}

const frame = fc.record({
  timestamp: fc.oneof(fc.nat(100), fc.nat(), fc.integer({ min: 0, max: 2 ** 50 })),
  payload: fc.uint8Array({ maxLength: 200 }),
});
const frames = fc.array(frame, { maxLength: 12 });
const chunkSizes = fc.infiniteStream(fc.integer({ min: 1, max: 70 }));

/** Writes frames in chunks of the given sizes, committing after some. */
function write(writer: GroupWriter, frames: readonly Frame[], sizes: Iterator<number>): void {
  for (const { timestamp, payload } of frames) {
    writer.begin(timestamp, payload.length);
    for (let at = 0; at < payload.length;) {
      const size: number = sizes.next().value;
      at += writer.payload(payload.subarray(at, at + size));
      if (size % 2 === 0) writer.commit();
    }
  }
  writer.commit();
}

Deno.test("GroupWriter makes the same bytes however the frames are cut into pieces", () => {
  fc.assert(fc.property(frames, chunkSizes, (frames, sizes) => {
    const group = newGroup();
    const reader = new Copier(group);
    const writer = new GroupWriter(group, ROOMY);
    write(writer, frames, sizes);
    writer.finish();
    assert.deepEqual([...bytesOf(group)], encoded(frames));
    assert.deepEqual(reader.copied, encoded(frames));
    assert.equal(group.frames, frames.length);
    assert.equal(group.state, "complete");
  }));
});

Deno.test("GroupWriter never lets a frame's head straddle two slabs", () => {
  fc.assert(fc.property(frames, chunkSizes, (frames, sizes) => {
    const group = newGroup();
    write(new GroupWriter(group, ROOMY), frames, sizes);
    let at = 0;
    frames.forEach((frame, i) => {
      const size = encoded(frames.slice(0, i + 1)).length - encoded(frames.slice(0, i)).length;
      const head = size - frame.payload.length;
      assert.ok(group.slice(at).length >= head, `the head of frame ${i} is torn`);
      at += size;
    });
  }));
});

Deno.test("GroupWriter writes timestamps that run backwards, and empty frames", () => {
  const group = newGroup();
  const writer = new GroupWriter(group, ROOMY);
  writer.frame(1000, counting(2));
  writer.frame(990, new Uint8Array(0));
  writer.frame(990, counting(1));
  writer.finish();
  assert.deepEqual([...bytesOf(group)], [0x47, 0xd0, 2, 0, 1, 19, 0, 0, 1, 0]);
  assert.equal(group.frames, 3);
  assert.equal(group.state, "complete");
});

Deno.test("GroupWriter shows a frame's beginning before its end has come", () => {
  const group = newGroup();
  const writer = new GroupWriter(group, ROOMY);
  const reader = new Copier(group);
  writer.begin(0, 10);
  writer.payload(counting(4));
  writer.commit();
  assert.deepEqual(reader.copied, [0, 10, 0, 1, 2, 3]);
  assert.equal(group.frames, 0);
  assert.equal(writer.frameLeft, 6);
});

Deno.test("GroupWriter.payload() takes what belongs to the frame and leaves the rest", () => {
  const writer = new GroupWriter(newGroup(), ROOMY);
  writer.begin(0, 3);
  assert.equal(writer.payload(counting(10)), 3);
  assert.equal(writer.payload(counting(10)), 0);
});

Deno.test("GroupWriter.finish() in the middle of a frame cuts the group", () => {
  const group = newGroup();
  const writer = new GroupWriter(group, ROOMY);
  writer.begin(0, 3);
  writer.payload(counting(2));
  writer.finish();
  assert.equal(group.state, "cut");
});

Deno.test("GroupWriter.begin() refuses what makes the group too large, with nothing written of it", () => {
  const group = newGroup();
  const writer = new GroupWriter(group, { maxGroupBytes: 24 });
  writer.frame(0, counting(10));
  assert.throws(() => writer.begin(0, 11), GroupTooLarge);
  assert.equal(group.written, 12);
  writer.frame(0, counting(10));
  assert.equal(group.bytes, 24);
});

Deno.test("GroupWriter refuses what takes more slabs than a group may have", () => {
  const pool = new FramePool({ frameCapacity: 1, arenaBytes: 1 << 22 });
  const group = Group.alone(pool, 0, 0);
  const writer = new GroupWriter(group, { maxGroupBytes: 1 << 30 });
  writer.begin(0, 1 << 20);
  assert.throws(() => writer.payload(new Uint8Array(1 << 20)), GroupTooLarge);
});

Deno.test("GroupWriter counts whole frames and their payload, in every counter", () => {
  const counters: IngressCounter[] = [{ framesIn: 0, bytesIn: 0 }, { framesIn: 5, bytesIn: 5 }];
  const writer = new GroupWriter(newGroup(), ROOMY, counters);
  writer.frame(0, counting(10));
  writer.frame(0, new Uint8Array(0));
  writer.begin(0, 10);
  writer.payload(counting(9));
  assert.deepEqual(counters, [{ framesIn: 2, bytesIn: 10 }, { framesIn: 7, bytesIn: 15 }]);
});

Deno.test("GroupWriter drops what comes after the group has ended, and takes no memory for it", () => {
  const pool = new FramePool({ frameCapacity: 32, arenaBytes: 4096 });
  const group = Group.alone(pool, 0, 0);
  const writer = new GroupWriter(group, ROOMY);
  writer.begin(0, 100);
  writer.payload(counting(20));
  writer.commit();
  group.end("cut");
  group.release();
  assert.equal(writer.open, false);
  assert.equal(writer.payload(counting(80, 20)), 80);
  writer.frame(1, counting(50));
  writer.finish();
  assert.equal(group.state, "cut");
  assert.equal(pool.stats.inUse, 0);
  assert.equal(group.bytes, 23);
});

Deno.test("GroupWriter that has left its group has no say any more", () => {
  const group = newGroup();
  const first = new GroupWriter(group, ROOMY);
  first.begin(0, 4);
  first.payload(counting(2));
  first.leave();
  const second = new GroupWriter(group, ROOMY);
  first.payload(counting(2));
  first.finish();
  first.cut();
  assert.equal(first.open, false);
  assert.equal(group.state, "open");
  second.frame(0, counting(4));
  second.finish();
  assert.deepEqual([...bytesOf(group)], encoded([{ timestamp: 0, payload: counting(4) }]));
});

Deno.test("GroupWriter goes on with an interrupted group at any byte, skipping exactly what is there", () => {
  fc.assert(fc.property(
    fc.array(frame, { minLength: 1, maxLength: 6 }),
    fc.nat(),
    fc.nat(),
    fc.nat(3),
    chunkSizes,
    (frames, pick, back, startFrame, sizes) => {
      const group = newGroup(startFrame);
      const counter = { framesIn: 0, bytesIn: 0 };
      const first = new GroupWriter(group, ROOMY, [counter]);
      // Breaks off after so many payload bytes, or between two frames.
      let left = pick % (1 + frames.reduce((sum, { payload }) => sum + payload.length + 1, 0));
      for (const { timestamp, payload } of frames) {
        if (left-- === 0) break;
        first.begin(timestamp, payload.length);
        const n = Math.min(left, payload.length);
        first.payload(payload.subarray(0, n));
        left -= n;
        if (n < payload.length) break;
      }
      first.commit();
      first.leave();
      // The other copy begins at any frame up to the one that is missing; frames before the group's own are foreign.
      const from = back % (startFrame + group.frames + 1);
      const before = Array.from({ length: Math.max(0, startFrame - from) }, () => frames[0]!);
      const second = new GroupWriter(group, ROOMY, [counter], from);
      write(second, [...before, ...frames.slice(Math.max(0, from - startFrame))], sizes);
      second.finish();
      assert.deepEqual([...bytesOf(group)], encoded(frames));
      assert.equal(group.state, "complete");
      assert.equal(counter.framesIn, frames.length);
      assert.equal(counter.bytesIn, frames.reduce((sum, { payload }) => sum + payload.length, 0));
    },
  ));
});

Deno.test("GroupWriter cuts an interrupted group when the other copy's frame has another size", () => {
  const group = newGroup();
  const first = new GroupWriter(group, ROOMY);
  first.begin(0, 10);
  first.payload(counting(4));
  first.leave();
  const second = new GroupWriter(group, ROOMY);
  second.frame(0, counting(6));
  assert.equal(group.state, "cut");
  assert.equal(group.bytes, 6);
});
