/**
 * Which nodes are linked with which, and how far apart they are.
 *
 * @module
 */

export const TOPOLOGIES = ["mesh", "regions", "tree", "ring", "chain"] as const;
export type TopologyName = typeof TOPOLOGIES[number];

/** parent: `from` dials its upstream relay. peer: two nodes of one cluster. */
export type LinkRole = "parent" | "peer";

/** One link. Nodes are counted from 0. */
export interface LinkPlan {
  readonly from: number;
  readonly to: number;
  readonly role: LinkRole;
  /** The price of a route over it. */
  readonly cost: number;
  /** One way. */
  readonly latencyMs: number;
}

export interface Topology {
  readonly name: TopologyName;
  /** The region of each node. */
  readonly regions: readonly string[];
  readonly links: readonly LinkPlan[];
}

export interface TopologyOptions {
  readonly nodes: number;
  /** Of "regions". Default 4. */
  readonly regions?: number;
  /** Children of a node of "tree". Default 10. */
  readonly fanout?: number;
  /** One way, inside of a region and from one to another. Default 2 and 40. */
  readonly nearMs?: number;
  readonly farMs?: number;
}

/** The prices of `cluster.cost` and `cluster.region_cost`. */
const NEAR_COST = 1;
const FAR_COST = 10;

export function topologyOf(name: TopologyName, options: TopologyOptions): Topology {
  const { nodes, fanout = 10, nearMs = 2, farMs = 40 } = options;
  const regions = Math.min(nodes, name === "regions" ? options.regions ?? 4 : 1);
  const regionOf = (i: number) => `r${i % regions}`;
  const all = Array.from({ length: nodes }, (_, i) => i);
  const parent = (from: number, to: number): LinkPlan => ({
    ...{ from, to, role: "parent", cost: NEAR_COST, latencyMs: farMs / 2 },
  });
  const links = (): LinkPlan[] => {
    switch (name) {
      case "mesh":
      case "regions":
        return all.flatMap((to) =>
          all.slice(to + 1).map((from): LinkPlan => {
            const near = regionOf(from) === regionOf(to);
            return {
              ...{ from, to, role: "peer" },
              cost: near ? NEAR_COST : FAR_COST,
              latencyMs: near ? nearMs : farMs,
            };
          })
        );
      case "tree":
        return all.slice(1).map((i) => parent(i, Math.floor((i - 1) / fanout)));
      case "chain":
        return all.slice(1).map((i) => parent(i, i - 1));
      case "ring":
        return nodes < 3
          ? all.slice(1).map((i) => parent(i, i - 1))
          : all.map((i) => parent(i, (i + 1) % nodes));
    }
  };
  return { name, regions: all.map(regionOf), links: links() };
}
