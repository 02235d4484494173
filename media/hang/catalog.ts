import { hex } from "../mp4/read_sample_entry.ts";
import type { MediaTrack } from "../mp4/media_track.ts";

/** The track a hang player reads first (draft-lcurley-moq-hang, "Catalog"). */
export const CATALOG_TRACK = "catalog.json";

/**
 * Every frame is a QUIC varint of its presentation time in microseconds, then the codec's bytes.
 * All players of the format read this container; the others it names (cmaf, loc) are optional.
 */
export const CONTAINER = { kind: "legacy" } as const;

/** Subscriber priorities the format's own tools use; higher goes first. */
export const PRIORITY = { catalog: 100, audio: 80, video: 60 } as const;

export interface VideoRendition {
  readonly codec: string;
  readonly container: typeof CONTAINER;
  /** Hexadecimal. */
  readonly description?: string;
  readonly codedWidth?: number;
  readonly codedHeight?: number;
  readonly framerate?: number;
  /** In bit/s. */
  readonly bitrate?: number;
  /** How long a frame may be held back behind one that follows it, in milliseconds. */
  readonly jitter?: number;
}

export interface AudioRendition {
  readonly codec: string;
  readonly container: typeof CONTAINER;
  readonly description?: string;
  readonly sampleRate: number;
  readonly numberOfChannels: number;
  readonly bitrate?: number;
  readonly jitter?: number;
}

/** The root of `catalog.json`, as the schema of `@moq/hang` 0.3 reads it; keyed by track name. */
export interface HangCatalog {
  readonly video?: { readonly renditions: Readonly<Record<string, VideoRendition>> };
  readonly audio?: { readonly renditions: Readonly<Record<string, AudioRendition>> };
}

/** A track under the name it is published by, with what was measured of its timing. */
export interface PublishedTrack {
  readonly name: string;
  readonly track: MediaTrack;
  readonly frameUs: number;
  readonly jitterUs: number;
}

/** The catalog of these tracks; a kind without a track is left out. */
export function buildCatalog(published: readonly PublishedTrack[]): HangCatalog {
  const video: Record<string, VideoRendition> = {};
  const audio: Record<string, AudioRendition> = {};
  for (const { name, track, frameUs, jitterUs } of published) {
    const common = {
      codec: track.codec,
      container: CONTAINER,
      ...(track.description && { description: hex(track.description) }),
    };
    const jitter = jitterUs > 0 ? { jitter: Math.ceil(jitterUs / 1000) } : {};
    if (track.kind === "video") {
      video[name] = {
        ...common,
        ...(track.width !== undefined && { codedWidth: track.width }),
        ...(track.height !== undefined && { codedHeight: track.height }),
        ...(frameUs > 0 && { framerate: Math.round(1e9 / frameUs) / 1000 }),
        ...jitter,
      };
    } else {
      audio[name] = {
        ...common,
        sampleRate: track.sampleRateHz,
        numberOfChannels: track.channels,
        ...jitter,
      };
    }
  }
  return {
    ...(Object.keys(video).length > 0 && { video: { renditions: video } }),
    ...(Object.keys(audio).length > 0 && { audio: { renditions: audio } }),
  };
}
