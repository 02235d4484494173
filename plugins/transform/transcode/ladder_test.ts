import assert from "node:assert/strict";
import { ladder, type LadderStep } from "./ladder.ts";
import type { Rendition } from "../../../media/rendition.ts";

const step = (given: Partial<LadderStep>): LadderStep => ({
  ...{ codec: "h264", height: 0, fps: 0, bitrate: 1000, preset: "veryfast" },
  ...given,
});
const source: Rendition = {
  ...{ kind: "video", name: "video0", codec: "avc1.64001f", container: "legacy" },
  ...{ width: 1280, height: 720, framerate: 30 },
};

Deno.test("ladder() never enlarges, keeps the shape in even numbers, and decodes once", () => {
  const steps = [step({ codec: "copy" }), step({ height: 1080 }), step({ height: 361, fps: 15 })];
  const how = ladder(steps, [source], 0);
  assert.ok(typeof how !== "string");
  const graph = how.args[how.args.indexOf("-filter_complex") + 1];
  assert.equal(
    graph,
    "[0:v:0]split=2[in0][in1];[in0]scale=1280:720[out0];[in1]fps=15,scale=642:362[out1]",
  );
  assert.deepEqual(how.carried, [{ from: source, name: "source" }]);
  assert.deepEqual(how.made, [
    { name: "1080p", bitrate: 1_000_000, framerate: 30 },
    { name: "361p", bitrate: 1_000_000, framerate: 15 },
  ]);
});

Deno.test("ladder() needs no ffmpeg for copies alone, and a picture for anything", () => {
  const how = ladder([step({ codec: "copy" })], [source], 0);
  assert.ok(typeof how !== "string" && how.source === undefined);
  assert.equal(ladder([step({})], [], 0), "it has no picture");
});
