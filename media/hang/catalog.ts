/**
 * The format of hang (draft-lcurley-moq-hang): what its tracks are called and how they are sent.
 *
 * @module
 */

/** The track a hang player reads first (draft-lcurley-moq-hang, "Catalog"). */
export const CATALOG_TRACK = "catalog.json";
/** The same in MSF, the streaming format of the IETF (draft-ietf-moq-msf-01): written beside hang's, for its players. */
export const MSF_CATALOG_TRACK = "catalog";

/**
 * Every frame is a QUIC varint of its presentation time in microseconds, then the codec's bytes.
 * All players of the format read this container; the others it names (cmaf, loc) are optional.
 */
export const CONTAINER = { kind: "legacy" } as const;

/** Subscriber priorities the format's own tools use; higher goes first. */
export const PRIORITY = { catalog: 100, audio: 80, video: 60 } as const;

/** Frame times are microseconds. */
const TIMESCALE = 1_000_000;
/** Media of an older group may still be shown for this long. */
const MEDIA_MAX_AGE_MS = 30_000;

/** Whether a track holds a catalog: hang's or MSF's. */
export function isCatalog(track: string): boolean {
  return track === CATALOG_TRACK || track === MSF_CATALOG_TRACK;
}

/** How a track is published, by its name. */
export function trackInfoOf(track: string) {
  if (isCatalog(track)) return { priority: PRIORITY.catalog, timescale: TIMESCALE };
  const priority = track.startsWith("audio") ? PRIORITY.audio : PRIORITY.video;
  return { priority, timescale: TIMESCALE, maxAgeMs: MEDIA_MAX_AGE_MS };
}

/** A video rendition in the catalog. */
export interface CatalogVideo {
  readonly codec: string;
  readonly container: typeof CONTAINER;
  /** Hexadecimal. */
  readonly description?: string | undefined;
  readonly codedWidth?: number | undefined;
  readonly codedHeight?: number | undefined;
  readonly framerate?: number | undefined;
  /** In bit/s. */
  readonly bitrate?: number | undefined;
  /** How long a frame may be held back behind one that follows it, in milliseconds. */
  readonly jitter?: number | undefined;
}

/** An audio rendition in the catalog. */
export interface CatalogAudio
  extends Pick<CatalogVideo, "codec" | "container" | "description" | "bitrate" | "jitter"> {
  readonly sampleRate: number;
  readonly numberOfChannels: number;
}
