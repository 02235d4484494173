/// <reference lib="dom" />
/** Runs in a page: pictures of its own encoder through the whole media library, and back into its player. For tests only. */
import { LiveMedia } from "../../../media/broadcast/live_media.ts";
import { MediaPublisher } from "../../../media/broadcast/media_publisher.ts";
import { readInto } from "../../../media/broadcast/read_into.ts";
import { FrameOpener } from "../../../media/hang/frame_opener.ts";
import { HangBroadcast } from "../../../media/hang/hang_broadcast.ts";
import { encodeLegacyFrame } from "../../../media/hang/legacy_frame.ts";
import { CatalogVersions } from "../../../media/hang/read_catalog.ts";
import { catalogText } from "../../../media/hang/write_catalog.ts";
import { Splitter } from "../../../media/mp4/splitter.ts";
import type { Rendition } from "../../../media/rendition.ts";
import { Cuts, Segmenter } from "../../../media/segment/segmenter.ts";

const FRAMES = 30;
const FRAME_US = 40_000;
const CODEC = "vp09.00.10.08";
const WIDTH = 64;
const HEIGHT = 48;

/** All that works over a session: nothing of it may need Deno either. */
const overSession = [LiveMedia, MediaPublisher, readInto];

async function encoded(): Promise<EncodedVideoChunk[]> {
  const chunks: EncodedVideoChunk[] = [];
  const encoder = new VideoEncoder({ output: (chunk) => chunks.push(chunk), error() {} });
  encoder.configure({ codec: CODEC, width: WIDTH, height: HEIGHT });
  const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
  const context = canvas.getContext("2d")!;
  for (let i = 0; i < FRAMES; i++) {
    context.fillRect(i, i, 8, 8);
    const frame = new VideoFrame(canvas, { timestamp: i * FRAME_US });
    encoder.encode(frame, { keyFrame: i % 10 === 0 });
    frame.close();
  }
  await encoder.flush();
  encoder.close();
  return chunks;
}

/** Encodes, writes and reads a catalog and frames, cuts segments, splits them again and plays them. */
async function wholeWay() {
  const described: Rendition = {
    ...{ kind: "video", name: "video0", codec: CODEC, container: "legacy" },
    ...{ width: WIDTH, height: HEIGHT, framerate: 25 },
  };
  const text = catalogText([described]);
  const versions = new CatalogVersions();
  versions.take(new TextEncoder().encode(text), true);
  const [rendition] = versions.read().renditions;

  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let segments = 0;
  const cuts = new Cuts();
  const options = { targetMs: 400, partMs: 200, cuts, leads: true, maxBytes: 1 << 20 };
  const segmenter = new Segmenter(rendition!, options, {
    init: (bytes) => pieces.push(bytes),
    part: ({ bytes }) => pieces.push(bytes),
    endSegment: () => segments++,
  });
  const opener = new FrameOpener(rendition!);
  for (const chunk of await encoded()) {
    const data = new Uint8Array(chunk.byteLength);
    chunk.copyTo(data);
    const payload = encodeLegacyFrame(chunk.timestamp, data);
    for (const frame of opener.open(payload, 0, chunk.type === "key" ? 0 : 1)!) {
      segmenter.push(frame, performance.now());
    }
  }
  segmenter.end();

  const file = new Blob(pieces);
  const splitter = new Splitter();
  const events = [...splitter.push(new Uint8Array(await file.arrayBuffer()))];
  const broadcast = new HangBroadcast();
  const records = events.flatMap((event) => broadcast.take(event));
  return {
    modules: overSession.length,
    segments,
    samples: events.filter(({ type }) => type === "sample").length,
    groups: new Set(records.filter(({ track }) => track === "video0").map((r) => r.group)).size,
    playedS: await playedS(pieces),
  };
}

/** How many seconds this browser takes of it. */
async function playedS(pieces: readonly Uint8Array<ArrayBuffer>[]): Promise<number> {
  const source = new MediaSource();
  const video = document.createElement("video");
  video.src = URL.createObjectURL(source);
  await new Promise((resolve) => source.addEventListener("sourceopen", resolve, { once: true }));
  const buffer = source.addSourceBuffer(`video/mp4; codecs="${CODEC}"`);
  for (const piece of pieces) {
    buffer.appendBuffer(piece);
    await new Promise((resolve) => buffer.addEventListener("updateend", resolve, { once: true }));
  }
  return buffer.buffered.end(buffer.buffered.length - 1);
}

export type MediaPage = { wholeWay: typeof wholeWay };
Object.assign(globalThis, { mediaPage: { wholeWay } });
