import assert from "node:assert/strict";
import { SHAPES } from "../../../admin/shapes.ts";
import type { ClusterView } from "../../cluster/cluster_view.ts";
import { clusterJson } from "./cluster_json.ts";

const VIEW: ClusterView = {
  self: {
    url: "https://a.example/",
    hop: "7",
    region: "eu",
    version: "0.1.0",
    load: { sessions: 3, mbps: 1.5, cpu: 0.25 },
    capacity: { sessions: 1000 },
    draining: true,
  },
  nodes: [{ url: "https://b.example/", cost: 5 }],
  links: [{
    url: "https://b.example/",
    role: "peer",
    dialed: true,
    state: "waiting",
    cost: 5,
    attempts: 2,
    links: 0,
    lastError: "refused",
    sinceMs: 1_700_000_000_000,
  }],
  directories: [{ kind: "redis", reachable: false, lastError: "away" }, {
    kind: "list",
    reachable: true,
  }],
};

Deno.test("the cluster is told as its shape says, what is not known as null", () => {
  const told = clusterJson(VIEW);
  assert.deepEqual(SHAPES.Cluster.parse(told), told);
  assert.deepEqual(told.self!.capacity, { sessions: 1000 });
  const [node] = told.nodes;
  assert.deepEqual([node!.hop, node!.load, node!.draining], [null, null, false]);
  assert.equal(told.links[0]!.since, "2023-11-14T22:13:20.000Z");
  assert.deepEqual(told.directories.map(({ lastError }) => lastError), ["away", null]);
});

Deno.test("a server without a cluster tells an empty one", () => {
  const told = clusterJson(undefined);
  assert.deepEqual(told, { nodes: [], links: [], directories: [] });
  assert.deepEqual(SHAPES.Cluster.parse(told), told);
});
