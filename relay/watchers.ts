/**
 * Who wants to hear of announcements, by prefix: a change of one path visits those who asked for it and nobody else.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { isHidden, normalizePath, prefixesOf, stripPrefix } from "../wire/path.ts";
import type { Broadcast } from "./broadcast.ts";
import type { BroadcastSource } from "./ports.ts";
import { compareRoutes, type HopId, isExcluded, type Route } from "./route.ts";

/**
 * How long a change of a broadcast that stays announced is kept back from a watcher with `merged`. Several changes in that
 * time are told as one. As moq-net does (`update_hold`).
 */
export const UPDATE_HOLD_MS = 300;

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
  /**
   * For a peer: updates wait for {@link UPDATE_HOLD_MS}, and one that the peer could not tell from what it knows (the same
   * chain and costs from another source) is none.
   */
  readonly merged?: boolean;
  /**
   * Whether the listener can take more. While it cannot, paths that change are noted, each once, and told as they are by then
   * when it calls {@link PacedWatch.catchUp}. What there is at the beginning is told in any case.
   */
  readonly ready?: () => boolean;
}

/** A running watch; its owner closes it. */
export interface Watch {
  close(): void;
}

/** A watch whose listener may fall behind. */
export interface PacedWatch extends Watch {
  /** Tells what has changed while the listener could not take it, for as long as it can. */
  catchUp(): void;
}

/** What the watchers ask of the origin. */
export interface Current {
  /** Which broadcast serves a path, by the routes that are allowed. */
  current(path: string, allowed: (route: Route) => boolean): Broadcast | undefined;
}

interface Watcher {
  readonly prefix: string;
  readonly hidden: boolean;
  readonly merged: boolean;
  readonly allowed: (route: Route) => boolean;
  readonly told: Map<string, Route>;
  ready: () => boolean;
  /** Paths that changed while the listener could not take it. */
  readonly behind: Set<string>;
  readonly listener: (event: AnnounceEvent) => void;
}

export class Watchers {
  readonly #origin: Current;
  readonly #clock: Clock;
  readonly #byPrefix = new Map<string, Set<Watcher>>();
  /** Paths whose change to a worse route is not told yet. */
  readonly #quiet = new Map<string, () => void>();
  /** Paths with updates that wait. */
  readonly #held = new Set<string>();

  constructor(origin: Current, clock: Clock) {
    this.#origin = origin;
    this.#clock = clock;
  }

  /** @param existing The paths below a prefix, asked for once. */
  add(
    options: WatchOptions,
    listener: (event: AnnounceEvent) => void,
    existing: (prefix: string, hidden: boolean) => readonly string[],
  ): PacedWatch {
    const { excludeHop = 0n, except, hidden = false, merged = false, ready = always } = options;
    const prefix = normalizePath(options.prefix ?? "");
    const watcher: Watcher = {
      prefix,
      hidden,
      merged,
      allowed: (route) => route.source !== except && !isExcluded(route, excludeHop),
      told: new Map(),
      ready: always,
      behind: new Set(),
      listener,
    };
    let same = this.#byPrefix.get(prefix);
    if (same === undefined) this.#byPrefix.set(prefix, same = new Set());
    same.add(watcher);
    for (const path of existing(prefix, hidden)) this.#tellOne(watcher, path, true);
    watcher.ready = ready;
    return {
      catchUp: () => {
        for (const path of watcher.behind) {
          if (!watcher.ready()) return;
          watcher.behind.delete(path);
          this.#tellOne(watcher, path, true);
        }
      },
      close: () => {
        watcher.behind.clear();
        same.delete(watcher);
        if (same.size === 0 && this.#byPrefix.get(prefix) === same) this.#byPrefix.delete(prefix);
      },
    };
  }

  /** Something has changed at a path. @param due Also updates that wait are told now. */
  tell(path: string, due = false): void {
    for (const prefix of prefixesOf(path)) {
      const watchers = this.#byPrefix.get(prefix);
      if (watchers === undefined) continue;
      for (const watcher of watchers) this.#tellOne(watcher, path, due);
    }
  }

  /** The chain tells whose broadcast it is, and who must not hear of it: only the news of a worse route can wait. */
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
    const broadcast = this.#origin.current(path, watcher.allowed);
    const told = watcher.told.get(path);
    if (broadcast?.lingering && told !== undefined) return;
    const route = broadcast?.routes.find(watcher.allowed);
    if (route === told || (route && told && sameToOthers(route, told, watcher.merged))) {
      return void watcher.behind.delete(path);
    }
    if (route && told && this.#quiet.has(path) && compareRoutes(route, told) > 0) return;
    if (route && told && watcher.merged && !due) return this.#hold(path);
    if (!watcher.ready()) return void watcher.behind.add(path);
    if (route === undefined) {
      watcher.told.delete(path);
      watcher.listener({ kind: "ended", path, suffix, route: undefined });
    } else {
      watcher.told.set(path, route);
      watcher.listener({ kind: told === undefined ? "active" : "updated", path, suffix, route });
    }
  }
}

const always = (): boolean => true;

/** Whether a watcher would see no difference between two routes. @param remote It sees no sources. */
function sameToOthers(a: Route, b: Route, remote: boolean): boolean {
  return (remote || a.source === b.source) && a.warm === b.warm && a.cold === b.cold &&
    a.hops.length === b.hops.length && a.hops.every((hop, i) => hop === b.hops[i]);
}
