/** Makes the cluster of a server from its configuration. */
import { networkInterfaces } from "node:os";
import { formatAddress, isIpAddress, unbracketed } from "../../config/address.ts";
import type { Config } from "../../config/schema.ts";
import type { Logger } from "../../base/logger.ts";
import { Cluster } from "./cluster.ts";
import { openDirectories } from "./directories/open.ts";
import type { NodeLoad } from "./node_info.ts";
import type { LinkSet } from "./links/wanted_link.ts";

export interface ClusterParts {
  readonly config: Config;
  readonly hop: bigint;
  /** Where this node listens. */
  readonly address: { readonly hostname: string; readonly port: number };
  readonly links: LinkSet;
  readonly load: () => NodeLoad;
  readonly draining: () => boolean;
  readonly log: Logger;
}

/** It looks for nobody yet. */
export function openCluster({ config, address, log, ...parts }: ClusterParts): Cluster {
  return new Cluster({
    config,
    ...parts,
    directories: openDirectories(config.cluster, address.port, log),
    isOwn: ownAddresses(address.port),
  });
}

/**
 * Whether a URL has an address of this machine and our port: DNS names this node like all others.
 * @param port Where this node listens.
 */
export function ownAddresses(port: number): (url: string) => boolean {
  const own = new Set<string>();
  try {
    for (const { address } of Object.values(networkInterfaces()).flatMap((one) => one ?? [])) {
      own.add(formatAddress({ hostname: address.replace(/%.*$/, ""), port }));
    }
  } catch {
    // Not permitted: a link to this node itself is found out by its hop id.
  }
  return (url) => {
    const { hostname, port } = new URL(url);
    const host = unbracketed(hostname);
    return isIpAddress(host) &&
      own.has(formatAddress({ hostname: host, port: Number(port || 443) }));
  };
}
