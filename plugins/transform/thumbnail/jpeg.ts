import { pipeInput } from "../../ffmpeg/input.ts";
import { MediaProcess } from "../../ffmpeg/media_process.ts";
import { concat } from "../../../base/bytes.ts";
import { FragmentMuxer } from "../../../media/mp4/fragment_muxer.ts";
import type { MediaFrame, VideoRendition } from "../../../media/rendition.ts";

export interface JpegOptions {
  /** In pixels, at most that of the video; the height follows. */
  readonly width: number;
  /** 2 is the best, 31 the smallest. */
  readonly quality: number;
  readonly signal: AbortSignal;
}

/**
 * A keyframe as a JPEG. Each has a process of its own: a damaged one harms no other, and none waits for the next.
 * @throws {FfmpegFailed} It cannot be decoded. @throws {FfmpegMissing} @throws {MediaError}
 */
export async function jpegOf(
  source: VideoRendition,
  keyframe: MediaFrame,
  { width, quality, signal }: JpegOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const muxer = new FragmentMuxer([source]);
  muxer.learn(source.name, keyframe);
  const file = concat([
    muxer.init(),
    muxer.fragment(source.name, [{ keyframe: true, payload: keyframe.payload, timestampUs: 0 }]),
  ]);
  await using ffmpeg = MediaProcess.start({
    args: [
      ...["-threads", "1", "-analyzeduration", "0", ...pipeInput("mp4")],
      ...["-vf", `scale='min(${width},iw)':-2:out_range=full,format=yuvj420p`, "-frames:v", "1"],
      ...["-c:v", "mjpeg", "-q:v", String(quality), "-f", "image2pipe", "pipe:1"],
    ],
    input: true,
    signal,
  });
  const made = new Response(ffmpeg.stdout).bytes();
  made.catch(() => {}); // awaited below, if nothing else has failed
  await ffmpeg.write(file);
  await ffmpeg.endInput();
  await ffmpeg.done();
  const jpeg = await made;
  if (jpeg.length === 0) throw ffmpeg.failure(0);
  return jpeg;
}
