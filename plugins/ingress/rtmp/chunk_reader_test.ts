import assert from "node:assert/strict";
import fc from "fast-check";
import { ChunkReader, MAX_CHUNK_STREAMS } from "./chunk_reader.ts";
import { chunksOf } from "./chunk_writer.ts";
import { RtmpViolation } from "./errors.ts";
import type { RtmpMessage } from "./message.ts";

const LIMITS = { messageBytes: 100_000, waitingBytes: 150_000 };
const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));

function read(reader: ChunkReader, ...parts: Uint8Array[]): RtmpMessage[] {
  return parts.flatMap((part) => [...reader.push(part)]);
}

Deno.test("ChunkReader puts messages together however their bytes are cut", () => {
  const message = fc.record({
    type: fc.constantFrom(8, 9, 18, 20),
    streamId: fc.nat({ max: 3 }),
    timestampMs: fc.nat({ max: 0xfffffe }),
    payload: fc.uint8Array({ maxLength: 600 }).map((bytes) => new Uint8Array(bytes)),
  }, { noNullPrototype: true });
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.integer({ min: 2, max: 63 }), message), { maxLength: 8 }),
    fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
    (sent, cuts) => {
      const bytes = Uint8Array.from(sent.flatMap(([id, one]) => [...chunksOf(id, one)]));
      const whole = read(new ChunkReader(LIMITS), bytes);
      assert.deepEqual(whole, sent.map(([, one]) => one));
      const cut: Uint8Array[] = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const length = cuts[i % cuts.length]!;
        cut.push(bytes.subarray(at, at + length));
        at += length;
      }
      assert.deepEqual(read(new ChunkReader(LIMITS), ...cut), whole);
    },
  ));
});

Deno.test("ChunkReader reads short headers: the time goes on by their difference", () => {
  const messages = read(
    new ChunkReader(LIMITS),
    hex("04 000064 000001 08 01000000 aa"), // format 0, at 100
    hex("44 000014 000002 09 bbbb"), // format 1, 20 later, another length and type
    hex("84 00000a cccc"), // format 2, 10 later
    hex("c4 dddd"), // format 3, the same 10 later
  );
  assert.deepEqual(
    messages.map(({ timestampMs, type, payload }) => [timestampMs, type, payload.toHex()]),
    [[100, 8, "aa"], [120, 9, "bbbb"], [130, 9, "cccc"], [140, 9, "dddd"]],
  );
});

Deno.test("ChunkReader reads long ids, long times and another size of chunks", () => {
  const [first, second, third] = read(
    new ChunkReader(LIMITS),
    hex("00 01 ffffff 000001 08 01000000 01020304 aa"), // chunk stream 65
    hex("01 0201 000000 000001 08 00000000 bb"), // 64 + 2 + 256
    hex("02 000000 000004 01 00000000 00000002"), // chunks of 2 bytes from here
    hex("05 ffffff 000003 09 01000000 fffffffe 0102 c5 fffffffe 03"),
  );
  assert.equal(first!.timestampMs, 0x01020304);
  assert.equal(second!.payload.toHex(), "bb");
  assert.deepEqual([third!.timestampMs, third!.payload.toHex()], [0xfffffffe, "010203"]);
});

Deno.test("ChunkReader keeps messages of several chunk streams apart, and drops one that is aborted", () => {
  const messages = read(
    new ChunkReader(LIMITS),
    hex("02 000000 000004 01 00000000 00000001"), // chunks of one byte
    hex("04 000000 000002 08 01000000 a1"),
    hex("05 000000 000002 09 01000000 b1"),
    hex("c4 a2 c5 b2"),
    hex("04 000000 000002 08 01000000 a3"),
    hex("02 000000 000004 02 00000000 00 c2 00 c2 00 c2 04"), // abort what 4 has begun
    hex("04 000000 000001 08 01000000 a4"),
  );
  assert.deepEqual(messages.map(({ payload }) => payload.toHex()), ["a1a2", "b1b2", "a4"]);
});

Deno.test("ChunkReader refuses what would make it keep too much", () => {
  const refuses = (why: RegExp, ...parts: Uint8Array[]) =>
    assert.throws(() => read(new ChunkReader(LIMITS), ...parts), (error) => {
      assert.ok(error instanceof RtmpViolation);
      assert.match(error.message, why);
      return true;
    });
  refuses(/longer than 100000/, hex("04 000000 0186a1 08 01000000"));
  refuses(
    /more than 150000 bytes wait/,
    hex("04 000000 0186a0 08 01000000"),
    new Uint8Array(128),
    hex("05 000000 0186a0 08 01000000"),
  );
  refuses(/without a whole header/, hex("c4"));
  refuses(
    /within another one/,
    hex("04 000000 000100 08 01000000"),
    new Uint8Array(128),
    hex("04"),
    new Uint8Array(11),
  );
  refuses(/no size of a chunk/, hex("02 000000 000004 01 00000000 00000000"));
  refuses(/no size of a chunk/, hex("02 000000 000004 01 00000000 80000000"));
  refuses(/cut off/, hex("02 000000 000002 01 00000000 0000"));
  const streams = Array.from(
    { length: MAX_CHUNK_STREAMS + 1 },
    (_, i) => chunksOf(2 + i, { type: 8, streamId: 1, timestampMs: 0, payload: new Uint8Array(1) }),
  );
  refuses(/more than 32 streams/, ...streams);
});

Deno.test("ChunkReader only ever throws RtmpViolation, and keeps no more than it may", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (parts) => {
      try {
        for (const message of read(new ChunkReader(LIMITS), ...parts)) {
          assert.ok(message.payload.length <= LIMITS.messageBytes);
        }
      } catch (error) {
        assert.ok(error instanceof RtmpViolation, String(error));
      }
    }),
    { numRuns: 500 },
  );
});
