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
  AwaitedRoute,
  OffersHost,
  Origin,
  OriginOffers,
  PacedWatch,
  TrackEvent,
  WatchOptions,
} from "./origin.ts";
import type { BroadcastSource } from "./ports.ts";
import type { HopId } from "./route.ts";
import type { TrackContext } from "./track.ts";

/** Where broadcasts are announced and found. {@link Origin} is one. */
export interface Namespace {
  readonly context: TrackContext;
  /** What may be done here. Absent where everything may. */
  readonly rights?: Rights | undefined;
  /** As {@link Origin.allowOffers}. */
  allowOffers(make: (host: OffersHost) => OriginOffers): void;
  announce(
    path: string,
    source: BroadcastSource,
    announcement: Announcement,
  ): Announced | undefined;
  watch(options: WatchOptions, listener: (event: AnnounceEvent) => void): PacedWatch;
  /** As {@link Origin.watchTracks}. */
  watchTracks(options: WatchOptions, listener: (event: TrackEvent) => void): PacedWatch;
  /** As {@link Origin.find}. */
  find(path: string, excludeHop?: HopId, track?: string, peer?: boolean): Broadcast | undefined;
  /** As {@link Origin.awaitRoute}. */
  awaitRoute(
    path: string,
    track: string,
    timeoutMs: number,
    excludeHop?: HopId,
    asker?: object,
    peer?: boolean,
  ): AwaitedRoute;
}

/** What a session may do. Paths are absolute and normalised. */
export interface Rights {
  mayPublish(path: string): boolean;
  maySubscribe(path: string): boolean;
  /** How much of what is below a prefix the session may subscribe to. */
  subscribesBelow(prefix: string): "all" | "some" | "nothing";
}

/** An origin as one session sees it. Whatever the session may not see does not exist for it. */
export class ScopedOrigin implements Namespace {
  readonly rights: Rights;
  readonly #origin: Origin;

  constructor(origin: Origin, rights: Rights) {
    this.rights = rights;
    this.#origin = origin;
  }

  get context(): TrackContext {
    return this.#origin.context;
  }

  allowOffers(make: (host: OffersHost) => OriginOffers): void {
    this.#origin.allowOffers(make);
  }

  /** @returns `undefined` also when the session may not announce the path. */
  announce(
    path: string,
    source: BroadcastSource,
    announcement: Announcement,
  ): Announced | undefined {
    if (this.rights.mayPublish(normalizePath(path))) {
      const mayServe = (wanted: string) => this.rights.mayPublish(wanted);
      const scoped = (one: Announcement) => ({ ...one, mayServe });
      const announced = this.#origin.announce(path, source, scoped(announcement));
      return announced && { ...announced, update: (next) => announced.update(scoped(next)) };
    }
    this.context.stats.announcementsRefused++;
    return undefined;
  }

  watch(options: WatchOptions, listener: (event: AnnounceEvent) => void): PacedWatch {
    return this.#origin.watch(options, (event) => {
      if (this.rights.maySubscribe(event.path)) listener(event);
    });
  }

  watchTracks(options: WatchOptions, listener: (event: TrackEvent) => void): PacedWatch {
    return this.#origin.watchTracks(options, (event) => {
      if (this.rights.maySubscribe(event.path)) listener(event);
    });
  }

  find(
    path: string,
    excludeHop?: HopId,
    track?: string,
    peer?: boolean,
  ): Broadcast | undefined {
    return this.#mayFind(path) ? this.#origin.find(path, excludeHop, track, peer) : undefined;
  }

  awaitRoute(
    path: string,
    track: string,
    timeoutMs: number,
    excludeHop?: HopId,
    asker?: object,
    peer?: boolean,
  ): AwaitedRoute {
    return this.#mayFind(path)
      ? this.#origin.awaitRoute(path, track, timeoutMs, excludeHop, asker, peer)
      : { promise: Promise.resolve(undefined), cancel: () => {} };
  }

  #mayFind(path: string): boolean {
    if (this.rights.maySubscribe(normalizePath(path))) return true;
    this.context.stats.requestsRefused++;
    return false;
  }
}
