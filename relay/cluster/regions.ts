/**
 * The nodes of a cluster and their regions, as one node sees them. What has come through another node entered the cluster
 * there, also where a common parent tells it: no node is told it again, as it hears that from there. Media comes into a region once: a broadcast of another region has a shield
 * here, one of the region's nodes, chosen by rendezvous hashing. The shield tells the nodes of its region what it hears from
 * there. They hear it from there too, but give that route a higher price. So they ask the shield, and fall back to the direct
 * route the moment the shield is gone.
 *
 * Nodes may disagree for a while about who is there. Nothing depends on it: only what came directly from another region is
 * told on, so no chain has more than two nodes behind the one where it entered.
 *
 * @module
 */
import type { HopId, Route } from "../route.ts";
import { nodeOf } from "./rendezvous.ts";

/** The regions as plain data, which may go to another thread. */
export interface RegionMap {
  /** That of this node. */
  readonly region: string;
  /** What this node is called: its hop id. All nodes must call it the same. Without it, or while it drains, it is no shield. */
  readonly name?: string;
  /** What a direct route to another region costs more where another node is its shield. More than a link within a region. */
  readonly surcharge: number;
  /** The other nodes whose hop id is known. */
  readonly nodes: readonly MappedNode[];
}

/** One of the other nodes. */
export interface MappedNode {
  readonly hop: HopId;
  /** Absent where that is not known. */
  readonly region?: string;
  /** What it is called. Absent while it drains: it is no shield. */
  readonly name?: string;
}

/** What {@link Regions} asks of a route. */
export type Told = Pick<Route, "hops" | "peer">;

export class Regions {
  readonly #map: RegionMap;
  readonly #regions: ReadonlyMap<HopId, string | undefined>;
  /** The names of the nodes of this region that may be shields. */
  readonly #near: readonly string[];
  readonly #last: { path: string | undefined; shield: string | undefined } = {
    path: undefined,
    shield: undefined,
  };

  constructor(map: RegionMap) {
    this.#map = map;
    this.#regions = new Map(map.nodes.map(({ hop, region }) => [hop, region]));
    const near = map.nodes.filter(({ region }) => region === map.region);
    const names = [map, ...near].flatMap(({ name }) => name ?? []);
    this.#near = [...new Set(names)];
  }

  /** The other nodes. */
  nodes(): Iterable<HopId> {
    return this.#regions.keys();
  }

  isNode(hop: HopId): boolean {
    return this.#regions.has(hop);
  }

  /** Whether a route entered the cluster at another node. */
  isForeign({ hops, peer = false }: Told): boolean {
    return peer || hops.some((hop) => this.#regions.has(hop));
  }

  /** Whether a node stands in this region; `undefined` where that is not known. */
  isNear(hop: HopId): boolean | undefined {
    const region = this.#regions.get(hop);
    return region === undefined ? undefined : region === this.#map.region;
  }

  /** Whether a node of another region told this route. */
  isFar({ hops, peer = false }: Told): boolean {
    return peer && hops.length > 0 && this.isNear(hops.at(-1)!) === false;
  }

  /** Whether this node is the shield of a broadcast of another region. */
  shields(path: string, route: Told): boolean {
    const { name } = this.#map;
    return name !== undefined && this.isFar(route) && this.#shieldOf(path) === name;
  }

  /** One change is looked at for each node that may hear of it: the last answer is kept. */
  #shieldOf(path: string): string | undefined {
    const last = this.#last;
    if (last.path !== path) {
      last.path = path;
      last.shield = nodeOf(path, this.#near);
    }
    return last.shield;
  }

  /** What a route costs more. */
  surcharge(path: string, route: Told): number {
    const { surcharge } = this.#map;
    if (this.#near.length === 0 || !this.isFar(route)) return 0;
    return this.shields(path, route) ? 0 : surcharge;
  }
}
