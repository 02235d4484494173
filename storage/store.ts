/**
 * The contract of media storage: frames by track and sequence, appended in order and read by range. `memory` and `redis`
 * keep it, and one suite of tests holds both to it.
 *
 * One writer per track: while one appends, others are refused, so that two relays that record the same broadcast do not
 * keep it twice; the second takes over when the first falls silent.
 *
 * @module
 */
import { QumoError } from "../base/errors.ts";

/** One frame as it is kept. */
export interface StoredFrame {
  /** Place in the track: rises with each append, and is never given twice, also not by a later process. Not from 1. */
  readonly sequence: number;
  /** The group it belongs to in its track. */
  readonly group: number;
  /** In the track's timescale, absolute. */
  readonly timestamp: number;
  /** Whether a decoder can start here: the first frame of its group. */
  readonly keyframe: boolean;
  /** The group is whole with it. */
  readonly endsGroup: boolean;
  /** Milliseconds since 1970 when it was appended. */
  readonly storedAtMs: number;
  readonly payload: Uint8Array;
}

/** What is appended; the store gives it its sequence. */
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

/** A group that is kept from its first frame on. */
export interface StoredGroup {
  readonly group: number;
  /** Sequence of its first frame and of the newest one. */
  readonly first: number;
  readonly last: number;
  /** Of its first frame. */
  readonly timestamp: number;
  /** Milliseconds since 1970 when its first frame was appended. */
  readonly storedAtMs: number;
  /** Whether its last frame is here. */
  readonly whole: boolean;
}

/** Which frames may stay; a limit that is absent does not count. */
export interface Retention {
  readonly maxAgeMs?: number;
  readonly maxFrames?: number;
  readonly maxBytes?: number;
}

/** Tracks of a broadcast that are listed. */
export const MAX_LISTED = 64;

/** What is counted since the store was opened, all from zero. */
export function newStorageStats() {
  return {
    appends: 0,
    appendedBytes: 0,
    /** Appends that were turned away: the store is gone and what may wait is used up. */
    refused: 0,
    /** Appends that were sent again, because the answer to the first attempt did not come. */
    retried: 0,
    reads: 0,
    readBytes: 0,
    /** Time from append to kept: the sum over all appends, and the last. In milliseconds. */
    appendMs: 0,
    lastAppendMs: 0,
    /** Time reads took together, in milliseconds. */
    readMs: 0,
    /** Payload bytes accepted and not yet kept. */
    waitingBytes: 0,
    /** Frames forgotten: by retention, or for the bound of the store. */
    trimmed: 0,
  };
}

export type StorageStats = ReturnType<typeof newStorageStats>;

/** Keeps media frames. Its owner closes it: what was accepted by then is written, as far as a moment is enough. */
export interface MediaStore extends AsyncDisposable {
  /** "memory", "redis". */
  readonly type: string;
  readonly stats: Readonly<StorageStats>;
  /**
   * Keeps a frame; the payload is copied or written out before this fulfils, and must not change until then. Fulfils with
   * its sequence once it is kept for good.
   * @throws {StorageUnavailable} Past the bound of what may wait.
   * @throws {TrackTaken} Another writer is at it.
   */
  append(key: TrackKey, frame: NewFrame): Promise<number>;
  /** Frames with `from <= sequence <= to`, oldest first, at most `limit` (default 1,000). @throws {StorageUnavailable} */
  range(key: TrackKey, from: number, to: number, limit?: number): Promise<StoredFrame[]>;
  /**
   * Every frame of one group, in order; empty unless it is kept from its first frame on. Where a publisher has begun its
   * numbers anew it is the newest group of that number.
   * @throws {StorageUnavailable}
   */
  group(key: TrackKey, group: number): Promise<StoredFrame[]>;
  /**
   * Groups in the order they came: the one that was begun last at `atMs` (milliseconds since 1970), and those after it; the
   * oldest ones when `atMs` is before them all. At most `limit` (default 100).
   * @throws {StorageUnavailable}
   */
  groups(key: TrackKey, atMs: number, limit?: number): Promise<StoredGroup[]>;
  /** The newest frame. @throws {StorageUnavailable} */
  latest(key: TrackKey): Promise<StoredFrame | undefined>;
  /** Frames from `from` on, then each new one, until the signal aborts. Goes on when the store comes back. */
  follow(key: TrackKey, from: number, signal: AbortSignal): AsyncIterable<StoredFrame>;
  /**
   * Forgets what goes beyond the limits, oldest first and in whole groups: half a group cannot be played. The newest group
   * stays, whatever the limits.
   * @returns How many frames went. @throws {StorageUnavailable}
   */
  trim(key: TrackKey, retention: Retention): Promise<number>;
  /** Forgets all frames of a track; sequences go on where they were. @throws {StorageUnavailable} */
  delete(key: TrackKey): Promise<void>;
  /**
   * Tracks of a broadcast of which something is kept, by name. Of more than `limit` (default {@link MAX_LISTED}) those that were
   * appended to last. What it costs does not grow with what else is kept.
   * @throws {StorageUnavailable}
   */
  list(broadcast: string, limit?: number): Promise<StoredTrack[]>;
}

/** The store cannot be reached, or more waits for it than may. */
export class StorageUnavailable extends QumoError {
  readonly code = "QUMO_STORAGE_UNAVAILABLE";
  constructor(why: string, options?: ErrorOptions) {
    super(`Cannot use the storage: ${why}`, options);
  }
}

/** Another writer appends to the track. */
export class TrackTaken extends QumoError {
  readonly code = "QUMO_STORAGE_TRACK_TAKEN";
  constructor(key: TrackKey) {
    super(`Cannot store ${key.broadcast} ${key.track}: another relay stores it just now`);
  }
}

/** A frame larger than the store may ever hold. */
export class FrameTooLarge extends QumoError {
  readonly code = "QUMO_STORAGE_FRAME_TOO_LARGE";
  constructor(bytes: number, limitBytes: number) {
    super(`Cannot store a frame of ${bytes} bytes: at most ${limitBytes} fit`);
  }
}
