import assert from "node:assert/strict";
import fc from "fast-check";
import {
  OBJECT_LAYOUTS,
  objectsOf,
  pieces,
  plain,
  written,
} from "../tests/support/fixtures/bridge.ts";
import { HeadReader } from "../session/convert/head_reader.ts";
import { type ObjectLayout, profileFor } from "../session/convert/layouts.ts";
import { ObjectHeads, STATUS } from "../wire/ietf/data/object_head.ts";
import { FRAME_PREFIX_BYTES, type OnFrame } from "./light.ts";
import { ObjectScan } from "./object_scan.ts";

function scanOf(layout: ObjectLayout, onFrame: OnFrame = () => {}): ObjectScan {
  const place = { subscribe: () => 3, known: () => Promise.resolve(), sequence: 9 };
  const heads = new ObjectHeads(profileFor(layout), true);
  return new ObjectScan(place, new HeadReader(heads), onFrame);
}

for (const layout of OBJECT_LAYOUTS) {
  Deno.test(`ObjectScan finds every object of ${layout} with a payload or without, and no status, however it is cut up`, () => {
    const objects = objectsOf(fc.constantFrom(0, 0, STATUS.endOfGroup));
    fc.assert(fc.property(objects, fc.array(fc.nat()), (list, cuts) => {
      const seen: string[] = [];
      const scan = scanOf(layout, ({ frameBytes, prefix }) => {
        const kept = Math.min(frameBytes, FRAME_PREFIX_BYTES);
        seen.push(`${frameBytes} ${new Uint8Array(prefix.buffer, 0, kept).toHex()}`);
      });
      for (const piece of pieces(written(list, layout), cuts)) scan.push(piece);
      const normal = list.filter(({ status }) => status === STATUS.normal);
      const expected = normal.map(({ payload }) =>
        `${payload.length} ${payload.slice(0, FRAME_PREFIX_BYTES).toHex()}`
      );
      assert.deepEqual(seen, expected);
      assert.deepEqual([scan.frames, scan.atBoundary, scan.subscribe, scan.sequence], [
        normal.length,
        true,
        3,
        9,
      ]);
    }));
  });
}

Deno.test("ObjectScan knows a stream that was cut off inside an object", () => {
  const bytes = written([plain(0, "abc"), plain(1, "defg")], "objects18");
  const ends = new Set([0, 3 + 3, bytes.length]);
  for (let n = 0; n <= bytes.length; n++) {
    const scan = scanOf("objects18");
    scan.push(bytes.subarray(0, n));
    assert.equal(scan.atBoundary, ends.has(n), `${n}`);
  }
});
