/**
 * The rings of this node that other threads read. The mirror of a track is attached with its first reader in another thread
 * and removed after the last. So a track without such readers costs nothing.
 *
 * @module
 */
import type { FramePool } from "../../relay/group/frame_pool.ts";
import { SharedRing } from "../../relay/group/shared_ring.ts";
import type { Track } from "../../relay/track.ts";

/** Called with each arena of each shared pool: those that exist at once, later ones as they come. */
export type ArenaListener = (
  pool: number,
  index: number,
  memory: SharedArrayBuffer | undefined,
) => void;

/** What a reader in another thread needs to find the groups of a track. */
export interface Mirror {
  readonly pool: number;
  readonly control: SharedArrayBuffer;
}

export class Mirrors {
  readonly #rings = new Map<Track, { readonly ring: SharedRing; users: number }>();
  readonly #pools = new Map<FramePool, number>();
  readonly #listeners = new Set<ArenaListener>();

  /** Follows the arenas of every shared pool. @returns Ends that. */
  onArena(listener: ArenaListener): () => void {
    this.#listeners.add(listener);
    for (const [pool, id] of this.#pools) {
      pool.arenas().forEach((memory, index) => {
        if (memory !== undefined) listener(id, index, shared(memory));
      });
    }
    return () => this.#listeners.delete(listener);
  }

  /** Attaches the mirror of a track, or counts one more user. Listeners know the arenas of its pool when this returns. */
  attach(track: Track): Mirror {
    const pool = this.#poolId(track.context.pool);
    let entry = this.#rings.get(track);
    if (entry === undefined) {
      entry = { ring: new SharedRing(track.ring.capacity), users: 0 };
      this.#rings.set(track, entry);
      track.ring.observe(entry.ring);
    }
    entry.users++;
    return { pool, control: entry.ring.control };
  }

  /** One user less. */
  detach(track: Track): void {
    const entry = this.#rings.get(track);
    if (entry === undefined || --entry.users > 0) return;
    this.#rings.delete(track);
    track.ring.observe(undefined);
  }

  #poolId(pool: FramePool): number {
    const known = this.#pools.get(pool);
    if (known !== undefined) return known;
    const id = this.#pools.size;
    this.#pools.set(pool, id);
    const tell = (index: number, memory: ArrayBufferLike | undefined) => {
      for (const listener of this.#listeners) listener(id, index, memory && shared(memory));
    };
    pool.arenas().forEach((memory, index) => memory && tell(index, memory));
    pool.onArena = tell;
    return id;
  }
}

function shared(memory: ArrayBufferLike): SharedArrayBuffer {
  if (memory instanceof SharedArrayBuffer) return memory;
  throw new TypeError("Cannot share the frames of a pool that is not in shared memory");
}
