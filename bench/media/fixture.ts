import { encode, LIVE } from "../../tests/support/fixtures/ffmpeg_fixtures.ts";

/** The input of the media benchmarks. */
export const INPUT = "1280×720, 30/s, H.264 and Opus";

/** A live fragmented MP4 of {@link INPUT}. */
export function fixture(lengthSeconds: number): Promise<Uint8Array<ArrayBuffer>> {
  const video = "-s 1280x720 -c:v libx264 -preset veryfast -tune zerolatency -g 60";
  return encode({ name: "", codecs: `${video} -c:a libopus`, movflags: LIVE, lengthSeconds });
}

/** A file as a stream, in the pieces a pipe gives. */
export function piped(file: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= file.length) controller.close();
      else controller.enqueue(file.slice(at, at += 65_536));
    },
  });
}
