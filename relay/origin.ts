/**
 * The namespace of all announcements: which source offers which broadcast by which route, and who watches.
 *
 * One path may have several publishers. New readers get the newest one. Readers of an older one keep it, and it serves new
 * readers again when the newer one leaves. Routes with the same publisher (the same first hop) belong to one broadcast.
 *
 * @module
 */
import { MAX_HOPS, normalizePath, prefixesOf } from "../wire/path.ts";
import { Broadcast } from "./broadcast.ts";
import { PathIndex } from "./path_index.ts";
import type { BroadcastSource } from "./ports.ts";
import {
  comparePublishers,
  compareRoutes,
  type HopId,
  isAnonymous,
  isExcluded,
  isLoop,
  publisherOf,
  type Route,
  serves,
} from "./route.ts";
import type { TrackContext } from "./track.ts";
import { type AnnounceEvent, type PacedWatch, Watchers, type WatchOptions } from "./watchers.ts";

export type { AnnounceEvent, PacedWatch, Watch, WatchOptions } from "./watchers.ts";

/**
 * When a route is withdrawn, how long a worse route of the same path is not told: it may be about to be withdrawn too.
 * Without this, relays in a ring would announce to each other what each has from the others.
 */
const HOLD_BACK_MS = 2000;

/**
 * Most broadcasts that wait for a lost publisher at one time. Above it, the one that has waited longest is given up. One
 * session may announce this many by default, so a lost link to another relay keeps all of its broadcasts.
 */
const MAX_LINGERING = 20_000;

/** What a source says about a broadcast that it offers. */
export interface Announcement {
  /** The chain so far: the publisher first, the announcing peer last. Empty for a publisher in this process. */
  readonly hops: readonly HopId[];
  readonly warm: number;
  readonly cold: number;
  /** For a sibling's route: its `order` there. */
  readonly order?: number;
  /** Whether its publisher may serve a path below the announced one. Absent: it may serve all of them. */
  readonly mayServe?: (path: string) => boolean;
  /** The tracks that its publisher has offered one by one (PUBLISH of moq-transport). */
  readonly tracks?: ReadonlySet<string>;
  /** Whether it serves `tracks` and no others. Default: it serves whatever is asked for. */
  readonly onlyTracks?: boolean;
}

/** A running announcement. Its owner ends it. */
export interface Announced {
  readonly path: string;
  /** Changes the chain or the cost. */
  update(announcement: Announcement): void;
  /** Makes this route worse than every other one: its source is about to leave. */
  discourage(): void;
  /** Withdraws it. @param abrupt The source was lost without a word: then the broadcast lingers. */
  end(abrupt?: boolean): void;
}

/** A route and the broadcast it belongs to. */
interface Held {
  readonly broadcast: Broadcast;
  readonly route: Route;
}

export interface OriginOptions {
  readonly context: TrackContext;
  /** This relay's own id. */
  readonly hop: HopId;
  /** How long a broadcast stays announced after its publisher was lost, in milliseconds. */
  readonly lingerMs: number;
  /** Which thread of the relay this is. Threads number their routes differently. Default: the only thread. */
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
  readonly #index = new PathIndex();
  readonly #watchers: Watchers;
  /** What stops waiting for a lost publisher. */
  readonly #lingers = new Map<Broadcast, () => void>();
  /** The highest order seen, here or at a sibling: what comes in after hearing of it counts as newer. */
  #order = 0;

  constructor(options: OriginOptions) {
    this.#options = options;
    this.hop = options.hop;
    const current = (path: string, allowed: (route: Route) => boolean) =>
      this.#current(path, allowed);
    this.#watchers = new Watchers({ current }, options.context.clock);
  }

  get context(): TrackContext {
    return this.#options.context;
  }

  /** Paths announced now. */
  get size(): number {
    return this.#paths.size;
  }

