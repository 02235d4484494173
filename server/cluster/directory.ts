/**
 * A directory says which nodes a cluster has. There are five kinds of it, in `directories/`, with one contract.
 *
 * @module
 */
import type { NodeInfo } from "./node_info.ts";

/** How a directory stands. */
export interface DirectoryState {
  readonly kind: "list" | "file" | "url" | "redis" | "dns";
  /** Whether the last look succeeded. While it does not, the nodes of the last look hold. */
  readonly reachable: boolean;
  /** Why the last look failed, without tokens and passwords. */
  readonly lastError?: string;
}

/** Lists the nodes of a cluster, this one too where it is known there. Its owner closes it. */
export interface Directory {
  readonly state: DirectoryState;
  /**
   * Begins to look. Never throws: a directory that cannot be reached is asked again, and `onNodes` is not called with less.
   * @param self What this node tells the others now. Directories that nodes write to ask for it each time.
   * @param onNodes Called with all nodes there are, whenever that list or what it says of a node has changed.
   */
  start(self: () => NodeInfo | undefined, onNodes: (nodes: readonly NodeInfo[]) => void): void;
  /** Tells the others at once that something about this node has changed: it drains. */
  announce(): void;
  /** Ends, and takes this node out of the directory where it stands by a lease. Never rejects. */
  close(): Promise<void>;
}
