/**
 * The namespace of everything that is announced: who offers which broadcast by which route, and who wants to hear of it.
 *
 * Several publishers may stand at one path: the newest is served to newcomers, those who watch an older one keep it, and it
 * comes back when the newer leaves. Routes of the same publisher (the same first hop) are one broadcast.
 *
 * @module
 */
import { hasPrefix, isHidden, normalizePath, stripPrefix } from "../wire/path.ts";
import { Broadcast } from "./broadcast.ts";
import type { BroadcastSource } from "./ports.ts";
import {
  comparePublishers,
  compareRoutes,
  type HopId,
  isExcluded,
  publisherOf,
  type Route,
  runsThrough,
} from "./route.ts";
import type { TrackContext } from "./track.ts";

/** Longest chain of hops that is accepted. */
const MAX_HOPS = 32;

/**
 * How long what is left after a retraction is kept back, where it is worse: news of the same retraction may be on its
 * way there. Without that, relays in a ring tell each other of what each has from the others.
 */
const HOLD_BACK_MS = 2000;

/** What a source says of a broadcast it offers. */
export interface Announcement {
  /** The chain so far, publisher first, the announcing peer last. Empty for a publisher in this process. */
  readonly hops: readonly HopId[];
  readonly warm: number;
  readonly cold: number;
  /** When it came in, where that was at a neighbour: a route's `order` there. */
  readonly order?: number;
}

/** Holds a place in the origin; its owner ends it. */
export interface Announced {
  readonly path: string;
  /** The same broadcast by another chain or at another cost. */
  update(announcement: Announcement): void;
  /** Makes every other route better than this one: its source is about to leave. */
  discourage(): void;
  /** Takes it back. `abrupt` when the source was lost rather than said so: then it lingers. */
  end(abrupt?: boolean): void;
}

/** News of one path for one watcher. */
export interface AnnounceEvent {
  /** active: it was not there before. updated: another route or publisher serves it now. ended: gone. */
  readonly kind: "active" | "updated" | "ended";
  readonly path: string;
  /** Below the watched prefix. */
  readonly suffix: string;
  readonly route: Route | undefined;
}

export interface WatchOptions {
  readonly prefix?: string;
  /** Routes through this hop are not shown; with NEIGHBOURS none of a neighbour. */
  readonly excludeHop?: HopId;
  /** Shows also what is hidden: paths with a part that starts with a dot. */
  readonly hidden?: boolean;
  /** Nor what this source itself announced. */
  readonly except?: BroadcastSource;
}

/** A running watch; its owner closes it. */
export interface Watch {
  close(): void;
}

/** Whether a watcher would see no difference between two routes. */
function sameToOthers(a: Route, b: Route): boolean {
  return a.source === b.source && a.warm === b.warm && a.cold === b.cold &&
    a.hops.length === b.hops.length && a.hops.every((hop, i) => hop === b.hops[i]);
}

/** The place of one route. */
interface Held {
  readonly broadcast: Broadcast;
  readonly route: Route;
}

interface Watcher {
  readonly prefix: string;
  readonly excludeHop: HopId;
  readonly except: BroadcastSource | undefined;
  readonly hidden: boolean;
  readonly told: Map<string, Route>;
  readonly listener: (event: AnnounceEvent) => void;
}

export interface OriginOptions {
  readonly context: TrackContext;
  /** This relay's own id. */
  readonly hop: HopId;
  /** How long a broadcast stays announced after its publisher was lost without a word, in milliseconds. */
  readonly lingerMs: number;
  /** Which of how many threads of one relay this is: no two of them number their routes alike. Default: the only one. */
  readonly place?: Place;
}

/** One of `count` threads, counted from 0. */
export interface Place {
  readonly index: number;
  readonly count: number;
}

export class Origin {
  readonly hop: HopId;
  readonly #options: OriginOptions;
  readonly #paths = new Map<string, Broadcast[]>();
  readonly #watchers = new Set<Watcher>();
  /** What stops waiting for a lost publisher. */
  readonly #lingers = new Map<Broadcast, () => void>();
  /** Paths whose change to a worse route is not told yet. */
  readonly #quiet = new Map<string, () => void>();
  /** The highest order seen, here or at a neighbour: what comes in after hearing of it counts as newer. */
  #order = 0;

