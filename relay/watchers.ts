/**
 * The watchers of announcements, by prefix. A change of one path visits only the watchers of its prefixes.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { isHidden, normalizePath, prefixesOf, stripPrefix } from "../wire/path.ts";
import type { Broadcast } from "./broadcast.ts";
import type { BroadcastSource } from "./ports.ts";
import type { OriginNodes } from "./cluster/origin_nodes.ts";
import {
  compareRoutes,
  type HopId,
  isExcluded,
  publisherOf,
  type Route,
  sameChain,
  UPDATE_HOLD_MS,
} from "./route.ts";

export { UPDATE_HOLD_MS } from "./route.ts";

/** News of one path for one watcher. */
export interface AnnounceEvent {
  /** active: announced. updated: another route or publisher serves it. ended: withdrawn. */
  readonly kind: "active" | "updated" | "ended";
  readonly path: string;
  /** Below the watched prefix. */
  readonly suffix: string;
  /** The best one. One with `onlyTracks` is told as long as no other one is there. */
  readonly route: Route | undefined;
}

export interface WatchOptions {
  readonly prefix?: string;
  /** Leaves out routes through this hop; with SIBLINGS those of other threads. */
  readonly excludeHop?: HopId;
  /** Includes hidden paths: those with a part that starts with a dot. */
  readonly hidden?: boolean;
  /**
   * The listener is another node of the cluster, with the id `excludeHop`: leaves out what other nodes told. A shield tells its
   * region what it has from others.
   */
  readonly peer?: boolean;
  /** Leaves out what this source announced itself. */
  readonly except?: BroadcastSource;
  /** Leaves out routes with `onlyTracks`: their publishers have not announced the namespace (moq-transport). */
  readonly whole?: boolean;
  /**
   * For a peer: updates wait for {@link UPDATE_HOLD_MS}. A route with the same chain and costs from another source is no
   * update, as the peer would see no difference.
   */
  readonly merged?: boolean;
  /** For a peer that sees costs: a broadcast whose publisher was lost is told as one that costs most, so that it looks elsewhere. */
  readonly priced?: boolean;
  /**
   * Whether the listener can take more. While it cannot, each path that changes is noted once. {@link PacedWatch.catchUp}
   * then tells its state at that time. What is announced when the watch begins is told in any case.
   */
  readonly ready?: () => boolean;
}

/** A running watch; its owner closes it. */
export interface Watch {
  close(): void;
}

/** A watch whose listener may fall behind. */
export interface PacedWatch extends Watch {
  /** Tells what has changed while the listener could not take more, as long as it can now. */
  catchUp(): void;
  /**
   * The listener has read from this broadcast, which is gone, and another publisher serves its path: an end and a beginning are
   * told, unless they were. The listener may have heard of the other one long before, and have kept to this one.
   */
  left(broadcast: Broadcast): void;
}

/** What the watchers ask the origin. */
export interface Current {
  /** Which broadcast serves a path by the allowed routes. @param whole None with `onlyTracks` is allowed. */
  current(
    path: string,
    allowed: (route: Route, path: string) => boolean,
    whole: boolean,
  ): Broadcast | undefined;
  /** Every path below a prefix. */
  below(prefix: string, hidden: boolean): readonly string[];
}

interface Watcher {
  readonly prefix: string;
  readonly hidden: boolean;
  readonly merged: boolean;
  readonly whole: boolean;
  /** Who listens, as far as that is known. */
  readonly hop: HopId;
  readonly allowed: (route: Route, path: string) => boolean;
  readonly priced: boolean;
  readonly told: Map<string, Route>;
  ready: () => boolean;
  /** Paths that changed while the listener could not take more. */
  readonly behind: Set<string>;
  /** Those among them whose publisher has begun anew: their end is told first. */
  readonly renewed: Set<string>;
  /** Broadcasts whose end was told for good. */
  readonly gone: WeakSet<Broadcast>;
  readonly listener: (event: AnnounceEvent) => void;
}

