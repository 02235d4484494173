/** The other nodes, and the links to them. */
import { type ClusterJson, SHAPES } from "../../../admin/shapes.ts";
import { clusterJson } from "./cluster_json.ts";
import type { AdminRoute } from "./route.ts";

export const CLUSTER_ROUTES: readonly AdminRoute[] = [
  {
    method: "get",
    path: "/api/v1/cluster",
    id: "getCluster",
    group: "Nodes",
    access: "read",
    summary: "Show the nodes and links that this node knows",
    about: "No node sees more than its own links, and what the directories tell of the others.",
    answers: { 200: { about: "the cluster", shape: SHAPES.Cluster } },
    handle: ({ c, view }) => c.json(clusterJson(view.cluster) satisfies ClusterJson),
  },
];