  constructor(options: OriginOptions) {
    this.#options = options;
    this.hop = options.hop;
  }

  get context(): TrackContext {
    return this.#options.context;
  }

  /** Paths announced now. */
  get size(): number {
    return this.#paths.size;
  }

  /**
   * Offers a broadcast. @returns `undefined` when it may not stand here: our own hop is in its chain (a loop), or the
   * chain is too long.
   */
  announce(
    path: string,
    source: BroadcastSource,
    announcement: Announcement,
  ): Announced | undefined {
    const { hops } = announcement;
    if (runsThrough(hops, this.hop) || hops.length > MAX_HOPS) {
      this.context.stats.loopsRefused++;
      return undefined;
    }
    const at = normalizePath(path);
    let last = announcement;
    let held: Held | undefined = this.#place(at, this.#route(source, announcement));
    let over = false;
    const update = (next: Announcement) => {
      if (over) return;
      last = next;
      if (runsThrough(next.hops, this.hop) || next.hops.length > MAX_HOPS) {
        this.context.stats.loopsRefused++;
        if (held !== undefined) this.#withdraw(held.broadcast, held.route, false);
        held = undefined;
        return;
      }
      if (held === undefined) { // it was a loop until now
        held = this.#place(at, this.#route(source, next));
        return;
      }
      const route = { source, ...next, order: next.order ?? held.route.order };
      if (this.#publisher(next.hops) === held.broadcast.publisher) {
        held.broadcast.setRoute(route, held.route);
        held = { broadcast: held.broadcast, route };
        this.#tell(at);
      } else {
        const old = held;
        held = this.#place(at, this.#route(source, next));
        this.#withdraw(old.broadcast, old.route, false);
      }
    };
    return {
      path: at,
      update,
      discourage: () => update({ hops: last.hops, warm: Infinity, cold: Infinity }),
      end: (abrupt = false) => {
        over = true;
        if (held === undefined) return;
        this.#withdraw(held.broadcast, held.route, abrupt);
        held = undefined;
      },
    };
  }

  /** Tells a listener what is announced below a prefix: at once what there is, then every change. */
  watch(options: WatchOptions, listener: (event: AnnounceEvent) => void): Watch {
    const watcher: Watcher = {
      prefix: normalizePath(options.prefix ?? ""),
      excludeHop: options.excludeHop ?? 0n,
      except: options.except,
      hidden: options.hidden ?? false,
      told: new Map(),
      listener,
    };
    this.#watchers.add(watcher);
    for (const path of this.#paths.keys()) this.#tellOne(watcher, path);
    return { close: () => this.#watchers.delete(watcher) };
  }

  /**
   * The broadcast that serves a path: the one announced there, else the one with the longest announced path above it.
   * @param excludeHop Broadcasts that can only be reached through this hop, or through NEIGHBOURS, are passed over.
   */
  find(path: string, excludeHop: HopId = 0n): Broadcast | undefined {
    for (let at = normalizePath(path);; at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) {
      const found = this.#current(at, (route) => !isExcluded(route, excludeHop));
      if (found !== undefined) return found;
      if (at === "") return undefined;
    }
  }

  /** Every path with the broadcasts that stand there, the served one first. */
  *broadcasts(): IterableIterator<readonly [string, readonly Broadcast[]]> {
    yield* this.#paths;
  }

  #place(path: string, route: Route): Held {
    const publisher = this.#publisher(route.hops);
    const here = this.#paths.get(path) ?? [];
    const known = publisher === undefined ? undefined : here.find((b) => b.publisher === publisher);
    const broadcast = known ?? new Broadcast(path, publisher, this.#options);
    broadcast.setRoute(route);
    if (known === undefined) {
      this.#paths.set(path, [...here, broadcast]);
      // Somebody else has come: who waited for the lost publisher waits in vain.
      for (const lost of here) if (lost.lingering) this.#forget(path, lost);
    }
    this.#tell(path);
    return { broadcast, route };
  }

  #route(source: BroadcastSource, announcement: Announcement): Route {
    const { index, count } = this.#options.place ?? { index: 0, count: 1 };
    const next = (Math.floor(this.#order / count) + 1) * count + index;
    const order = announcement.order ?? next;
    this.#order = Math.max(this.#order, order);
    return { source, ...announcement, order };
  }

  #publisher(hops: readonly HopId[]): HopId | undefined {
    return hops.length === 0 ? this.hop : publisherOf(hops);
  }

  #withdraw(broadcast: Broadcast, route: Route, abrupt: boolean): void {
    const { lingerMs, context } = this.#options;
    const last = broadcast.routes.length === 1 && broadcast.routes[0] === route;
    const others = (this.#paths.get(broadcast.path)?.length ?? 0) > 1;
    if (last && abrupt && lingerMs > 0 && !others) {
      broadcast.lingering = true;
      broadcast.dropRoute(route);
      this.#lingers.get(broadcast)?.();
      const cancel = context.clock.after(lingerMs, () => {
        this.#lingers.delete(broadcast);
        if (broadcast.lingering) this.#forget(broadcast.path, broadcast);
      });
      this.#lingers.set(broadcast, cancel);
      return;
    }
    broadcast.dropRoute(route);
    if (broadcast.routes.length === 0) {
      this.#holdEchoes(broadcast, route);
      this.#forget(broadcast.path, broadcast);
      return;
    }
    if (compareRoutes(route, broadcast.routes[0]!) < 0) this.#keepQuiet(broadcast.path);
    this.#tell(broadcast.path);
  }

  /** The chain tells whose broadcast it is, and who must not hear of it: only the news of a worse route can wait. */
  #keepQuiet(path: string): void {
    this.#quiet.get(path)?.();
    const cancel = this.context.clock.after(HOLD_BACK_MS, () => {
      this.#quiet.delete(path);
      this.#tell(path);
    });
    this.#quiet.set(path, cancel);
  }

  /** Without ids in the chain, a longer one at the same path may have come from the one that is gone. */
  #holdEchoes(gone: Broadcast, route: Route): void {
    for (const other of this.#paths.get(gone.path) ?? []) {
      const hops = other.routes[0]?.hops.length ?? 0;
      if (other.publisher !== undefined || hops <= route.hops.length || other.heldBack) continue;
      other.heldBack = true;
      this.context.clock.after(HOLD_BACK_MS, () => {
        other.heldBack = false;
        this.#tell(gone.path);
      });
    }
  }

