/** Media made by ffmpeg while the tests run, and ffprobe's account of it. For tests only. */

export interface Recipe {
  readonly name: string;
  /** Encoder arguments, such as `-c:v libx264 -c:a aac`. */
  readonly codecs: string;
  readonly movflags: string;
  /** In seconds; 2 when absent. */
  readonly lengthSeconds?: number;
}

export const LIVE = "cmaf+separate_moof+delay_moov+skip_trailer+frag_every_frame";
const X264 = "-c:v libx264 -preset ultrafast -g 30";
const B_FRAMES = "-c:v libx264 -preset veryfast -bf 3 -g 30";
const GOPS = "frag_keyframe+empty_moov+default_base_moof";

/** One recipe for each codec, and for each way ffmpeg has of writing fragments. */
export const RECIPES: readonly Recipe[] = [
  { name: "H.264 and AAC, frame by frame", codecs: `${X264} -c:a aac`, movflags: LIVE },
  { name: "H.264 with B-frames and Opus", codecs: `${B_FRAMES} -c:a libopus`, movflags: LIVE },
  { name: "H.264 and Opus by GOP", codecs: `${B_FRAMES} -c:a libopus`, movflags: GOPS },
  {
    name: "H.264 and AAC with an edit list and absolute offsets",
    codecs: `${B_FRAMES} -c:a aac`,
    movflags: "frag_keyframe+delay_moov",
  },
  {
    name: "H.265 and stereo AAC",
    codecs: "-c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=30 -c:a aac -ac 2",
    movflags: LIVE,
  },
  {
    name: "VP9 and Opus",
    codecs: "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 30 -c:a libopus",
    movflags: LIVE,
  },
  {
    name: "AV1 alone",
    codecs: "-an -c:v libsvtav1 -preset 12 -g 30 -svtav1-params scd=0",
    movflags: LIVE,
    lengthSeconds: 1,
  },
  { name: "Opus alone", codecs: "-vn -c:a libopus", movflags: LIVE },
];

/** Runs ffmpeg on its test picture and a 440 Hz tone. */
export async function encode(recipe: Recipe): Promise<Uint8Array<ArrayBuffer>> {
  const args = [
    ...["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30"],
    ...["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"],
    ...["-t", String(recipe.lengthSeconds ?? 2), ...recipe.codecs.split(" ")],
    ...["-pix_fmt", "yuv420p", "-f", "mp4", "-movflags", recipe.movflags, "pipe:1"],
  ];
  const { success, stdout, stderr } = await new Deno.Command("ffmpeg", { args }).output();
  if (!success) throw new Error(`ffmpeg failed: ${new TextDecoder().decode(stderr)}`);
  return stdout;
}

export interface Probed {
  readonly streamIndex: number;
  readonly timestampUs: number;
  readonly sizeBytes: number;
  readonly keyframe: boolean;
}

/** Every packet as ffprobe reads it, in the order of the file. */
export async function probe(file: Uint8Array): Promise<Probed[]> {
  const path = await Deno.makeTempFile({ suffix: ".mp4" });
  try {
    await Deno.writeFile(path, file);
    const show = ["-show_entries", "packet=stream_index,pts_time,size,flags", "-of", "json"];
    const { stdout } = await new Deno.Command("ffprobe", { args: ["-v", "error", ...show, path] })
      .output();
    const { packets } = JSON.parse(new TextDecoder().decode(stdout));
    return packets.map((packet: Record<string, string>) => ({
      streamIndex: Number(packet.stream_index),
      timestampUs: Math.round(Number(packet.pts_time) * 1e6),
      sizeBytes: Number(packet.size),
      keyframe: packet.flags?.startsWith("K") ?? false,
    }));
  } finally {
    await Deno.remove(path);
  }
}
