/**
 * Output options of ffmpeg that more than one plugin needs.
 *
 * @module
 */

/** Fragmented MP4 with a fragment per frame: no frame waits for the next. */
export const LIVE_MOVFLAGS = "cmaf+separate_moof+delay_moov+skip_trailer+frag_every_frame";

/** Writes live fragmented MP4 to standard output, without holding anything back. */
export const LIVE_FMP4: readonly string[] = [
  ...["-f", "mp4", "-movflags", LIVE_MOVFLAGS, "-flush_packets", "1", "pipe:1"],
];

/** What happens to a stream on its way through. */
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

export interface VideoCodecOptions {
  /** Longest time between keyframes, in seconds; "source" puts them where the input has them. Default 2. */
  readonly keyframes?: number | "source";
  /** As ffmpeg writes it: "2500k". */
  readonly bitrate?: string;
  /** Which of several video streams of the output is meant. Default: all. */
  readonly stream?: number;
  /** Of x264 and x265, in place of the one above. */
  readonly preset?: string;
  /** Frames per second, for encoders that count keyframes in frames. */
  readonly framerate?: number;
}

/** Options that give the video of the output this codec. */
export function videoCodec(choice: CodecChoice, options: VideoCodecOptions = {}): string[] {
  const { keyframes = 2, bitrate, stream, preset, framerate = 30 } = options;
  const of = stream === undefined ? ":v" : `:v:${stream}`;
  if (choice === "copy") return [`-c${of}`, "copy"];
  const [encoder, ...own] = ENCODERS[choice];
  const settings = own.map((word, i) => i % 2 === 0 ? `${word.replace(/:v$/, "")}${of}` : word);
  if (preset !== undefined && /^h26/.test(choice)) {
    settings[settings.indexOf(`-preset${of}`) + 1] = preset;
  }
  const when = keyframes === "source" ? "source" : `expr:gte(t,n_forced*${keyframes})`;
  return [
    ...[`-c${of}`, encoder!, ...settings, `-force_key_frames${of}`, when],
    ...(choice === "h265" ? [`-forced-idr${of}`, "1"] : []),
    // SVT-AV1 does not take the times of keyframes.
    ...(choice === "av1" ? [`-g${of}`, String(Math.round(2 * framerate))] : []),
    ...(keyframes === "source" && choice !== "av1" ? [`-g${of}`, "9999"] : []),
    ...(keyframes === "source" && choice === "h264" ? [`-sc_threshold${of}`, "0"] : []),
    ...(bitrate === undefined ? [] : [`-b${of}`, bitrate]),
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
