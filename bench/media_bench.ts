/** Media on its way through the process: fragments of MP4 taken apart, and frames made into fragments. `deno bench` */
import { encodeLegacyFrame } from "../media/hang/legacy_frame.ts";
import { FrameOpener } from "../media/hang/frame_opener.ts";
import { FragmentMuxer } from "../media/mp4/fragment_muxer.ts";
import { Splitter } from "../media/mp4/splitter.ts";
import type { Rendition } from "../media/rendition.ts";

const FRAMES = 300;
const rendition: Rendition = {
  ...{ kind: "video", name: "video0", codec: "vp09.00.10.08", container: "legacy" },
  ...{ width: 1280, height: 720, framerate: 30 },
};
const data = crypto.getRandomValues(new Uint8Array(8000));
const payloads = Array.from({ length: FRAMES }, (_, i) => encodeLegacyFrame(i * 33_333, data));

Deno.bench("frames of a hang track opened: 300", { group: "media" }, () => {
  const opener = new FrameOpener(rendition);
  for (const [i, payload] of payloads.entries()) opener.open(payload, 0, i);
});

Deno.bench("frames written as fragmented MP4 and split again: 300", { group: "media" }, () => {
  const muxer = new FragmentMuxer([rendition]);
  const splitter = new Splitter();
  for (const _ of splitter.push(muxer.init()));
  for (let i = 0; i < FRAMES; i++) {
    const frame = { timestampUs: i * 33_333, keyframe: i % 30 === 0, payload: data };
    for (const _ of splitter.push(muxer.fragment("video0", [frame])));
  }
});
