/**
 * Output options of ffmpeg that more than one plugin needs.
 *
 * @module
 */

/** Fragmented MP4 with a fragment per frame: nothing waits for the frame that follows. */
export const LIVE_MOVFLAGS = "cmaf+separate_moof+delay_moov+skip_trailer+frag_every_frame";

/** Writes live fragmented MP4 to standard output, without holding anything back. */
export const LIVE_FMP4: readonly string[] = [
  ...["-f", "mp4", "-movflags", LIVE_MOVFLAGS, "-flush_packets", "1", "pipe:1"],
];

/** How a stream is treated on its way through. */
export type CodecChoice = "copy" | "h264" | "h265" | "vp9" | "av1" | "aac" | "opus";

const ENCODERS: Readonly<Record<Exclude<CodecChoice, "copy">, readonly string[]>> = {
  h264: [
    ...["libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"],
    ...["-profile:v", "high"],
  ],
  h265: [
    ...["libx265", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"],
    ...["-tag:v", "hvc1", "-x265-params", "log-level=error:repeat-headers=0"],
  ],
  vp9: [
    "libvpx-vp9",
    "-deadline",
    "realtime",
    "-cpu-used",
    "8",
    "-row-mt",
    "1",
    "-lag-in-frames",
    "0",
  ],
  av1: [
    "libsvtav1",
    "-preset",
    "12",
    "-pix_fmt",
    "yuv420p",
    "-svtav1-params",
    "scd=0",
  ],
  aac: ["aac", "-b:a", "128k"],
  opus: ["libopus", "-b:a", "96k", "-application", "lowdelay"],
};

/** Options that give the video of the output this codec, with a keyframe at least every `keyframeSeconds`. */
export function videoCodec(
  choice: CodecChoice,
  options: { readonly keyframeSeconds?: number; readonly bitrate?: string } = {},
): string[] {
  if (choice === "copy") return ["-c:v", "copy"];
  const seconds = options.keyframeSeconds ?? 2;
  return [
    ...["-c:v", ...ENCODERS[choice], "-force_key_frames", `expr:gte(t,n_forced*${seconds})`],
    ...(options.bitrate === undefined ? [] : ["-b:v", options.bitrate]),
  ];
}

/** The same for its audio. */
export function audioCodec(
  choice: CodecChoice,
  options: { readonly bitrate?: string } = {},
): string[] {
  if (choice === "copy") return ["-c:a", "copy"];
  return [
    ...["-c:a", ...ENCODERS[choice]],
    ...(options.bitrate === undefined ? [] : ["-b:a", options.bitrate]),
  ];
}
