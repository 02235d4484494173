/**
 * Writes a hang broadcast (docs/media.md): the catalog, and media frames in the "legacy" container.
 *
 * @module
 */
import type { BroadcastProducer, GroupProducer, TrackProducer } from "../../client/publish.ts";
import { putVarint, varintSize } from "../../wire/varint.ts";

/** What the catalog says of a video track. */
export interface VideoRendition {
  readonly codec: string;
  /** Hexadecimal. */
  readonly description?: string;
  readonly codedWidth: number;
  readonly codedHeight: number;
  readonly framerate: number;
  readonly bitrate: number;
}

/** What the catalog says of an audio track. */
export interface AudioRendition {
  readonly codec: string;
  readonly sampleRate: number;
  readonly numberOfChannels: number;
  readonly bitrate: number;
}

/** Whose frames may be dropped last: what players ask with. */
const PRIORITY = { catalog: 100, audio: 80, video: 60 } as const;
/** Frame times are microseconds. */
const TIMESCALE = 1_000_000;
/** Media of an older group may still be shown for this long. */
const MEDIA_MAX_AGE_MS = 30_000;

export interface HangWriterOptions {
  /**
   * How many qualities of the picture there are: "video0" is the best. The catalog is written once they and the sound are
   * known: a change makes players start over.
   */
  readonly video: number;
  readonly audio: boolean;
}

/** One quality of the picture. */
interface VideoTrack {
  readonly name: string;
  readonly track: TrackProducer;
  rendition?: VideoRendition;
  group?: GroupProducer;
}

/** The tracks of one broadcast. Whoever made the broadcast closes it. */
export class HangWriter {
  readonly #options: HangWriterOptions;
  readonly #catalog: TrackProducer;
  /** By index; what was dropped is absent. */
  readonly #videos = new Map<number, VideoTrack>();
  readonly #audio: TrackProducer;
  #audioRendition: AudioRendition | undefined;
  #written = "";

  constructor(broadcast: BroadcastProducer, options: HangWriterOptions) {
    this.#options = options;
    const media = { timescale: TIMESCALE, maxAgeMs: MEDIA_MAX_AGE_MS };
    this.#catalog = broadcast.track("catalog.json", {
      priority: PRIORITY.catalog,
      timescale: TIMESCALE,
    });
    // Without a picture there is an empty track still: who asks for it is not refused.
    for (let i = 0; i < Math.max(1, options.video); i++) {
      const name = `video${i}`;
      const track = broadcast.track(name, { ...media, priority: PRIORITY.video });
      this.#videos.set(i, { name, track });
    }
    this.#audio = broadcast.track("audio0", { ...media, priority: PRIORITY.audio });
  }

  /** Whether anybody reads, the relay for all of its viewers. */
  get read(): boolean {
    const tracks = [this.#catalog, this.#audio, ...[...this.#videos.values()].map((v) => v.track)];
    return tracks.some((track) => track.subscribers > 0);
  }

  /**
   * @param index Of the quality; frames of one that was dropped go nowhere.
   * @param timestampUs Presentation time in microseconds, not negative.
   */
  video(index: number, data: Uint8Array, timestampUs: number, keyframe: boolean): void {
    const video = this.#videos.get(index);
    if (video === undefined) return;
    if (keyframe) {
      video.group?.close();
      video.group = video.track.group();
    }
    // Nothing can be decoded before the first keyframe.
    video.group?.write(legacyFrame(timestampUs, data), timestampUs);
  }

  /** Ends a quality; the others go on. The catalog is written without it first, so players change before it ends. */
  dropVideo(index: number, timestampUs: number): void {
    const video = this.#videos.get(index);
    if (video === undefined) return;
    this.#videos.delete(index);
    this.#describe(timestampUs);
    video.group?.close();
    video.track.close();
  }

  /** Each frame is a group of its own, so that one that is lost costs no other. */
  audio(data: Uint8Array, timestampUs: number): void {
    writeAlone(this.#audio, legacyFrame(timestampUs, data), timestampUs);
  }

  describeVideo(index: number, rendition: VideoRendition, timestampUs: number): void {
    const video = this.#videos.get(index);
    if (video === undefined) return;
    video.rendition = rendition;
    this.#describe(timestampUs);
  }

  describeAudio(rendition: AudioRendition, timestampUs: number): void {
    this.#audioRendition = rendition;
    this.#describe(timestampUs);
  }

  #describe(timestampUs: number): void {
    const { video, audio } = this.#options;
    const videos = video > 0 ? [...this.#videos.values()] : [];
    if (videos.some(({ rendition }) => rendition === undefined)) return;
    if (audio && this.#audioRendition === undefined) return;
    const container = { kind: "legacy" };
    const renditions = Object.fromEntries(
      videos.map(({ name, rendition }) => [name, { ...rendition, container }]),
    );
    const catalog = JSON.stringify({
      ...(videos.length > 0 && { video: { renditions } }),
      ...(this.#audioRendition && {
        audio: { renditions: { audio0: { ...this.#audioRendition, container } } },
      }),
    });
    if (catalog === this.#written) return;
    this.#written = catalog;
    writeAlone(this.#catalog, catalog, timestampUs);
  }
}

/**
 * A group of one frame. Ended by hand: the minifier of `deno bundle` turns `using group = …` with one use into none, and
 * then nobody disposes of it.
 */
function writeAlone(track: TrackProducer, payload: Uint8Array | string, timestampUs: number): void {
  const group = track.group();
  group.write(payload, timestampUs);
  group.close();
}

/** The presentation time as a varint, then the codec's bytes. */
export function legacyFrame(timestampUs: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(varintSize(timestampUs) + data.length);
  frame.set(data, putVarint(frame, 0, timestampUs));
  return frame;
}

/** Bytes as the catalog has them. */
export function hexOf(bytes: AllowSharedBufferSource): string {
  const view = ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
  return Array.from(view, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
