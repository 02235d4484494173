/**
 * What a broadcast consists of, and its frames: the nouns that catalogs, MP4 and segments share.
 *
 * @module
 */

interface CommonRendition {
  /** The track it is read from. */
  readonly name: string;
  /** WebCodecs codec string. */
  readonly codec: string;
  /**
   * What a WebCodecs decoder takes as `description`: avcC, hvcC, AudioSpecificConfig. Without it H.264 and H.265 are in
   * Annex B, and AAC is in ADTS.
   */
  readonly description?: Uint8Array;
  /** What a frame of the track is: a time and the codec's bytes, or a fragment of MP4. */
  readonly container: "legacy" | "cmaf";
  /** Header of the MP4 that the fragments of "cmaf" belong to. */
  readonly init?: Uint8Array;
  /** In bit/s. */
  readonly bitrate?: number;
  /** How long a frame may be held back behind one that follows it, in milliseconds. */
  readonly jitterMs?: number;
}

export interface VideoRendition extends CommonRendition {
  readonly kind: "video";
  /** Coded size in pixels. */
  readonly width?: number;
  readonly height?: number;
  readonly framerate?: number;
}

export interface AudioRendition extends CommonRendition {
  readonly kind: "audio";
  readonly sampleRateHz: number;
  readonly channels: number;
}

export type Rendition = VideoRendition | AudioRendition;

/** One frame of a rendition. */
export interface MediaFrame {
  /** Its group, and its place in it. */
  readonly group: number;
  readonly index: number;
  /** Presentation time in microseconds, on the axis all renditions of the broadcast share. */
  readonly timestampUs: number;
  /** Whether a decoder can start here. */
  readonly keyframe: boolean;
  /** The codec's bytes, as the rendition's `description` says; the receiver's own. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** Where the container tells it, in microseconds. */
  readonly decodeTimeUs?: number;
  readonly durationUs?: number;
}
