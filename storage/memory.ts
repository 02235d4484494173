/**
 * Media storage in this process: bounded in bytes over all tracks, and in frames and age per track. It ends with the process.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { MemoryTrack } from "./memory_track.ts";
import {
  FrameTooLarge,
  MAX_LISTED,
  type MediaStore,
  type NewFrame,
  newStorageStats,
  type Retention,
  type StorageStats,
  StorageUnavailable,
  type StoredFrame,
  type StoredGroup,
  type StoredTrack,
  type TrackKey,
} from "./store.ts";

export interface MemoryStoreOptions {
  readonly clock: Clock;
  /** Most bytes of all tracks together; the oldest group of any track makes room. */
  readonly maxBytes: number;
  /** Limits of each track, in whole groups. Default: only `maxBytes` holds. */
  readonly perTrack?: Retention;
}

/** About what a frame takes besides its payload, in bytes. */
const FRAME_OVERHEAD_BYTES = 128;
/** About what a track takes besides its frames and its names, in bytes. */
const TRACK_OVERHEAD_BYTES = 512;

export class MemoryStore implements MediaStore {
  readonly type = "memory";
  readonly stats: StorageStats = newStorageStats();
  readonly #o: MemoryStoreOptions;
  readonly #tracks = new Map<string, MemoryTrack>();
  /** The same tracks, by broadcast. */
  readonly #byBroadcast = new Map<string, Set<MemoryTrack>>();
  /** New tracks count from here, so that no sequence of a forgotten track is given again. */
  #floor: number;
  #bytes = 0;
  #closed = false;

  constructor(options: MemoryStoreOptions) {
    this.#o = options;
    // Above every sequence of an earlier process, if that wrote less than a frame per millisecond.
    this.#floor = Math.floor(options.clock.wallMs());
  }

