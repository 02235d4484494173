/**
 * The numbers that stand for tracks on data streams. Viewers share the head of a stream as long as they share the alias, so
 * a track has the same one in all sessions. Only a session that has used it up gets another one.
 *
 * @module
 */
import type { Track } from "../../../../relay/track.ts";

/** Most aliases of one session that are remembered. With more, each subscription gets its own. */
const MAX_REMEMBERED = 4096;

const shared = new WeakMap<Track, number>();
let last = 0;

/** The aliases that one session has used. */
export class Aliases {
  readonly #used = new Set<number>();

  /** An alias that the session has not used before: late streams of an ended subscription are never taken for those of a new one. */
  take(track: Track): number {
    let alias = shared.get(track);
    if (alias === undefined) shared.set(track, alias = ++last);
    if (this.#used.size >= MAX_REMEMBERED || this.#used.has(alias)) return ++last;
    this.#used.add(alias);
    return alias;
  }
}
