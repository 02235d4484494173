/**
 * The regions of the cluster, as the core takes them.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import type { Config } from "../../config/schema.ts";
import type { MappedNode, RegionMap } from "../../relay/cluster/regions.ts";
import type { NodeInfo } from "./node_info.ts";

/** What it asks of the cluster. */
export interface Mapped {
  readonly self: Pick<NodeInfo, "hop" | "draining">;
  readonly nodes: readonly NodeInfo[];
  onChange(listener: () => void): () => void;
}

type Settings = Pick<Config["cluster"], "region" | "cost" | "regionCost">;

/** @returns `undefined` where no other node is known. */
export function regionMapOf(
  { self, nodes }: Pick<Mapped, "self" | "nodes">,
  { region, cost, regionCost }: Settings,
): RegionMap | undefined {
  const mapped = nodes.flatMap((node): MappedNode[] => {
    const { hop, region, draining = false } = node;
    if (hop === undefined || !/^\d{1,19}$/.test(hop)) return [];
    return [{
      hop: BigInt(hop),
      ...(region === undefined ? {} : { region }),
      ...(draining ? {} : { name: hop }),
    }];
  });
  if (mapped.length === 0) return undefined;
  const named = self.hop !== undefined && self.draining !== true;
  return {
    region,
    ...(named ? { name: self.hop! } : {}),
    // Through the shield a broadcast costs its price there, and a link within the region. Single links may have other prices.
    surcharge: regionCost + cost + 1,
    nodes: mapped,
  };
}

/** Tells what the regions are, now and after each change. @returns Ends that. */
export function followRegions(
  cluster: Mapped,
  settings: () => Settings,
  tell: (map: RegionMap | undefined) => void,
): () => void {
  let told: RegionMap | undefined;
  const look = () => {
    const map = regionMapOf(cluster, settings());
    if (isDeepStrictEqual(map, told)) return;
    told = map;
    tell(map);
  };
  look();
  return cluster.onChange(look);
}