  // deno-lint-ignore require-await -- a throw becomes a rejection
  async append(key: TrackKey, frame: NewFrame): Promise<number> {
    if (this.#closed) throw new StorageUnavailable("it is closed");
    const { clock, maxBytes, perTrack } = this.#o;
    const size = frame.payload.length + FRAME_OVERHEAD_BYTES;
    if (size > maxBytes) {
      this.stats.refused++;
      throw new FrameTooLarge(frame.payload.length, maxBytes - FRAME_OVERHEAD_BYTES);
    }
    const id = idOf(key);
    let track = this.#tracks.get(id);
    if (track === undefined) track = this.#newTrack(key);
    const sequence = track.append(frame, clock.wallMs());
    this.#bytes += size;
    this.stats.appends++;
    this.stats.appendedBytes += frame.payload.length;
    // With a new group an old one may be removed.
    if (frame.keyframe && perTrack !== undefined) {
      this.#cut(track, track.cutFor(perTrack, clock.wallMs()));
    }
    while (this.#bytes > maxBytes && this.#evict());
    return sequence;
  }

  // deno-lint-ignore require-await
  async range(key: TrackKey, from: number, to: number, limit = 1000): Promise<StoredFrame[]> {
    return this.#read(this.#tracks.get(idOf(key))?.range(from, to, limit) ?? []);
  }

  // deno-lint-ignore require-await
  async group(key: TrackKey, group: number): Promise<StoredFrame[]> {
    return this.#read(this.#tracks.get(idOf(key))?.group(group) ?? []);
  }

  // deno-lint-ignore require-await
  async groups(key: TrackKey, atMs: number, limit = 100): Promise<StoredGroup[]> {
    return this.#tracks.get(idOf(key))?.groups(atMs, limit) ?? [];
  }

  async latest(key: TrackKey): Promise<StoredFrame | undefined> {
    const last = this.#tracks.get(idOf(key))?.last ?? 0;
    return (await this.range(key, last, last))[0];
  }

  async *follow(key: TrackKey, from: number, signal: AbortSignal): AsyncIterable<StoredFrame> {
    for (let next = from; !signal.aborted && !this.#closed;) {
      const frames = await this.range(key, next, Infinity, 100);
      for (const frame of frames) {
        if (signal.aborted) return;
        yield frame;
        next = frame.sequence + 1;
      }
      if (frames.length > 0) continue;
      const id = idOf(key);
      let track = this.#tracks.get(id);
      if (track === undefined) track = this.#newTrack(key);
      await track.changed(signal);
    }
  }

  // deno-lint-ignore require-await
  async trim(key: TrackKey, retention: Retention): Promise<number> {
    const track = this.#tracks.get(idOf(key));
    if (track === undefined) return 0;
    return this.#cut(track, track.cutFor(retention, this.#o.clock.wallMs()));
  }

  // deno-lint-ignore require-await
  async delete(key: TrackKey): Promise<void> {
    const track = this.#tracks.get(idOf(key));
    if (track !== undefined) this.#forget(track);
  }

  // deno-lint-ignore require-await
  async list(broadcast: string, limit = MAX_LISTED): Promise<StoredTrack[]> {
    const kept = [...this.#byBroadcast.get(broadcast) ?? []].filter(({ frames }) => frames > 0);
    const newest = kept.reverse().sort((a, b) => b.newestMs - a.newestMs).slice(0, limit);
    const byName = newest.sort((a, b) => a.key.track < b.key.track ? -1 : 1);
    return byName.map((track) => ({
      ...track.key,
      frames: track.frames,
      bytes: track.bytes,
      first: track.first,
      last: track.last,
    }));
  }

  // deno-lint-ignore require-await
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const track of [...this.#tracks.values()]) this.#forget(track);
  }

  #read(frames: StoredFrame[]): StoredFrame[] {
    this.stats.reads++;
    for (const { payload } of frames) this.stats.readBytes += payload.length;
    return frames;
  }

  #newTrack(key: TrackKey): MemoryTrack {
    const track = new MemoryTrack(key, this.#floor);
    this.#tracks.set(idOf(key), track);
    const others = this.#byBroadcast.get(key.broadcast) ?? new Set();
    this.#byBroadcast.set(key.broadcast, others.add(track));
    this.#bytes += overheadOf(key);
    return track;
  }

  /** Removes the oldest group of all, and its track with it when it was the only one. @returns Whether there was any. */
  #evict(): boolean {
    let oldest: MemoryTrack | undefined;
    let oldestMs = Infinity;
    for (const track of this.#tracks.values()) {
      if (track.frames === 0 || track.oldestMs >= oldestMs) continue;
      oldest = track;
      oldestMs = track.oldestMs;
    }
    if (oldest === undefined) return false;
    const cut = oldest.secondGroup;
    if (cut === undefined) this.#forget(oldest);
    else this.#cut(oldest, cut);
    return true;
  }

  #forget(track: MemoryTrack): void {
    this.#cut(track, track.last + 1);
    this.#floor = Math.max(this.#floor, track.last);
    if (this.#tracks.delete(idOf(track.key))) {
      this.#bytes -= overheadOf(track.key);
      const { broadcast } = track.key;
      const others = this.#byBroadcast.get(broadcast)!;
      others.delete(track);
      if (others.size === 0) this.#byBroadcast.delete(broadcast);
    }
    track.wake();
  }

  #cut(track: MemoryTrack, before: number): number {
    const { frames, bytes } = track.cut(before);
    this.#bytes -= bytes + frames * FRAME_OVERHEAD_BYTES;
    this.stats.trimmed += frames;
    return frames;
  }
}

/** What a track takes without its frames: names are held twice, with two bytes per letter. */
function overheadOf({ broadcast, track }: TrackKey): number {
  return TRACK_OVERHEAD_BYTES + 4 * (broadcast.length + track.length);
}

function idOf({ broadcast, track }: TrackKey): string {
  return `${broadcast}\0${track}`;
}
