/**
 * What the nodes of a cluster know of each other.
 *
 * @module
 */

/** How much a node does now. */
export interface NodeLoad {
  readonly sessions: number;
  /** Megabits of media that it sends per second. */
  readonly mbps: number;
  /** CPU of all its threads, as a fraction of the machine: 0 to 1. */
  readonly cpu: number;
}

/** Most that a node is meant to do, in the units of {@link NodeLoad}. What is absent has no bound. */
export type NodeCapacity = Partial<NodeLoad>;

/** One node as a directory lists it, or as it tells the others itself. Plain data, as JSON in a directory. */
export interface NodeInfo {
  /** What other nodes and viewers dial. It has no token. */
  readonly url: string;
  /** Its hop id in decimal digits. Absent where the directory does not know: a list, a DNS record. */
  readonly hop?: string;
  readonly region?: string;
  /** The version of the program. */
  readonly version?: string;
  readonly load?: NodeLoad;
  readonly capacity?: NodeCapacity;
  /** It is about to leave: nobody is sent there. */
  readonly draining?: boolean;
  /** The price of a link to it. Default: that of the configuration. */
  readonly cost?: number;
  /** The name that its certificate has, where `url` has an address: a node that was found by DNS. */
  readonly serverName?: string;
}