  /**
   * Offers a broadcast. @returns `undefined` when it may not stand here: our own hop is in its chain or another stands there
   * twice (a loop), or the chain is too long.
   */
  announce(
    path: string,
    source: BroadcastSource,
    announcement: Announcement,
  ): Announced | undefined {
    const { hops } = announcement;
    if (this.#refuses(hops)) {
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
      if (this.#refuses(next.hops)) {
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
        this.#watchers.tell(at);
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
  watch(options: WatchOptions, listener: (event: AnnounceEvent) => void): PacedWatch {
    return this.#watchers.add(
      options,
      listener,
      (prefix, hidden) => this.#index.below(prefix, hidden),
    );
  }

  /**
   * The broadcast that serves a path: the one announced there, else the one with the longest announced path above it whose
   * publisher may serve this path too.
   * @param excludeHop Broadcasts that can only be reached through this hop, or through SIBLINGS, are passed over.
   */
  find(path: string, excludeHop: HopId = 0n): Broadcast | undefined {
    const wanted = normalizePath(path);
    const allowed = (route: Route) => !isExcluded(route, excludeHop) && serves(route, wanted);
    for (const at of prefixesOf(wanted)) {
      const found = this.#current(at, allowed);
      if (found !== undefined) return found;
    }
    return undefined;
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
    // Somebody else has come: who waited for the lost publisher waits in vain. Its end is told before the new one, so that
    // peers of every version hear that their tracks have to be asked for again.
    if (known === undefined) {
      for (const lost of here) {
        if (lost.lingering) this.#forget(path, lost);
      }
    }
    broadcast.setRoute(route);
    if (known === undefined) {
      this.#paths.set(path, [...this.#paths.get(path) ?? [], broadcast]);
      this.#index.add(path);
    }
    this.#watchers.tell(path);
    return { broadcast, route };
  }

  #route(source: BroadcastSource, announcement: Announcement): Route {
    const { index, count } = this.#options.place ?? { index: 0, count: 1 };
    const next = (Math.floor(this.#order / count) + 1) * count + index;
    const order = announcement.order ?? next;
    this.#order = Math.max(this.#order, order);
    return { source, ...announcement, order };
  }

  #refuses(hops: readonly HopId[]): boolean {
    return hops.length > MAX_HOPS || isLoop(hops, this.hop);
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
      this.#lingers.delete(broadcast); // so that the newest are last
      this.#lingers.set(broadcast, cancel);
      const [oldest] = this.#lingers.keys();
      if (this.#lingers.size > MAX_LINGERING) this.#forget(oldest!.path, oldest!);
      return;
    }
    broadcast.dropRoute(route);
    if (broadcast.routes.length === 0) {
      this.#holdEchoes(broadcast, route);
      this.#forget(broadcast.path, broadcast);
      return;
    }
    if (compareRoutes(route, broadcast.routes[0]!) < 0) {
      this.#watchers.keepQuiet(broadcast.path, HOLD_BACK_MS);
    }
    this.#watchers.tell(broadcast.path);
  }

  /** With unknown hops in the chain, a longer chain at the same path may be an echo of the withdrawn one. */
  #holdEchoes(gone: Broadcast, route: Route): void {
    for (const other of this.#paths.get(gone.path) ?? []) {
      const hops = other.routes[0]?.hops ?? [];
      if (!isAnonymous(hops) || hops.length <= route.hops.length || other.heldBack) continue;
      other.heldBack = true;
      this.context.clock.after(HOLD_BACK_MS, () => {
        other.heldBack = false;
        this.#watchers.tell(gone.path);
      });
    }
  }

  #forget(path: string, broadcast: Broadcast): void {
    const here = this.#paths.get(path);
    if (here === undefined) return;
    this.#lingers.get(broadcast)?.();
    this.#lingers.delete(broadcast);
    const left = here.filter((b) => b !== broadcast);
    if (left.length > 0) this.#paths.set(path, left);
    else {
      this.#paths.delete(path);
      this.#index.delete(path);
    }
    broadcast.abandon();
    this.#watchers.tell(path);
  }

  /** Which broadcast at a path serves new readers. */
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
}
