/**
 * Keeps one track: reads it like any subscriber and appends every frame to the store, as it comes.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { GroupReader } from "../../client/frames.ts";
import type { MediaStore, NewFrame, Retention, TrackKey } from "../../storage/store.ts";
import type { Broadcast } from "../../relay/broadcast.ts";
import type { Subgroup } from "../../relay/group/group.ts";
import type { TrackEnd, TrackReader, TrackRequest } from "../../relay/ports.ts";
import type { Track } from "../../relay/track.ts";

export interface TrackRecorderOptions {
  readonly key: TrackKey;
  /** The broadcast that serves the path now. */
  readonly broadcast: () => Broadcast | undefined;
  readonly store: MediaStore;
  readonly retention: Retention;
  readonly clock: Clock;
  /** A group that is not kept, or not to its end. */
  readonly onLost: (error: unknown) => void;
  /** Sees the first frame of each group that is newer than those before: all there is of a catalog. */
  readonly onFirst?: (payload: Uint8Array) => void;
}

/** Nobody waits for what is only kept: whoever watches goes first. */
const REQUEST: TrackRequest = { priority: 0, maxLatencyMs: 10_000 };
/** How soon a track that ended is asked for again, and how often a track is trimmed at most. */
const AGAIN_MS = 1000;
const TRIM_MS = 1000;

export class TrackRecorder implements TrackReader {
  readonly request: TrackRequest = REQUEST;
  readonly #o: TrackRecorderOptions;
  readonly #stop = new AbortController();
  #track: Track | undefined;
  #cancel: (() => void) | undefined;
  #trimmedAtMs = -Infinity;
  /** The newest group whose first frame was seen. */
  #seen = -1;

  constructor(options: TrackRecorderOptions) {
    this.#o = options;
    this.#begin();
  }

  stop(): void {
    this.#cancel?.();
    this.#track?.remove(this);
    this.#stop.abort();
  }

  onGroup(group: Subgroup): void {
    // Without its beginning it could not be given to anybody.
    if (group.startFrame > 0 || this.#stop.signal.aborted) return;
    void this.#keep(new GroupReader(group));
  }

  onEnd(_end: TrackEnd): void {
    this.#track = undefined;
    if (this.#stop.signal.aborted) return;
    this.#cancel = this.#o.clock.after(AGAIN_MS, () => this.#begin());
  }

  #begin(): void {
    this.#seen = -1; // another publisher may count from the start
    const { broadcast, key } = this.#o;
    try {
      this.#track = broadcast()?.track(key.broadcast, key.track);
    } catch (error) {
      this.#o.onLost(error);
    }
    if (this.#track === undefined) this.onEnd({ kind: "ended" });
    else this.#track.add(this);
  }

  /** Each frame is held back until the next has come, so that the last can say that it is. */
  async #keep(reader: GroupReader): Promise<void> {
    let held: NewFrame | undefined;
    let failed: { readonly error: unknown } | undefined;
    const append = (frame: NewFrame) =>
      this.#o.store.append(this.#o.key, frame).catch((error: unknown) => {
        failed ??= { error };
      });
    let last: Promise<unknown> | undefined;
    try {
      for (let first = true; failed === undefined; first = false) {
        const frame = await reader.frame({ signal: this.#stop.signal });
        if (frame === undefined) break;
        if (held !== undefined) last = append(held);
        if (first && reader.sequence > this.#seen) {
          this.#seen = reader.sequence;
          this.#o.onFirst?.(frame.payload);
        }
        held = { group: reader.sequence, keyframe: first, ...frame };
      }
      if (held !== undefined && failed === undefined) last = append({ ...held, endsGroup: true });
    } catch { // cut by its publisher, or we leave: what came is kept, and known to be a part
      if (held !== undefined && failed === undefined) last = append(held);
    } finally {
      reader.close();
    }
    await last;
    if (failed !== undefined) this.#o.onLost(failed.error);
    else await this.#trim();
  }

  async #trim(): Promise<void> {
    const { store, key, retention, clock } = this.#o;
    if (this.#stop.signal.aborted || clock.now() - this.#trimmedAtMs < TRIM_MS) return;
    this.#trimmedAtMs = clock.now();
    await store.trim(key, retention).catch(() => {}); // with the next group again
  }
}
