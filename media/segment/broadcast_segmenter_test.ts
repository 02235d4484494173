import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { silent } from "../../base/logger.ts";
import type { MediaFrame, Rendition } from "../rendition.ts";
import { BroadcastSegmenter, Epoch } from "./broadcast_segmenter.ts";

const VIDEO: Rendition = {
  ...{ kind: "video", name: "v", codec: "vp8", container: "legacy" },
  ...{ width: 320, height: 180, framerate: 25 },
};
const ODD: Rendition = { ...VIDEO, name: "odd", codec: "theora" };

Deno.test("BroadcastSegmenter leaves out what has no place in an MP4, says so, and carries the rest", () => {
  const warned: unknown[] = [];
  const segments: string[] = [];
  const segmenter = new BroadcastSegmenter([ODD, VIDEO], {
    ...{ targetMs: 1000, partMs: 1000, maxBytes: 1 << 20, epoch: new Epoch() },
    clock: new ManualClock(),
    log: { ...silent, warn: (_, fields) => void warned.push(fields?.rendition) },
    outputOf: ({ name }) => ({ init() {}, part() {}, endSegment: () => segments.push(name) }),
  });
  assert.deepEqual([[...segmenter.outputs.keys()], warned], [["v"], ["odd"]]);
  const frame = (ms: number): MediaFrame => (
    { group: 0, index: 0, timestampUs: ms * 1000, keyframe: true, payload: new Uint8Array(9) }
  );
  assert.equal(segmenter.push(ODD, frame(0)), undefined);
  // The odd one would lead: the other one cuts by itself, later.
  for (let ms = 0; ms < 4000; ms += 40) assert.equal(segmenter.push(VIDEO, frame(ms)), true);
  segmenter.end();
  assert.deepEqual(segments, ["v", "v"]);
});

Deno.test("Epoch keeps to the frame that was least late, until a clock is set anew", () => {
  const epoch = new Epoch();
  for (
    const [timestampUs, wallMs] of [[0, 5_300], [1_000_000, 6_000], [2_000_000, 7_900]] as const
  ) {
    epoch.see(timestampUs, wallMs);
  }
  assert.equal(epoch.ms, 5_000);
  epoch.see(3_000_000, 18_001);
  assert.equal(epoch.ms, 15_001);
});
