/**
 * The announced paths, each with its broadcasts: first the one that serves new readers, last those whose publishers were lost.
 *
 * @module
 */
import type { Broadcast } from "./broadcast.ts";
import { PathIndex } from "./path_index.ts";
import { comparePublishers, type Route } from "./route.ts";

export class AnnouncedPaths implements Iterable<readonly [string, readonly Broadcast[]]> {
  readonly #paths = new Map<string, readonly Broadcast[]>();
  readonly #index = new PathIndex();

  get size(): number {
    return this.#paths.size;
  }

  [Symbol.iterator](): IterableIterator<readonly [string, readonly Broadcast[]]> {
    return this.#paths.entries();
  }

  /** The broadcasts of a path. They are not changed: the next change makes a new list. */
  at(path: string): readonly Broadcast[] {
    return this.#paths.get(path) ?? [];
  }

  /** Every path at or below a prefix, as {@link PathIndex.below}. */
  below(prefix: string, hidden: boolean): readonly string[] {
    return this.#index.below(prefix, hidden);
  }

  /** Adds a broadcast, or finds the place of one whose routes have changed. */
  rank(broadcast: Broadcast): void {
    const { path } = broadcast;
    const here = this.#paths.get(path);
    if (here === undefined) {
      this.#paths.set(path, [broadcast]);
      this.#index.add(path);
      return;
    }
    if (here.length === 1 && here[0] === broadcast) return;
    const others = here.filter((other) => other !== broadcast);
    const behind = others.findIndex((other) => isBefore(broadcast, other));
    others.splice(behind < 0 ? others.length : behind, 0, broadcast);
    this.#paths.set(path, others);
  }

  /** @returns Whether it was there. */
  delete(broadcast: Broadcast): boolean {
    const { path } = broadcast;
    const here = this.at(path);
    const left = here.filter((other) => other !== broadcast);
    if (left.length === here.length) return false;
    if (left.length > 0) {
      this.#paths.set(path, left);
      return true;
    }
    this.#paths.delete(path);
    this.#index.delete(path);
    return true;
  }

  /**
   * Which broadcast at a path serves new readers by an allowed route, or waits for its publisher with one.
   * @param whole No route with `onlyTracks` is allowed.
   */
  current(
    path: string,
    allowed: (route: Route, at: string) => boolean,
    whole = false,
  ): Broadcast | undefined {
    let best: Broadcast | undefined;
    let route: Route | undefined;
    for (const broadcast of this.at(path)) {
      const [first] = broadcast.routes;
      if (whole && first?.onlyTracks === true) break;
      // The rest is worse.
      if (best !== undefined && first === undefined) break;
      if (route !== undefined && comparePublishers(route, first!) < 0) break;
      if (broadcast.heldBack) continue;
      const candidate = broadcast.routes.find((each) => allowed(each, path));
      if (candidate === undefined) {
        if (broadcast.lost !== undefined && allowed(broadcast.lost, path)) best ??= broadcast;
      } else if (route === undefined || comparePublishers(candidate, route) < 0) {
        best = broadcast;
        route = candidate;
      }
    }
    return best;
  }
}

/** Whether a broadcast goes before another one with all of its routes. */
function isBefore({ routes: [a] }: Broadcast, { routes: [b] }: Broadcast): boolean {
  return a !== undefined && (b === undefined || comparePublishers(a, b) < 0);
}
