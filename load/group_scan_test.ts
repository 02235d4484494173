import assert from "node:assert/strict";
import fc from "fast-check";
import { type Dialect, DIALECTS, UNI } from "../wire/lite/dialect.ts";
import { framed } from "../wire/message.ts";
import { putVarint } from "../wire/varint.ts";
import { GroupScan } from "./group_scan.ts";
import { FRAME_PREFIX_BYTES } from "./light.ts";

function groupStream(dialect: Dialect, sequence: number, payloads: readonly Uint8Array[]) {
  const head = framed(dialect.group.encode({ subscribe: 3, sequence, startFrame: 0 }), UNI.group);
  const frames = payloads.map((payload) => {
    const bytes = new Uint8Array(16 + payload.length);
    let at = dialect.timestamps ? putVarint(bytes, 0, 90_000) : 0;
    at = putVarint(bytes, at, payload.length);
    bytes.set(payload, at);
    return bytes.subarray(0, at + payload.length);
  });
  return new Uint8Array(Buffer.concat([head, ...frames]));
}

for (const dialect of DIALECTS) {
  Deno.test(`GroupScan finds every frame of a ${dialect.name} stream, however it is cut up`, () => {
    fc.assert(fc.property(
      fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 0, max: 2 ** 31 }),
      (payloads, steps, sequence) => {
        const bytes = groupStream(dialect, sequence, payloads);
        const seen: string[] = [];
        const scan = new GroupScan(dialect, ({ frameBytes, prefix }) => {
          const kept = Math.min(frameBytes, FRAME_PREFIX_BYTES);
          seen.push(`${frameBytes} ${new Uint8Array(prefix.buffer, 0, kept).toHex()}`);
        });
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const step = steps[i % steps.length]!;
          scan.push(bytes.subarray(at, at + step));
          at += step;
        }
        assert.deepEqual(
          seen,
          payloads.map((p) => `${p.length} ${p.subarray(0, FRAME_PREFIX_BYTES).toHex()}`),
        );
        assert.deepEqual([scan.subscribe, scan.sequence, scan.atBoundary], [3, sequence, true]);
      },
    ));
  });
}

Deno.test("GroupScan knows a stream that ends within a frame, or in half a varint, as cut off", () => {
  const dialect = DIALECTS.find((d) => d.version === 5)!;
  const bytes = groupStream(dialect, 1, [new Uint8Array(20)]);
  for (let end = 3; end < bytes.length; end++) {
    const scan = new GroupScan(dialect, () => {});
    scan.push(bytes.subarray(0, end));
    assert.equal(scan.atBoundary, end === 4, `${end} of ${bytes.length} bytes`);
  }
  const scan = new GroupScan(dialect, () => {});
  scan.push(bytes);
  scan.push(Uint8Array.of(0x40));
  assert.equal(scan.atBoundary, false);
});

Deno.test("GroupScan skips a stream that is no group", () => {
  const scan = new GroupScan(DIALECTS[0]!, () => assert.fail("there is no frame in it"));
  scan.push(Uint8Array.of(1, 1, 0, 9, 9, 9));
  assert.deepEqual([scan.subscribe, scan.atBoundary], [-1, true]);
});
