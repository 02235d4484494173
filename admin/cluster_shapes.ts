/**
 * The shapes of what a node knows of its cluster.
 *
 * @module
 */
import { z } from "zod";
import { count, time } from "./kinds.ts";

const { string, boolean: yes, array: list, number, strictObject: object } = z;

const hop = string().regex(/^\d{1,19}$/)
  .describe("Its hop id in decimal; `null` while it is not known.").nullable();
const region = string().describe("Where it stands; `null` while it is not known.").nullable();

const CAPACITY = {
  sessions: number().min(0).describe("Sessions that it serves."),
  mbps: number().min(0).describe("Megabits of media that it sends per second."),
  cpu: number().min(0).describe("CPU of all its threads, as a fraction of the machine: 0 to 1."),
};

const ClusterNode = object({
  url: string().describe("What other nodes and viewers dial."),
  hop,
  region,
  version: string().describe("Version of its program; `null` while it is not known.").nullable(),
  load: object(CAPACITY).describe("What it does now; `null` where nobody says.").nullable(),
  capacity: object(CAPACITY).partial()
    .describe("What it is meant to do at most. What is absent has no bound."),
  draining: yes().describe("It is about to leave."),
}).describe("A node of the cluster, as a directory or the node itself tells it.");

const Link = object({
  url: string().describe(
    "The other relay; its address where it has dialed us and no directory knows it.",
  ),
  role: z.enum(["parent", "peer"])
    .describe("parent: an upstream relay; peer: another node of the cluster."),
  dialed: yes().describe("Dialed by this node."),
  state: z.enum(["connecting", "connected", "waiting", "standby", "stopped"])
    .describe(
      "How it stands. waiting: it is dialed again soon. standby: the other node's link is in use.",
    ),
  cost: number().describe("What a route over it costs more."),
  hop,
  region,
  version: string().describe("Version of the protocol; `null` while there is no session.")
    .nullable(),
  session: count("Number of its session; `null` while there is none.").nullable(),
  attempts: count("How often it was dialed."),
  links: count("How often it was connected."),
  lastError: string().describe(
    "Why it could not be dialed, or was lost; `null` while nothing is wrong.",
  )
    .nullable(),
  since: time("Since when it is in this state."),
}).describe("A link to another relay.");

const Directory = object({
  kind: z.enum(["list", "file", "url", "redis", "dns"]).describe("Which directory it is."),
  reachable: yes().describe(
    "Whether the last look succeeded. If not, the nodes of the last look hold.",
  ),
  lastError: string().describe("Why the last look failed; `null` when it did not.").nullable(),
}).describe("Where the nodes of the cluster are listed.");

/** Those that have a name in the documents. */
export const CLUSTER_SHAPES = {
  Cluster: object({
    self: ClusterNode.describe("This node; absent where it has no URL to tell.").optional(),
    nodes: list(ClusterNode).describe("The others, as the directories have them."),
    links: list(Link).describe("To parents and to other nodes."),
    directories: list(Directory).describe("Those that are asked."),
  }).describe("What this node knows of its cluster."),
  ClusterNode,
  Link,
  Directory,
};