/** Watchers by prefix. */
export class ByPrefix<W> {
  readonly #watchers = new Map<string, Set<W>>();

  /** How many prefixes are watched. */
  get size(): number {
    return this.#watchers.size;
  }

  /** @returns Removes it. Harmless when it is removed. */
  add(prefix: string, watcher: W): () => void {
    let same = this.#watchers.get(prefix);
    if (same === undefined) this.#watchers.set(prefix, same = new Set());
    same.add(watcher);
    return () => {
      if (same.delete(watcher) && same.size === 0) this.#watchers.delete(prefix);
    };
  }

  /** Every watcher. */
  *all(): Generator<W> {
    for (const watchers of this.#watchers.values()) yield* watchers;
  }

  /** The watchers of a path. They may come and go meanwhile. */
  *of(path: string): Generator<W> {
    for (const prefix of prefixesOf(path)) yield* this.#watchers.get(prefix) ?? [];
  }
}

export class Watchers {
  readonly #origin: Current;
  readonly #clock: Clock;
  readonly #byPrefix = new ByPrefix<Watcher>();
  /** Paths whose worse route is not told yet, each with what ends the wait. */
  readonly #quiet = new Map<string, () => void>();
  /** Paths with updates that wait. */
  readonly #held = new Set<string>();
  /** It knows what other nodes may hear of. Without it, it is what entered the cluster here. */
  nodes: OriginNodes | undefined;

  constructor(origin: Current, clock: Clock) {
    this.#origin = origin;
    this.#clock = clock;
  }

  add(options: WatchOptions, listener: (event: AnnounceEvent) => void): PacedWatch {
    const { hidden = false, merged = false, whole = false, priced = false, ready = always } =
      options;
    const prefix = normalizePath(options.prefix ?? "");
    const watcher: Watcher = {
      prefix,
      hidden,
      merged,
      whole,
      hop: options.excludeHop ?? 0n,
      allowed: allowedBy(options, () => this.nodes),
      priced,
      told: new Map(),
      ready: always,
      behind: new Set(),
      renewed: new Set(),
      gone: new WeakSet(),
      listener,
    };
    const remove = this.#byPrefix.add(prefix, watcher);
    this.#tellAll(watcher);
    watcher.ready = ready;
    return {
      catchUp: () => {
        for (const path of watcher.behind) {
          if (!watcher.ready()) return;
          watcher.behind.delete(path);
          this.#tellOne(watcher, path, true);
        }
      },
      left: (broadcast) => this.#left(watcher, broadcast),
      close: () => {
        watcher.behind.clear();
        watcher.renewed.clear();
        watcher.told.clear();
        remove();
      },
    };
  }

  /** Tells the watchers of a path that it has changed. @param due Includes updates that wait. */
  tell(path: string, due = false): void {
    for (const watcher of this.#byPrefix.of(path)) this.#tellOne(watcher, path, due);
  }

  /** The publisher of a broadcast has begun anew: who watches it hears of an end, and of a new beginning. */
  renew({ path, publisher }: Broadcast): void {
    for (const watcher of this.#byPrefix.of(path)) {
      const told = watcher.told.get(path);
      if (told === undefined || publisherOf(told.hops) !== publisher) continue;
      watcher.renewed.add(path);
      this.#tellOne(watcher, path, true);
    }
  }

  /** Tells these nodes of the cluster what they may hear of by now. */
  tellNodes(nodes: ReadonlySet<HopId>): void {
    for (const watcher of [...this.#byPrefix.all()]) {
      if (nodes.has(watcher.hop)) this.#tellAll(watcher);
    }
  }

  #tellAll(watcher: Watcher): void {
    for (const path of this.#origin.below(watcher.prefix, watcher.hidden)) {
      this.#tellOne(watcher, path, true);
    }
  }

  /** A broadcast is gone, and its path was told. Who heard of its end does not hear of it again. */
  gone(broadcast: Broadcast): void {
    for (const watcher of this.#byPrefix.of(broadcast.path)) {
      if (!watcher.told.has(broadcast.path)) watcher.gone.add(broadcast);
    }
  }

  #left(watcher: Watcher, broadcast: Broadcast): void {
    const { path } = broadcast;
    if (watcher.gone.has(broadcast) || !watcher.told.has(path)) return;
    watcher.gone.add(broadcast);
    watcher.renewed.add(path);
    this.#tellOne(watcher, path, true);
  }

