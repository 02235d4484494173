import { duration, integer, oneOf } from "../../config/fields.ts";
import { videoCodec } from "../ffmpeg/output.ts";

const PRESETS = [
  ...["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower"],
] as const;

/** Options of a plugin that encodes video. */
export const ENCODING = {
  codec: oneOf(["h264", "h265", "vp9", "av1"], "h264", "What the picture is encoded as."),
  bitrate: integer({ min: 50, max: 200_000, byDefault: 2500 }, "Of the picture, in kbit/s."),
  preset: oneOf(PRESETS, "veryfast", "Of x264 and x265: slower ones make better use of the bits."),
  keyframe_every: duration(
    { min: "0s", max: "1m", byDefault: "0s" },
    "A key frame at least so often; `0s` puts them where the input has them. AV1 has one every two seconds.",
  ),
};

/** How a video rendition is encoded. */
export interface Encoding {
  readonly codec: "h264" | "h265" | "vp9" | "av1";
  /** In kbit/s. */
  readonly bitrate: number;
  readonly preset: string;
  /** In milliseconds; 0 puts keyframes where the input has them. */
  readonly keyframeEvery: number;
}

/** Options of ffmpeg for one stream of its output. */
export function encoderArgs(
  { codec, bitrate, preset, keyframeEvery }: Encoding,
  stream: number,
  framerate: number | undefined,
): string[] {
  return [
    ...videoCodec(codec, {
      stream,
      preset,
      keyframes: keyframeEvery === 0 ? "source" : keyframeEvery / 1000,
      bitrate: `${bitrate}k`,
      ...(framerate !== undefined && { framerate }),
    }),
    // SVT-AV1 has no limit beside the target. Without B-frames no frame waits for the next.
    ...(codec === "av1"
      ? []
      : [`-maxrate:v:${stream}`, `${bitrate}k`, `-bufsize:v:${stream}`, `${bitrate}k`]),
    ...(codec === "h264" || codec === "h265" ? [`-bf:v:${stream}`, "0"] : []),
  ];
}
