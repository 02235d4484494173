/**
 * The contract of media storage: frames by track and sequence, appended in order and read by range. `memory` and `redis`
 * keep it, and one suite of tests holds both to it.
 *
 * @module
 */

/** One frame as it is kept. */
export interface StoredFrame {
  /** Place in the track: rises by one with each append, and is never given twice. */
  readonly sequence: number;
  /** The group it belongs to in its track. */
  readonly group: number;
  /** In the track's timescale, absolute. */
  readonly timestamp: number;
  /** Whether a decoder can start here: the first frame of its group. */
  readonly keyframe: boolean;
  /** Milliseconds since 1970 when it was appended. */
  readonly storedAtMs: number;
  readonly payload: Uint8Array;
}

/** What is appended; the store gives it its sequence. */
export type NewFrame = Pick<StoredFrame, "group" | "timestamp" | "keyframe" | "payload">;

/** Names a track: the broadcast's path and the track's name. */
export interface TrackKey {
  readonly broadcast: string;
  readonly track: string;
}

export interface StoredTrack extends TrackKey {
  readonly frames: number;
  readonly bytes: number;
  /** Sequence of the oldest and of the newest frame kept. */
  readonly first: number;
  readonly last: number;
}

/** Which frames may stay; a limit that is absent does not count. */
export interface Retention {
  readonly maxAgeMs?: number;
  readonly maxFrames?: number;
  readonly maxBytes?: number;
}

/** Keeps media frames. Its owner closes it. */
export interface MediaStore extends AsyncDisposable {
  /** "memory", "redis". */
  readonly type: string;
  /**
   * Keeps a frame. Fulfils with its sequence once it is kept for good.
   * @throws {StorageUnavailable} Past the bound of what may wait.
   */
  append(key: TrackKey, frame: NewFrame): Promise<number>;
  /** Frames with `from <= sequence <= to`, oldest first, at most `limit` (default 1,000). */
  range(key: TrackKey, from: number, to: number, limit?: number): Promise<StoredFrame[]>;
  /** Every frame kept of one group, in order; empty when none is. */
  group(key: TrackKey, group: number): Promise<StoredFrame[]>;
  latest(key: TrackKey): Promise<StoredFrame | undefined>;
  /** Frames from `from` on, then each new one, until the signal aborts. */
  follow(key: TrackKey, from: number, signal: AbortSignal): AsyncIterable<StoredFrame>;
  /** Forgets what goes beyond the limits, oldest first. @returns How many frames went. */
  trim(key: TrackKey, retention: Retention): Promise<number>;
  delete(key: TrackKey): Promise<void>;
  list(): Promise<StoredTrack[]>;
}
