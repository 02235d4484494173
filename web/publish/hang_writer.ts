/**
 * Writes a hang broadcast (docs/media.md): the catalog, and media frames in the "legacy" container.
 *
 * @module
 */
import type { BroadcastProducer, GroupProducer, TrackProducer } from "../../client/publish.ts";
import { CATALOG_TRACK, trackInfoOf } from "../../media/hang/catalog.ts";
import { encodeLegacyFrame } from "../../media/hang/legacy_frame.ts";
import { catalogText } from "../../media/hang/write_catalog.ts";
import { MsfBroadcast } from "../../media/msf/msf_broadcast.ts";
import type { AudioRendition, Rendition, VideoRendition } from "../../media/rendition.ts";

/** What is known of a quality once its encoder has begun. */
export type DescribedVideo = Omit<VideoRendition, "kind" | "name" | "container">;
/** The same of the sound. */
export type DescribedAudio = Omit<AudioRendition, "kind" | "name" | "container">;

const AUDIO_TRACK = "audio0";

export interface HangWriterOptions {
  /**
   * How many qualities of the picture there are: "video0" is the best. The catalog is written once they and the sound are
   * known: a change makes players start over.
   */
  readonly video: number;
  readonly audio: boolean;
}

/** One quality of the picture. */
interface QualityTrack {
  readonly name: string;
  readonly track: TrackProducer;
  described?: DescribedVideo;
  group?: GroupProducer;
}

/** The tracks of one broadcast. Whoever made the broadcast closes it. */
export class HangWriter {
  readonly #options: HangWriterOptions;
  readonly #catalog: TrackProducer;
  readonly #msf: MsfBroadcast;
  /** By index; what was dropped is absent. */
  readonly #videos = new Map<number, QualityTrack>();
  readonly #audio: TrackProducer;
  #described: DescribedAudio | undefined;
  #written = "";

  constructor(broadcast: BroadcastProducer, options: HangWriterOptions) {
    this.#options = options;
    const begin = (name: string) => broadcast.track(name, trackInfoOf(name));
    this.#catalog = begin(CATALOG_TRACK);
    this.#msf = new MsfBroadcast(broadcast);
    // Without a picture there is an empty track still: who asks for it is not refused.
    for (let i = 0; i < Math.max(1, options.video); i++) {
      const name = `video${i}`;
      this.#videos.set(i, { name, track: begin(name) });
    }
    this.#audio = begin(AUDIO_TRACK);
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
    video.group?.write(encodeLegacyFrame(timestampUs, data), timestampUs);
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
    writeAlone(this.#audio, encodeLegacyFrame(timestampUs, data), timestampUs);
  }

  describeVideo(index: number, described: DescribedVideo, timestampUs: number): void {
    const video = this.#videos.get(index);
    if (video === undefined) return;
    video.described = described;
    this.#describe(timestampUs);
  }

  describeAudio(described: DescribedAudio, timestampUs: number): void {
    this.#described = described;
    this.#describe(timestampUs);
  }

  #describe(timestampUs: number): void {
    const { video, audio } = this.#options;
    const videos = video > 0 ? [...this.#videos.values()] : [];
    if (videos.some(({ described }) => described === undefined)) return;
    if (audio && this.#described === undefined) return;
    const container = "legacy";
    const renditions: Rendition[] = [
      ...videos.map(({ name, described }) => (
        { ...described!, kind: "video" as const, name, container } as const
      )),
      ...(this.#described === undefined
        ? []
        : [{ ...this.#described, kind: "audio" as const, name: AUDIO_TRACK, container } as const]),
    ];
    const catalog = catalogText(renditions);
    if (catalog === this.#written) return;
    this.#written = catalog;
    writeAlone(this.#catalog, catalog, timestampUs);
    const tracks = new Map([...this.#videos.values()].map(({ name, track }) => [name, track]));
    this.#msf.describe(renditions, ({ name }) => tracks.get(name) ?? this.#audio, { timestampUs });
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
