/**
 * Transcodes audio to Opus by ffmpeg: browsers take no AAC by WebRTC.
 *
 * @module
 */
import { pipeInput } from "../../ffmpeg/input.ts";
import { MediaProcess } from "../../ffmpeg/media_process.ts";
import { LIVE_FMP4 } from "../../ffmpeg/output.ts";
import { Splitter } from "../../../media/mp4/splitter.ts";
import { FragmentMuxer } from "../../../media/mp4/fragment_muxer.ts";
import type { MediaFrame, Rendition } from "../../../media/rendition.ts";

/** How much ffmpeg reads before it begins: as little as possible, since the header names the codec. */
const INPUT = [
  ...["-probesize", "32", "-analyzeduration", "0", "-fflags", "nobuffer"],
  ...pipeInput("mp4"),
];
/** Fills gaps with silence, so that audio stays in sync with video. */
const OUTPUT = [
  ...["-af", "aresample=async=1000", "-ac", "2", "-ar", "48000"],
  ...["-c:a", "libopus", "-b:a", "96k", "-application", "lowdelay", "-frame_duration", "20"],
];

/**
 * The audio in Opus: stereo, 48 kHz, frames of 20 ms. Ends with its input, or the signal.
 * @throws {FfmpegMissing} @throws {FfmpegFailed} @throws {MediaError}
 */
export async function* opusOf(
  rendition: Rendition,
  frames: AsyncIterable<MediaFrame>,
  signal: AbortSignal,
): AsyncGenerator<MediaFrame> {
  if (signal.aborted) return;
  const over = new AbortController();
  const ended = AbortSignal.any([signal, over.signal]);
  const process = MediaProcess.start({
    args: [...INPUT, ...OUTPUT, ...LIVE_FMP4],
    input: true,
    signal: ended,
  });
  let startUs: number | undefined;
  const muxer = new FragmentMuxer([rendition]);
  const feeding = (async () => {
    for await (const frame of frames) {
      if (startUs === undefined) {
        startUs = frame.timestampUs;
        await process.write(muxer.init());
      }
      const timestampUs = frame.timestampUs - startUs;
      if (timestampUs < 0) continue;
      const { decodeTimeUs: _, ...rest } = frame;
      await process.write(muxer.fragment(rendition.name, [{ ...rest, timestampUs }]));
    }
    await process.endInput();
  })();
  feeding.catch(() => over.abort());
  const splitter = new Splitter();
  let group = 0;
  try {
    for await (const bytes of process.stdout) {
      for (const event of splitter.push(bytes)) {
        if (event.type !== "sample" || event.data.length === 0) continue;
        yield {
          group: group++,
          index: 0,
          timestampUs: Math.max(0, (startUs ?? 0) + event.timestampUs),
          keyframe: true,
          payload: event.data.slice(),
        };
      }
    }
    if (!signal.aborted) {
      await feeding;
      await process.done();
    }
  } finally {
    over.abort();
    await process.close();
  }
}

/** Whether ffmpeg is installed and can encode Opus. */
export async function canMakeOpus(signal: AbortSignal): Promise<boolean> {
  try {
    await using process = MediaProcess.start({ args: ["-encoders"], signal });
    const text = await new Response(process.stdout).text();
    await process.done();
    return /\blibopus\b/.test(text);
  } catch {
    return false;
  }
}