  #forget(path: string, broadcast: Broadcast): void {
    const here = this.#paths.get(path);
    if (here === undefined) return;
    this.#lingers.get(broadcast)?.();
    this.#lingers.delete(broadcast);
    const left = here.filter((b) => b !== broadcast);
    if (left.length === 0) this.#paths.delete(path);
    else this.#paths.set(path, left);
    broadcast.abandon();
    this.#tell(path);
  }

  /** Which of the broadcasts at a path serves newcomers. */
  #current(path: string, allowed: (route: Route) => boolean): Broadcast | undefined {
    const here = this.#paths.get(path);
    if (here === undefined) return undefined;
    let best: Broadcast | undefined;
    let route: Route | undefined;
    for (const broadcast of here) {
      if (broadcast.heldBack) continue;
      const candidate = broadcast.routes.find(allowed);
      if (candidate === undefined) {
        if (broadcast.lingering) best ??= broadcast;
      } else if (route === undefined || comparePublishers(candidate, route) < 0) {
        best = broadcast;
        route = candidate;
      }
    }
    return best;
  }

  #tell(path: string): void {
    for (const watcher of this.#watchers) this.#tellOne(watcher, path);
  }

  #tellOne(watcher: Watcher, path: string): void {
    if (!hasPrefix(path, watcher.prefix)) return;
    const suffix = stripPrefix(path, watcher.prefix)!;
    if (!watcher.hidden && isHidden(suffix)) return;
    const allowed = (route: Route) =>
      route.source !== watcher.except && !isExcluded(route, watcher.excludeHop);
    const broadcast = this.#current(path, allowed);
    const told = watcher.told.get(path);
    if (broadcast?.lingering && told !== undefined) return;
    const route = broadcast?.routes.find(allowed);
    if (route === told || (route && told && sameToOthers(route, told))) return;
    if (route && told && this.#quiet.has(path) && compareRoutes(route, told) > 0) return;
    if (route === undefined) {
      watcher.told.delete(path);
      watcher.listener({ kind: "ended", path, suffix, route: undefined });
    } else {
      watcher.told.set(path, route);
      watcher.listener({ kind: told === undefined ? "active" : "updated", path, suffix, route });
    }
  }
}
