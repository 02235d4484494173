/**
 * The watchers of tracks that are offered one by one, by prefix. A change visits only the watchers of its path's prefixes.
 *
 * @module
 */
import { isHidden, normalizePath, stripPrefix } from "../../wire/path.ts";
import type { Route } from "../route.ts";
import { allowedBy, ByPrefix, type PacedWatch, type WatchOptions } from "../watchers.ts";

/** News of one track for one watcher. */
export interface TrackEvent {
  readonly path: string;
  readonly track: string;
  /** Nobody offers it any more. */
  readonly gone: boolean;
}

/** What the watchers ask the origin. */
export interface OfferedTracks {
  /** Whether an allowed route offers a track. `undefined`: its publisher was lost, and may come back. */
  offered(path: string, track: string, allowed: (route: Route) => boolean): boolean | undefined;
  /** The tracks that are offered below a prefix, by path. */
  below(
    prefix: string,
    hidden: boolean,
  ): Iterable<readonly [path: string, tracks: Iterable<string>]>;
}

interface Watcher {
  readonly prefix: string;
  readonly hidden: boolean;
  readonly allowed: (route: Route, path: string) => boolean;
  readonly ready: () => boolean;
  readonly listener: (event: TrackEvent) => void;
  readonly told: TrackSet;
  /** What changed while the listener could not take more. */
  readonly behind: TrackSet;
}

export class TrackWatchers {
  readonly #origin: OfferedTracks;
  readonly #byPrefix = new ByPrefix<Watcher>();

  constructor(origin: OfferedTracks) {
    this.#origin = origin;
  }

  /** Whether anybody watches. */
  get any(): boolean {
    return this.#byPrefix.size > 0;
  }

  add(options: WatchOptions, listener: (event: TrackEvent) => void): PacedWatch {
    const { hidden = false, ready = always } = options;
    const prefix = normalizePath(options.prefix ?? "");
    const watcher: Watcher = {
      prefix,
      hidden,
      allowed: allowedBy(options),
      ready,
      listener,
      told: new TrackSet(),
      behind: new TrackSet(),
    };
    const remove = this.#byPrefix.add(prefix, watcher);
    for (const [path, tracks] of this.#origin.below(prefix, hidden)) {
      for (const track of tracks) this.#tellOne(watcher, path, track);
    }
    return {
      left: () => {},
      catchUp: () => {
        for (const [path, track] of watcher.behind) {
          if (!watcher.ready()) return;
          watcher.behind.delete(path, track);
          this.#tellOne(watcher, path, track);
        }
      },
      close: () => {
        watcher.behind.clear();
        remove();
      },
    };
  }

  /** Tells the watchers of a path that something has changed for one of its tracks. */
  tell(path: string, track: string): void {
    if (!this.any) return;
    for (const watcher of this.#byPrefix.of(path)) this.#tellOne(watcher, path, track);
  }

  #tellOne(watcher: Watcher, path: string, track: string): void {
    if (!watcher.hidden && isHidden(stripPrefix(path, watcher.prefix)!)) return;
    const told = watcher.told.has(path, track);
    const offered = this.#origin.offered(path, track, (route) => watcher.allowed(route, path)) ??
      told;
    if (offered === told) return watcher.behind.delete(path, track);
    if (!watcher.ready()) return watcher.behind.add(path, track);
    if (offered) watcher.told.add(path, track);
    else watcher.told.delete(path, track);
    watcher.listener({ path, track, gone: !offered });
  }
}

/** Tracks by path. */
class TrackSet implements Iterable<readonly [path: string, track: string]> {
  readonly #paths = new Map<string, Set<string>>();

  has(path: string, track: string): boolean {
    return this.#paths.get(path)?.has(track) === true;
  }

  add(path: string, track: string): void {
    const tracks = this.#paths.get(path);
    if (tracks === undefined) this.#paths.set(path, new Set([track]));
    else tracks.add(track);
  }

  delete(path: string, track: string): void {
    const tracks = this.#paths.get(path);
    if (tracks?.delete(track) === true && tracks.size === 0) this.#paths.delete(path);
  }

  clear(): void {
    this.#paths.clear();
  }

  *[Symbol.iterator](): Generator<readonly [path: string, track: string]> {
    for (const [path, tracks] of this.#paths) {
      for (const track of tracks) yield [path, track];
    }
  }
}

const always = (): boolean => true;
