import assert from "node:assert/strict";
import fc from "fast-check";
import { FramePool } from "../../relay/group/frame_pool.ts";
import { Group, type GroupCursor, type Subgroup } from "../../relay/group/group.ts";
import { GroupWriter } from "../../relay/group/group_writer.ts";
import { putVarint, varintSize, zigzag } from "../../wire/varint.ts";
import { excerpt } from "./excerpt.ts";
import { FrameHeads } from "./frame_heads.ts";
import { FrameParser } from "./frame_parser.ts";

interface TestFrame {
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

const LIMITS = { maxGroupBytes: 1 << 20 };

const frames = fc.array(
  fc.record({
    timestamp: fc.integer({ min: 0, max: 2 ** 41 }),
    payload: fc.uint8Array({ maxLength: 200 }),
  }),
  { maxLength: 12 },
);

/** Frames as a version without timestamps (up to 04) or with them sends them. */
function wire(list: readonly TestFrame[], timestamps: boolean): Uint8Array {
  const out: number[] = [];
  const put = (value: number) => {
    const bytes = new Uint8Array(varintSize(value));
    putVarint(bytes, 0, value);
    out.push(...bytes);
  };
  let last = 0;
  for (const { timestamp, payload } of list) {
    if (timestamps) put(zigzag(timestamp - last));
    last = timestamp;
    put(payload.length);
    out.push(...payload);
  }
  return Uint8Array.from(out);
}

/** Copies what {@link FrameHeads} makes of a group, as it grows. */
class Copier implements GroupCursor {
  slot = -1;
  readonly bytes: number[] = [];
  readonly #heads: FrameHeads;
  constructor(readonly group: Subgroup, timestamps: boolean) {
    this.#heads = new FrameHeads(timestamps);
    group.attach(this);
    this.pump();
  }
  pump(): void {
    while (this.#heads.position < this.group.bytes) {
      this.bytes.push(...this.#heads.next(this.group));
    }
  }
}

function* pieces(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    yield bytes.slice(at, at += size);
  }
}

const cuts = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 5 });

Deno.test("frames come out as they went in, in each version's form, however the bytes are cut", () => {
  fc.assert(
    fc.property(frames, cuts, fc.integer({ min: 16, max: 64 }), (list, sizes, frameCapacity) => {
      const pool = new FramePool({ frameCapacity });
      const group = Group.alone(pool, 0, 0);
      const [newer, older] = [new Copier(group, true), new Copier(group, false)];
      const writer = new GroupWriter(group, LIMITS);
      const parser = new FrameParser(writer, true, () => 0);
      for (const piece of pieces(wire(list, true), sizes)) parser.push(piece);
      assert.equal(parser.atBoundary, true);
      writer.finish();
      assert.deepEqual([group.state, group.frames], ["complete", list.length]);
      assert.deepEqual(newer.bytes, [...wire(list, true)]);
      assert.deepEqual(older.bytes, [...wire(list, false)]);
      const late = new Copier(group, false);
      assert.deepEqual(late.bytes, older.bytes);
      for (const one of [newer, older, late]) group.detach(one);
      group.release();
      assert.equal(pool.stats.inUse, 0);
    }),
    { numRuns: 100 },
  );
});

Deno.test("frames without timestamps are given the time of their arrival", () => {
  fc.assert(
    fc.property(frames, cuts, (list, sizes) => {
      const group = Group.alone(new FramePool(), 0, 0);
      let now = 1_700_000_000_000;
      const writer = new GroupWriter(group, LIMITS);
      const parser = new FrameParser(writer, false, () => now++);
      for (const piece of pieces(wire(list, false), sizes)) parser.push(piece);
      writer.finish();
      const stamped = list.map(({ payload }, i) => ({ timestamp: 1_700_000_000_000 + i, payload }));
      assert.deepEqual(new Copier(group, true).bytes, [...wire(stamped, true)]);
    }),
    { numRuns: 100 },
  );
});

Deno.test("an excerpt is the frames within its bounds, whenever it is begun", () => {
  fc.assert(
    fc.property(
      frames,
      cuts,
      fc.record({
        startFrame: fc.nat(14),
        endFrame: fc.option(fc.nat(14), { nil: undefined }),
        first: fc.nat(3),
        beginAt: fc.nat(10),
        whole: fc.boolean(),
      }),
      (list, sizes, { startFrame, endFrame, first, beginAt, whole }) => {
        const pool = new FramePool({ frameCapacity: 32 });
        const group = Group.alone(pool, 7, 0, { startFrame: first });
        const writer = new GroupWriter(group, LIMITS);
        const parser = new FrameParser(writer, true, () => 0);
        let part: Subgroup | undefined;
        let copier: Copier | undefined;
        const begin = () => {
          part = excerpt(group, { startFrame, endFrame }, pool);
          copier = new Copier(part, true);
          part.release();
        };
        let i = 0;
        for (const piece of pieces(wire(list, true), sizes)) {
          if (i++ === beginAt) begin();
          parser.push(piece);
        }
        if (part === undefined) begin();
        if (whole) writer.finish();
        else writer.cut();
        const from = Math.max(startFrame - first, 0);
        const to = endFrame === undefined ? undefined : Math.max(endFrame - first + 1, 0);
        assert.deepEqual(copier!.bytes, [...wire(list.slice(from, to), true)]);
        assert.equal(part!.startFrame, Math.max(startFrame, first));
        const reached = endFrame !== undefined && endFrame < first + list.length;
        assert.equal(part!.state, whole || reached ? "complete" : "cut");
        part!.detach(copier!);
        group.release();
        assert.equal(pool.stats.inUse, 0);
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("an excerpt nobody reads any more follows its group no longer", () => {
  const pool = new FramePool();
  const group = Group.alone(pool, 0, 0);
  const writer = new GroupWriter(group, LIMITS);
  const part = excerpt(group, { startFrame: 1, endFrame: undefined }, pool);
  const copier = new Copier(part, true);
  part.release();
  writer.frame(0, Uint8Array.of(1));
  writer.frame(0, Uint8Array.of(2));
  part.detach(copier);
  writer.frame(0, Uint8Array.of(3));
  assert.equal(group.cursors.length, 0);
  assert.deepEqual(copier.bytes, [0, 1, 2]);
  group.release();
  assert.equal(pool.stats.inUse, 0);
});
