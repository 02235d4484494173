/**
 * The plugins that come with the program. A line here is all there is to registering one; its module is loaded when an
 * instance of it starts, so that a relay without it does not wait.
 *
 * @module
 */
import type { PluginEntry } from "../plugin.ts";

/** Every built-in plugin, in the order of `qumo-relay plugins list`. */
export const BUILT_IN: readonly PluginEntry[] = [
  {
    kind: "ingress",
    name: "rtsp",
    load: async () => (await import("../ingress/rtsp/mod.ts")).rtsp,
  },
  {
    kind: "ingress",
    name: "camera",
    load: async () => (await import("../ingress/camera/mod.ts")).camera,
  },
  {
    kind: "ingress",
    name: "rtmp",
    load: async () => (await import("../ingress/rtmp/mod.ts")).rtmp,
  },
  { kind: "ingress", name: "srt", load: async () => (await import("../ingress/srt/mod.ts")).srt },
  {
    kind: "ingress",
    name: "whip",
    load: async () => (await import("../ingress/whip/mod.ts")).whip,
  },
  { kind: "ingress", name: "hls", load: async () => (await import("../ingress/hls/mod.ts")).hls },
  {
    kind: "ingress",
    name: "file",
    load: async () => (await import("../ingress/file/mod.ts")).file,
  },
  {
    kind: "ingress",
    name: "fmp4",
    load: async () => (await import("../ingress/fmp4/mod.ts")).fmp4,
  },
  {
    kind: "transform",
    name: "watermark",
    load: async () => (await import("../transform/watermark/mod.ts")).watermark,
  },
  {
    kind: "transform",
    name: "transcode",
    load: async () => (await import("../transform/transcode/mod.ts")).transcode,
  },
  {
    kind: "transform",
    name: "thumbnail",
    load: async () => (await import("../transform/thumbnail/mod.ts")).thumbnail,
  },
  {
    kind: "transform",
    name: "audio-only",
    load: async () => (await import("../transform/audio_only/mod.ts")).audioOnly,
  },
  {
    kind: "egress",
    name: "record",
    load: async () => (await import("../egress/record/mod.ts")).record,
  },
  { kind: "egress", name: "rtmp", load: async () => (await import("../egress/rtmp/mod.ts")).rtmp },
  { kind: "egress", name: "s3", load: async () => (await import("../egress/s3/mod.ts")).s3 },
  { kind: "egress", name: "hls", load: async () => (await import("../egress/hls/mod.ts")).hls },
  {
    kind: "egress",
    name: "webrtc",
    load: async () => (await import("../egress/webrtc/mod.ts")).webrtc,
  },
];
