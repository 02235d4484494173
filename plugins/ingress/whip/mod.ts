/** What browsers and OBS publish by WebRTC: a WHIP server in the relay's public HTTP. */
import { duration, someOf, text } from "../../../config/fields.ts";
import { plugin } from "../../plugin.ts";
import { PEERS, peersOf, placeProblems } from "../../webrtc/options.ts";

const CODECS = ["h264", "vp9", "vp8", "av1"] as const;

export const whip = plugin({
  kind: "ingress",
  name: "whip",
  summary: "Takes what browsers and OBS publish by WebRTC (WHIP).",
  options: {
    path: text("Where publishers post their offers: `PATH/BROADCAST`.", { byDefault: "/whip" }),
    ...PEERS,
    video: someOf(
      CODECS,
      "Video codecs that are taken, the preferred first.",
    ),
    keyframe_interval: duration(
      { min: "200ms", max: "60s", byDefault: "2s" },
      "How often publishers are asked for a keyframe: every one begins a group, where viewers can join.",
    ),
  },
  check: placeProblems,
  async run(ctx, options) {
    // Loaded here: a relay without this plugin, or one that only checks its options, does without.
    const { Whip } = await import("../../webrtc/whip.ts");
    const { serveOffers } = await import("../../webrtc/resources.ts");
    const { video, keyframeInterval: keyframeMs } = options;
    const { open } = new Whip(ctx, { ...peersOf(options), video, keyframeMs });
    await serveOffers(ctx, options, { role: "publish", doing: "publishing", open });
  },
});
