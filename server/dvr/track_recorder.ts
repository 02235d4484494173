/**
 * Records one track: subscribes to it and appends each frame to the store as it comes.
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
  /** Called with each group that is not kept completely. */
  readonly onLost: (error: unknown) => void;
  /** Gets the first frame of each newer group: the whole catalog. */
  readonly onFirst?: (payload: Uint8Array) => void;
}

/** Viewers have priority over recordings. */
const REQUEST: TrackRequest = { priority: 0, maxLatencyMs: 10_000 };
/** Pause before a track that ended is subscribed again, and between two trims. */
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
    // A group without its beginning cannot be decoded.
    if (group.startFrame > 0 || this.#stop.signal.aborted) return;
    void this.#keep(new GroupReader(group));
  }

  onEnd(_end: TrackEnd): void {
    this.#track = undefined;
    if (this.#stop.signal.aborted) return;
    this.#cancel = this.#o.clock.after(AGAIN_MS, () => this.#begin());
  }

  #begin(): void {
    this.#seen = -1; // another publisher may begin at group 0
    const { broadcast, key } = this.#o;
    try {
      this.#track = broadcast()?.track(key.broadcast, key.track);
    } catch (error) {
      this.#o.onLost(error);
    }
    if (this.#track === undefined) this.onEnd({ kind: "ended" });
    else this.#track.add(this);
  }

  /** Each frame waits for the next one, so that the last frame can be marked as the last. */
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
    } catch { // the publisher cut it, or we stop: the part is kept, and marked as a part
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
    await store.trim(key, retention).catch(() => {}); // the next group tries again
  }
}
