/**
 * The contract of media storage: frames are appended to a track in order, and read by ranges of sequences. `memory` and `redis`
 * keep it, and one suite of tests checks both.
 *
 * A track has one writer. While it appends, others are refused, so two relays that record the same broadcast do not keep it twice.
 * The second takes over when the first is silent.
 *
 * @module
 */
import { QumoError } from "../base/errors.ts";

/** A stored frame. */
export interface StoredFrame {
  /** Place in the track. It rises with each append, and no process gives it again. It does not begin at 1. */
  readonly sequence: number;
  /** The group it belongs to in its track. */
  readonly group: number;
  /** In the track's timescale, absolute. */
  readonly timestamp: number;
  /** Whether a decoder can start here: the first frame of its group. */
  readonly keyframe: boolean;
  /** It is the last frame of its group. */
  readonly endsGroup: boolean;
  /** Milliseconds since 1970 when it was appended. */
  readonly storedAtMs: number;
  readonly payload: Uint8Array;
}

/** A frame to append. The store gives it its sequence. */
export type NewFrame =
  & Pick<StoredFrame, "group" | "timestamp" | "keyframe" | "payload">
  & Partial<Pick<StoredFrame, "endsGroup">>;

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

/** A group whose frames are kept from the first on. */
export interface StoredGroup {
  readonly group: number;
  /** Sequence of its first frame and of the newest one. */
  readonly first: number;
  readonly last: number;
  /** Of its first frame. */
  readonly timestamp: number;
  /** Milliseconds since 1970 when its first frame was appended. */
  readonly storedAtMs: number;
  /** Whether its last frame is kept. */
  readonly whole: boolean;
}

/** Which frames are kept. An absent limit does not count. */
export interface Retention {
  readonly maxAgeMs?: number;
  readonly maxFrames?: number;
  readonly maxBytes?: number;
}

/** Most tracks of a broadcast that are listed. */
export const MAX_LISTED = 64;

/** Counters, all from zero when the store was opened. */
export function newStorageStats() {
  return {
    appends: 0,
    appendedBytes: 0,
    /** Refused appends: the store cannot be reached, and no more may wait. */
    refused: 0,
    /** Appends that were sent again, because the first attempt had no answer. */
    retried: 0,
    reads: 0,
    readBytes: 0,
    /** Time until an append is kept: the sum of all, and the last, in milliseconds. */
    appendMs: 0,
    lastAppendMs: 0,
    /** Time of all reads together, in milliseconds. */
    readMs: 0,
    /** Payload bytes that were accepted and are not stored yet. */
    waitingBytes: 0,
    /** Removed frames: by retention, or by the bound of the store. */
    trimmed: 0,
  };
}

export type StorageStats = ReturnType<typeof newStorageStats>;

/** Keeps media frames. Its owner closes it, which takes a moment to write accepted frames. */
export interface MediaStore extends AsyncDisposable {
  /** "memory", "redis". */
  readonly type: string;
  readonly stats: Readonly<StorageStats>;
  /**
   * Keeps a frame. The payload must not change until this fulfils.
   * @returns The sequence of the frame, once it is kept.
   * @throws {StorageUnavailable} No more frames may wait.
   * @throws {TrackTaken} The track has another writer.
   */
  append(key: TrackKey, frame: NewFrame): Promise<number>;
  /** Frames with `from <= sequence <= to`, oldest first, at most `limit` (default 1,000). @throws {StorageUnavailable} */
  range(key: TrackKey, from: number, to: number, limit?: number): Promise<StoredFrame[]>;
  /**
   * Every frame of one group, in order; empty unless it is kept from its first frame on. When a publisher has used the number
   * again, it is the newest group of that number.
   * @throws {StorageUnavailable}
   */
  group(key: TrackKey, group: number): Promise<StoredFrame[]>;
  /**
   * Groups in the order in which they came: the last one that began at or before `atMs` (milliseconds since 1970), and those
   * after it. The oldest ones when `atMs` is before them all. At most `limit` (default 100).
   * @throws {StorageUnavailable}
   */
  groups(key: TrackKey, atMs: number, limit?: number): Promise<StoredGroup[]>;
  /** The newest frame. @throws {StorageUnavailable} */
  latest(key: TrackKey): Promise<StoredFrame | undefined>;
  /** Frames from `from` on, then each new one, until the signal aborts. Continues when the store can be reached again. */
  follow(key: TrackKey, from: number, signal: AbortSignal): AsyncIterable<StoredFrame>;
  /**
   * Removes what exceeds the limits, oldest first and in whole groups, since half a group cannot be played. The newest group
   * always stays.
   * @returns How many frames were removed. @throws {StorageUnavailable}
   */
  trim(key: TrackKey, retention: Retention): Promise<number>;
  /** Removes all frames of a track. Its sequences continue. @throws {StorageUnavailable} */
  delete(key: TrackKey): Promise<void>;
  /**
   * The kept tracks of a broadcast, by name. Of more than `limit` (default {@link MAX_LISTED}) those that were appended to last.
   * The cost does not grow with what else is kept.
   * @throws {StorageUnavailable}
   */
  list(broadcast: string, limit?: number): Promise<StoredTrack[]>;
}

/** The store cannot be reached, or no more may wait for it. */
export class StorageUnavailable extends QumoError {
  readonly code = "QUMO_STORAGE_UNAVAILABLE";
  constructor(why: string, options?: ErrorOptions) {
    super(`Cannot use the storage: ${why}`, options);
  }
}

/** The track has another writer. */
export class TrackTaken extends QumoError {
  readonly code = "QUMO_STORAGE_TRACK_TAKEN";
  constructor(key: TrackKey) {
    super(`Cannot store ${key.broadcast} ${key.track}: another relay stores it just now`);
  }
}

/** The frame is larger than the whole store. */
export class FrameTooLarge extends QumoError {
  readonly code = "QUMO_STORAGE_FRAME_TOO_LARGE";
  constructor(bytes: number, limitBytes: number) {
    super(`Cannot store a frame of ${bytes} bytes: at most ${limitBytes} fit`);
  }
}
