/** Makes the cluster of a server from its configuration. */
import { isIpAddress, unbracketed } from "../../config/address.ts";
import type { Config } from "../../config/schema.ts";
import type { Logger } from "../../base/logger.ts";
import { addressesOfMachine } from "../auth/node_names.ts";
import { Cluster } from "./cluster.ts";
import type { ToldNodes } from "./told_nodes.ts";
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
  readonly told: ToldNodes;
  readonly tell: (text: string) => void;
  readonly log: Logger;
}

/** It looks for nobody yet. */
export function openCluster({ config, address, log, ...parts }: ClusterParts): Cluster {
  return new Cluster({
    config,
    ...parts,
    directories: openDirectories(config.cluster, address.port, log),
    isOwn: ownAddresses(address),
  });
}

/** All addresses of the machine. */
const EVERYWHERE = ["::", "0.0.0.0"];

/**
 * Whether a URL has an address and the port at which this node listens: DNS names this node like all others.
 * @param listening Where this node listens.
 */
export function ownAddresses(
  listening: { readonly hostname: string; readonly port: number },
): (url: string) => boolean {
  let own: ReadonlySet<string> | undefined;
  return (url) => {
    const { hostname, port } = new URL(url);
    const host = unbracketed(hostname);
    if (!isIpAddress(host) || Number(port || 443) !== listening.port) return false;
    // Looked up when a node was found at such an address. Without them, a link to this node itself is found out by its hop id.
    own ??= new Set(
      EVERYWHERE.includes(listening.hostname) ? addressesOfMachine() : [listening.hostname],
    );
    return own.has(host);
  };
}
