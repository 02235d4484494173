/**
 * The part of an origin for other nodes of a cluster: what their routes cost, and what they are told. A relay has it. A page
 * does not load it.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { AnnouncedPaths } from "../announced_paths.ts";
import { type HopId, type Route, UPDATE_HOLD_MS } from "../route.ts";
import { type RegionMap, Regions, type Told } from "./regions.ts";
import { routeTie } from "./route_tie.ts";

/** How many routes get another price at once, when the regions have changed. */
const PRICED_AT_ONCE = 500;

/** What it asks of its origin. */
export interface NodesHost {
  readonly clock: Clock;
  readonly paths: AnnouncedPaths;
  readonly watchers: {
    /** Tells the watchers of a path that it has changed. */
    tell(path: string): void;
    /** Tells these nodes what they may hear of by now. */
    tellNodes(nodes: ReadonlySet<HopId>): void;
  };
}

/** A running announcement of another node. */
export interface FromNode {
  readonly path: string;
  /** As it was announced last. */
  readonly told: () => Told;
  /** Prices it anew. */
  readonly again: () => void;
}

/** Makes it, for `Origin.allowNodes`. */
export function originNodes(host: NodesHost): OriginNodes {
  return new OriginNodes(host);
}

export class OriginNodes {
  readonly #host: NodesHost;
  #regions: Regions | undefined;
  /** The regions that count in a moment. */
  #next: { map: RegionMap | undefined } | undefined;
  /** Whether some routes do not have their price by the regions yet. */
  #pricing = false;
  /** What other nodes announce. */
  readonly #fromNodes = new Set<FromNode>();

  constructor(host: NodesHost) {
    this.#host = host;
  }

  /**
   * Says which nodes the cluster has, and in which region each stands: prices change, and what other nodes are told. The first
   * map counts at once; changes of {@link UPDATE_HOLD_MS} count as one.
   */
  setRegions(map: RegionMap | undefined): void {
    if (this.#next !== undefined) {
      this.#next.map = map;
      return;
    }
    if (this.#regions === undefined) return this.#take(map);
    const { clock } = this.#host;
    const next = this.#next = { map };
    const take = () => {
      if (this.#pricing) return void clock.after(UPDATE_HOLD_MS, take);
      this.#next = undefined;
      this.#take(next.map);
    };
    clock.after(UPDATE_HOLD_MS, take);
  }

  /** Another node has announced something. @returns Withdraws it. */
  entered(announcement: FromNode): () => void {
    this.#fromNodes.add(announcement);
    return () => this.#fromNodes.delete(announcement);
  }

  /** The route of another node with its price and its place among equal ones. */
  priced(path: string, route: Route): Route {
    // A sibling's route has the surcharge already.
    const { source, warm, cold, hops } = route;
    const more = source.sibling === true ? 0 : this.#regions?.surcharge(path, route) ?? 0;
    return { ...route, warm: warm + more, cold: cold + more, tie: routeTie(path, hops) };
  }

  /**
   * Whether another node that asks is served by what a third one told. That is more than it may hear of: the shield may have
   * changed a moment ago. But such a request goes on to another region only, so it cannot go round.
   */
  mayServe(route: Route, node: HopId): boolean {
    const regions = this.#regions;
    return regions !== undefined && regions.isFar(route) && regions.isNear(node) === true;
  }

  /**
   * Whether who watches may hear of a route. A node may, if it entered the cluster here, or if this node is its shield in their
   * region.
   * @param peer The listener is another node. One that has shown no token is told no more.
   */
  mayTell(route: Route, path: string, listener: HopId, peer: boolean): boolean {
    const regions = this.#regions;
    if (!peer && regions?.isNode(listener) !== true) return true;
    if (route.peer === true && !this.mayServe(route, listener)) return false;
    const foreign = regions?.isForeign(route) ?? route.peer === true;
    return !foreign || regions?.shields(path, route) === true;
  }

  #take(map: RegionMap | undefined): void {
    const { paths, watchers } = this.#host;
    const before = this.#regions;
    const now = this.#regions = map && new Regions(map);
    this.#pricing = true;
    this.#price([...this.#fromNodes], before, now);
    for (const [path, all] of [...paths]) {
      const isOther = (route: Route) =>
        route.peer !== true && before?.isForeign(route) !== now?.isForeign(route);
      if (all.some(({ routes }) => routes.some(isOther))) watchers.tell(path);
    }
    const moved = new Set([before, now].flatMap((by) => [...by?.nodes() ?? []]));
    for (const hop of moved) {
      if (before?.isNear(hop) !== now?.isNear(hop)) continue;
      if (before?.isNode(hop) === now?.isNode(hop)) moved.delete(hop);
    }
    watchers.tellNodes(moved);
  }

  /** Gives the routes of other nodes the price that they have by now. After a slice of them others have their turn. */
  #price(all: FromNode[], before: Regions | undefined, now: Regions | undefined): void {
    for (const one of all.splice(0, PRICED_AT_ONCE)) {
      if (!this.#fromNodes.has(one)) continue;
      const { path, told, again } = one;
      const route = told();
      const shields = (by: Regions | undefined) => by?.shields(path, route) ?? false;
      if (before?.surcharge(path, route) !== now?.surcharge(path, route)) again();
      if (shields(before) !== shields(now)) this.#host.watchers.tell(path);
    }
    this.#pricing = all.length > 0;
    if (this.#pricing) this.#host.clock.after(0, () => this.#price(all, before, now));
  }
}
