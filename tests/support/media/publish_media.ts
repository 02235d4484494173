/** ffmpeg's test picture and tone as a broadcast of a relay in memory. */
import { MediaPublisher } from "../../../media/broadcast/media_publisher.ts";
import type { Client } from "../../../client/mod.ts";
import { testMedia } from "./test_media.ts";

/** H.264 with a keyframe per second, and AAC, which every player supports. */
export const H264_AAC =
  "-c:v libx264 -preset ultrafast -tune zerolatency -g 30 -c:a aac -b:a 64k -ac 2";

/** Publishes live until its media ends, or it goes out of scope. */
export function publishMedia(
  client: Client,
  path: string,
  options: { readonly seconds?: number; readonly codecs?: string; readonly size?: string } = {},
): AsyncDisposable & { readonly ended: Promise<void> } {
  const media = testMedia({ size: "320x180", codecs: H264_AAC, ...options });
  const publisher = new MediaPublisher({ client, path });
  const stop = new AbortController();
  const ended = publisher.stream(media.stdout, { signal: stop.signal })
    .then(() => {}).finally(() => publisher.withdraw());
  ended.catch(() => {}); // looked at by the test
  return {
    ended,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended.catch(() => {});
      await media[Symbol.asyncDispose]();
    },
  };
}

/** What ffprobe counts in a file or stream: frames by codec, and its length. */
export async function probe(
  input: string,
  options: readonly string[] = [],
): Promise<{ readonly frames: Readonly<Record<string, number>>; readonly seconds: number }> {
  const { code, stdout, stderr } = await new Deno.Command("ffprobe", {
    args: [
      ...["-v", "error", ...options, "-count_frames", "-of", "json"],
      ...["-show_entries", "stream=codec_name,nb_read_frames:format=duration", input],
    ],
  }).output();
  const complaints = new TextDecoder().decode(stderr).trim();
  if (code !== 0 || complaints !== "") throw new Error(`ffprobe ${input}: ${complaints}`);
  const { streams, format } = JSON.parse(new TextDecoder().decode(stdout));
  const counted = streams.map((s: { codec_name: string; nb_read_frames: string }) =>
    [s.codec_name, Number(s.nb_read_frames)] as const
  );
  return { frames: Object.fromEntries(counted), seconds: Number(format.duration) };
}
