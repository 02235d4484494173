import assert from "node:assert/strict";
import type { MediaFrame, Rendition } from "../../media/rendition.ts";
import { newStats } from "../../tests/support/plugin_run.ts";
import { PacketTrack } from "./packet_track.ts";

const VP8: Rendition = { kind: "video", name: "v", codec: "vp8", container: "legacy" };

/** Frames of one group, shown at these milliseconds, in the order of decoding. */
async function* shownAt(...times: number[]): AsyncGenerator<MediaFrame> {
  for (const [index, ms] of times.entries()) {
    const payload = new Uint8Array(100);
    yield { group: 0, index, timestampUs: ms * 1000, keyframe: index === 0, payload };
  }
}

Deno.test("a PacketTrack says once that frames are not shown in the order they come, however many", async () => {
  let said = 0;
  const stats = newStats();
  const packets = new PacketTrack({ kind: "video", stats, reordered: () => void said++ });
  await packets.pass(VP8, shownAt(0, 33, 66));
  assert.equal(said, 0);
  await packets.pass(VP8, shownAt(0, 99, 33, 66, 198, 132, 165));
  await packets.pass(VP8, shownAt(0, 99, 33));
  assert.deepEqual([said, stats.framesIn], [1, 13]);
});
