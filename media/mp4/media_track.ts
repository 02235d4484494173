/** What every track of the input says about itself, taken from its `moov`. */
interface CommonTrack {
  /** The `track_ID` of the file, unique in it. */
  readonly id: number;
  /** A WebCodecs codec string, such as `avc1.640028`, `opus` or `mp4a.40.2`. */
  readonly codec: string;
  /** What a WebCodecs decoder takes as `description` (avcC, hvcC, AudioSpecificConfig); absent where none is needed. */
  readonly description?: Uint8Array;
  /** Ticks per second of the track's own clock. */
  readonly timescale: number;
}

export interface VideoTrack extends CommonTrack {
  readonly kind: "video";
  /** Coded size in pixels; absent where it changes on the way. */
  readonly width?: number;
  readonly height?: number;
}

export interface AudioTrack extends CommonTrack {
  readonly kind: "audio";
  readonly sampleRateHz: number;
  readonly channels: number;
}

export type MediaTrack = VideoTrack | AudioTrack;

/** The tracks are known: always the first event of a stream, and the only one of its kind. */
export interface InitEvent {
  readonly type: "init";
  readonly tracks: readonly MediaTrack[];
  /** Tracks that are left out, each with the reason: subtitles, time codes, unknown codecs. */
  readonly ignored: readonly { readonly id: number; readonly reason: string }[];
}

/** One access unit, in the order of the file (decode order within a track). */
export interface SampleEvent {
  readonly type: "sample";
  readonly trackId: number;
  /** Presentation time in microseconds, edit list applied; a codec's priming may lie below zero. */
  readonly timestampUs: number;
  /** Decode time in microseconds, on the same axis. */
  readonly decodeTimeUs: number;
  readonly durationUs: number;
  /** How much of this track the fragment holds: a live source held the sample back for up to this long. */
  readonly fragmentUs: number;
  readonly keyframe: boolean;
  /** The bytes as in the file; may share memory with the chunk pushed. Samples may be empty. */
  readonly data: Uint8Array;
}

/** A damaged piece of the stream is left out. What follows begins with a fragment. */
export interface DamageEvent {
  readonly type: "damage";
  readonly reason: string;
}

export type MediaEvent = InitEvent | SampleEvent | DamageEvent;
