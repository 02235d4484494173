/**
 * Writes a hang broadcast (docs/media.md): the catalog, and media frames in the "legacy" container.
 *
 * @module
 */
import type { BroadcastProducer, GroupProducer, TrackProducer } from "../client/publish.ts";
import { putVarint, varintSize } from "../wire/varint.ts";

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
  /** The catalog is written once all of these are known: a change makes players start over. */
  readonly video: boolean;
  readonly audio: boolean;
}

/** The tracks of one broadcast. Whoever made the broadcast closes it. */
export class HangWriter {
  readonly #options: HangWriterOptions;
  readonly #catalog: TrackProducer;
  readonly #video: TrackProducer;
  readonly #audio: TrackProducer;
  #videoRendition: VideoRendition | undefined;
  #audioRendition: AudioRendition | undefined;
  #group: GroupProducer | undefined;
  #written = "";

  constructor(broadcast: BroadcastProducer, options: HangWriterOptions) {
    this.#options = options;
    const media = { timescale: TIMESCALE, maxAgeMs: MEDIA_MAX_AGE_MS };
    this.#catalog = broadcast.track("catalog.json", {
      priority: PRIORITY.catalog,
      timescale: TIMESCALE,
    });
    this.#video = broadcast.track("video0", { ...media, priority: PRIORITY.video });
    this.#audio = broadcast.track("audio0", { ...media, priority: PRIORITY.audio });
  }

  /** Whether anybody reads, the relay for all of its viewers. */
  get read(): boolean {
    return this.#video.subscribers + this.#audio.subscribers + this.#catalog.subscribers > 0;
  }

  /** @param timestampUs Presentation time in microseconds, not negative. */
  video(data: Uint8Array, timestampUs: number, keyframe: boolean): void {
    if (keyframe) {
      this.#group?.close();
      this.#group = this.#video.group();
    }
    // Nothing can be decoded before the first keyframe.
    this.#group?.write(legacyFrame(timestampUs, data), timestampUs);
  }

  /** Each frame is a group of its own, so that one that is lost costs no other. */
  audio(data: Uint8Array, timestampUs: number): void {
    writeAlone(this.#audio, legacyFrame(timestampUs, data), timestampUs);
  }

  describeVideo(rendition: VideoRendition, timestampUs: number): void {
    this.#videoRendition = rendition;
    this.#describe(timestampUs);
  }

  describeAudio(rendition: AudioRendition, timestampUs: number): void {
    this.#audioRendition = rendition;
    this.#describe(timestampUs);
  }

  #describe(timestampUs: number): void {
    const { video, audio } = this.#options;
    if (video && this.#videoRendition === undefined) return;
    if (audio && this.#audioRendition === undefined) return;
    const container = { kind: "legacy" };
    const catalog = JSON.stringify({
      ...(this.#videoRendition && {
        video: { renditions: { video0: { ...this.#videoRendition, container } } },
      }),
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