  /** For some time, watchers do not hear of a worse route to this path. */
  keepQuiet(path: string, forMs: number): void {
    this.#quiet.get(path)?.();
    const cancel = this.#clock.after(forMs, () => {
      this.#quiet.delete(path);
      this.tell(path, true);
    });
    this.#quiet.set(path, cancel);
  }

  #hold(path: string): void {
    if (this.#held.has(path)) return;
    this.#held.add(path);
    this.#clock.after(UPDATE_HOLD_MS, () => {
      this.#held.delete(path);
      this.tell(path, true);
    });
  }

  #tellOne(watcher: Watcher, path: string, due: boolean): void {
    const suffix = stripPrefix(path, watcher.prefix)!;
    if (!watcher.hidden && isHidden(suffix)) return;
    if (watcher.renewed.has(path)) {
      if (!watcher.ready()) return void watcher.behind.add(path);
      watcher.renewed.delete(path);
      if (watcher.told.delete(path)) {
        watcher.listener({ kind: "ended", path, suffix, route: undefined });
      }
    }
    const broadcast = this.#origin.current(path, watcher.allowed, watcher.whole);
    const told = watcher.told.get(path);
    if (broadcast?.lingering && told !== undefined) {
      if (!watcher.priced || told.warm === Infinity) return;
      if (!due) return this.#hold(path);
      return this.#tellRoute(watcher, path, { ...told, warm: Infinity, cold: Infinity });
    }
    const route = broadcast?.routes.find((each) => watcher.allowed(each, path));
    if (route === told || (route && told && sameToOthers(route, told, watcher.merged))) {
      return void watcher.behind.delete(path);
    }
    if (route && told && this.#quiet.has(path) && compareRoutes(route, told) > 0) return;
    if (route && told && watcher.merged && !due) return this.#hold(path);
    if (!watcher.ready()) return void watcher.behind.add(path);
    if (route === undefined) {
      watcher.told.delete(path);
      watcher.listener({ kind: "ended", path, suffix, route: undefined });
    } else this.#tellRoute(watcher, path, route);
  }

  #tellRoute(watcher: Watcher, path: string, route: Route): void {
    if (!watcher.ready()) return void watcher.behind.add(path);
    const kind = watcher.told.has(path) ? "updated" : "active";
    watcher.told.set(path, route);
    watcher.listener({ kind, path, suffix: stripPrefix(path, watcher.prefix)!, route });
  }
}

/** Which routes a watcher may hear of. */
export function allowedBy(
  { excludeHop = 0n, except, whole = false, peer = false }: WatchOptions,
  nodesNow: () => OriginNodes | undefined = () => undefined,
): (route: Route, path: string) => boolean {
  return (route, path) => {
    if (route.source === except || (whole && route.onlyTracks === true)) return false;
    if (isExcluded(route, excludeHop)) return false;
    return nodesNow()?.mayTell(route, path, excludeHop, peer) ?? (!peer || route.peer !== true);
  };
}

const always = (): boolean => true;

/** Whether a watcher sees no difference between two routes. @param remote The watcher is a peer: it sees no sources. */
function sameToOthers(a: Route, b: Route, remote: boolean): boolean {
  return (remote ||
    (a.source === b.source && a.onlyTracks === b.onlyTracks && a.peer === b.peer)) &&
    a.warm === b.warm && a.cold === b.cold &&
    sameChain(a.hops, b.hops);
}
