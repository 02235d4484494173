/** Broadcasts to browsers' ordinary `<video>` by WebRTC: a WHEP server in the relay's public HTTP. */
import { duration, oneOf, text } from "../../../config/fields.ts";
import { plugin } from "../../plugin.ts";
import { PEERS, peersOf, placeProblems } from "../../webrtc/options.ts";

export const webrtc = plugin({
  kind: "egress",
  name: "webrtc",
  summary: "Plays broadcasts in a browser's <video> by WebRTC (WHEP).",
  options: {
    path: text("Where viewers post their offers: `PATH/BROADCAST`.", { byDefault: "/whep" }),
    ...PEERS,
    wait: duration(
      { min: "100ms", max: "30s", byDefault: "1s" },
      "How long a broadcast that is not live is waited for before the answer is 404.",
    ),
    max_latency: duration(
      { min: "50ms", max: "10s", byDefault: "1s" },
      "How long is waited for a group that stands still while newer ones are there.",
    ),
    audio: oneOf(
      ["transcode", "opus"],
      "transcode",
      "`transcode` makes Opus of other sound where ffmpeg is installed; `opus` sends sound that is Opus and no other.",
    ),
  },
  check: placeProblems,
  async run(ctx, options) {
    const { wait: waitMs, maxLatency: maxLatencyMs, audio } = options;
    // Loaded here: a relay without this plugin, or one that only checks its options, does without.
    const { Whep } = await import("../../webrtc/whep.ts");
    const { serveOffers } = await import("../../webrtc/resources.ts");
    const { canMakeOpus } = await import("../../webrtc/rtp/opus.ts");
    const transcodes = audio === "transcode" && await canMakeOpus(ctx.signal);
    if (audio === "transcode" && !transcodes) {
      ctx.log.warn("AAC is left out: it needs ffmpeg with libopus", { hint: "install ffmpeg" });
    }
    const { open } = new Whep(ctx, { ...peersOf(options), waitMs, maxLatencyMs, transcodes });
    await serveOffers(ctx, options, { role: "read", doing: "watching", open });
  },
});
