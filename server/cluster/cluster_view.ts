/**
 * The cluster as others see it: HTTP, the metrics, whoever places viewers. They read it and own nothing of it.
 *
 * @module
 */
import type { DirectoryState } from "./directory.ts";
import type { NodeInfo } from "./node_info.ts";

/** How a link stands. `standby`: the other node has dialed us, and its link is the one in use. */
export type LinkState = "connecting" | "connected" | "waiting" | "standby" | "stopped";

/** One link to another relay. */
export interface LinkView {
  /** Without tokens. For a link that the other side has dialed: the URL that a directory has for its hop, else its address. */
  readonly url: string;
  /** parent: an upstream relay. peer: another node of the cluster. */
  readonly role: "parent" | "peer";
  /** Whether we dialed it. */
  readonly dialed: boolean;
  readonly state: LinkState;
  /** What a route over this link costs more. */
  readonly cost: number;
  /** Hop id of the other side; absent while it is not known. */
  readonly hop?: string;
  readonly region?: string;
  /** Protocol version in use; absent while there is no session. */
  readonly version?: string;
  /** The id of its session; absent while there is none. */
  readonly session?: number;
  /** Attempts and successful ones since the start; 0 where the other side dials. */
  readonly attempts: number;
  readonly links: number;
  readonly lastError?: string;
  /** When it came into this state, in milliseconds since 1970. */
  readonly sinceMs: number;
}

/** What this node knows of the cluster. */
export interface ClusterView {
  /** This node; absent where it has no URL to tell. */
  readonly self: NodeInfo | undefined;
  /** The other nodes, as the directories have them. */
  readonly nodes: readonly NodeInfo[];
  readonly links: readonly LinkView[];
  readonly directories: readonly DirectoryState[];
}

/** Links to upstream relays: how many of them there are, and are connected. */
export function parentsOf({ links }: Pick<ClusterView, "links">): {
  readonly all: readonly LinkView[];
  readonly connected: number;
} {
  const all = links.filter(({ role }) => role === "parent");
  return { all, connected: all.filter(({ state }) => state === "connected").length };
}
