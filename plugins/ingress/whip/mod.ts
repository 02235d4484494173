/** What browsers and OBS publish by WebRTC: a WHIP server in the relay's public HTTP. */
import { duration, someOf, text } from "../../../config/fields.ts";
import { plugin } from "../../plugin.ts";
import { linksOf, PEERS, placeOf, placeProblems, prefixOf } from "../../webrtc/options.ts";

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
    const { path, timeout, video, keyframeInterval, iceServers } = options;
    const { maxSessions, maxSessionsPerAddress, iceTimeout } = options;
    // Loaded here: a relay without this plugin, or one that only checks its options, does without.
    const { Whip } = await import("../../webrtc/whip.ts");
    const { serveOffers } = await import("../../webrtc/resources.ts");
    const whip = new Whip(ctx, {
      ...placeOf(options),
      timeoutMs: timeout,
      iceTimeoutMs: iceTimeout,
      video,
      keyframeMs: keyframeInterval,
    });
    await serveOffers(ctx, {
      prefix: prefixOf(path),
      log: ctx.log,
      clock: ctx.clock,
      allow: (request, broadcast) => ctx.hold(request, broadcast, "publish"),
      open: whip.open,
      maxSessions,
      maxSessionsPerAddress,
      links: linksOf(iceServers),
      onchange: (sessions) => ctx.status(sessions === 0 ? undefined : `${sessions} publishing`),
    });
  },
});
