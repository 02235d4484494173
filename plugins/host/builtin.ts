/**
 * The plugins that come with the program. A line here is all there is to registering one. Its module is loaded when an
 * instance of it starts: a relay without one does not wait for it.
 *
 * @module
 */
import { PLUGIN_KINDS, type PluginKind } from "../../base/plugin_kind.ts";
import type { PluginDefinition, PluginEntry } from "../plugin.ts";

/** Each by its kind and name, in the order of `qumo-relay plugins list`. */
const LOADERS: Record<PluginKind, Record<string, () => Promise<PluginDefinition>>> = {
  ingress: {
    rtsp: async () => (await import("../ingress/rtsp/mod.ts")).rtsp,
    camera: async () => (await import("../ingress/camera/mod.ts")).camera,
    rtmp: async () => (await import("../ingress/rtmp/mod.ts")).rtmp,
    srt: async () => (await import("../ingress/srt/mod.ts")).srt,
    whip: async () => (await import("../ingress/whip/mod.ts")).whip,
    hls: async () => (await import("../ingress/hls/mod.ts")).hls,
    file: async () => (await import("../ingress/file/mod.ts")).file,
    fmp4: async () => (await import("../ingress/fmp4/mod.ts")).fmp4,
  },
  transform: {
    watermark: async () => (await import("../transform/watermark/mod.ts")).watermark,
    transcode: async () => (await import("../transform/transcode/mod.ts")).transcode,
    thumbnail: async () => (await import("../transform/thumbnail/mod.ts")).thumbnail,
    "audio-only": async () => (await import("../transform/audio_only/mod.ts")).audioOnly,
  },
  egress: {
    record: async () => (await import("../egress/record/mod.ts")).record,
    rtmp: async () => (await import("../egress/rtmp/mod.ts")).rtmp,
    s3: async () => (await import("../egress/s3/mod.ts")).s3,
    hls: async () => (await import("../egress/hls/mod.ts")).hls,
    webrtc: async () => (await import("../egress/webrtc/mod.ts")).webrtc,
  },
};

export const BUILT_IN: readonly PluginEntry[] = PLUGIN_KINDS.flatMap((kind) =>
  Object.entries(LOADERS[kind]).map(([name, load]) => ({ kind, name, load }))
);
