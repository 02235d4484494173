/**
 * The origin as a session sees it: all of it, or the part that its rights allow. Rights are checked once per announcement
 * and request, never per frame.
 *
 * @module
 */
import { normalizePath } from "../wire/path.ts";
import type { Broadcast } from "./broadcast.ts";
import type {
  Announced,
  AnnounceEvent,
  Announcement,
  Origin,
  PacedWatch,
  WatchOptions,
} from "./origin.ts";
import type { BroadcastSource } from "./ports.ts";
import type { HopId } from "./route.ts";
import type { TrackContext } from "./track.ts";

/** Where broadcasts are announced and found. {@link Origin} is one. */
export interface Namespace {
  readonly context: TrackContext;
  announce(
    path: string,
    source: BroadcastSource,
    announcement: Announcement,
  ): Announced | undefined;
  watch(options: WatchOptions, listener: (event: AnnounceEvent) => void): PacedWatch;
  find(path: string, excludeHop?: HopId): Broadcast | undefined;
}

/** What a session may do. Paths are absolute and normalised. */
export interface Rights {
  mayPublish(path: string): boolean;
  maySubscribe(path: string): boolean;
}

/** An origin as one session sees it. Whatever the session may not see does not exist for it. */
export class ScopedOrigin implements Namespace {
  readonly #origin: Origin;
  readonly #rights: Rights;

  constructor(origin: Origin, rights: Rights) {
    this.#origin = origin;
    this.#rights = rights;
  }

  get context(): TrackContext {
    return this.#origin.context;
  }

  /** @returns `undefined` also when the session may not announce the path. */
  announce(
    path: string,
    source: BroadcastSource,
    announcement: Announcement,
  ): Announced | undefined {
    if (this.#rights.mayPublish(normalizePath(path))) {
      const mayServe = (wanted: string) => this.#rights.mayPublish(wanted);
      const scoped = (one: Announcement) => ({ ...one, mayServe });
      const announced = this.#origin.announce(path, source, scoped(announcement));
      return announced && { ...announced, update: (next) => announced.update(scoped(next)) };
    }
    this.context.stats.announcementsRefused++;
    return undefined;
  }

  watch(options: WatchOptions, listener: (event: AnnounceEvent) => void): PacedWatch {
    return this.#origin.watch(options, (event) => {
      if (this.#rights.maySubscribe(event.path)) listener(event);
    });
  }

  find(path: string, excludeHop?: HopId): Broadcast | undefined {
    if (this.#rights.maySubscribe(normalizePath(path))) {
      return this.#origin.find(path, excludeHop);
    }
    this.context.stats.requestsRefused++;
    return undefined;
  }
}
