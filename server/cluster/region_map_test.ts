import assert from "node:assert/strict";
import type { RegionMap } from "../../relay/cluster/regions.ts";
import type { NodeInfo } from "./node_info.ts";
import { followRegions, regionMapOf } from "./region_map.ts";

const settings = { region: "eu", cost: 1, regionCost: 10 };
const self = { url: "https://a.example/", region: "eu", hop: "101" };
const near = { url: "https://b.example/", region: "eu", hop: "102" };
const far = { url: "https://c.example/", region: "us", hop: "201" };
const FAR = { hop: 201n, region: "us", name: "201" };

Deno.test("regionMapOf() has the nodes whose hop is known, those that drain without a name", () => {
  const nodes = [{ ...near, draining: true }, far, { url: "https://d.example/", region: "us" }, {
    url: "https://e.example/",
    hop: "203",
  }];
  assert.deepEqual(regionMapOf({ self, nodes }, settings), {
    region: "eu",
    name: "101",
    surcharge: 12,
    nodes: [{ hop: 102n, region: "eu" }, FAR, { hop: 203n, name: "203" }],
  });
  const hashed = { ...far, url: `${far.url}?hash=00ff` };
  assert.deepEqual(regionMapOf({ self, nodes: [hashed] }, settings)!.nodes, [FAR]);
  assert.equal(regionMapOf({ self, nodes: [{ url: far.url }] }, settings), undefined);
  const leaving = regionMapOf({ self: { ...self, draining: true }, nodes: [far] }, settings);
  assert.equal(leaving!.name, undefined);
});

Deno.test("followRegions() tells changes of the regions, and nothing when only the load has changed", () => {
  let listener = () => {};
  const cluster = {
    self,
    nodes: [near] as NodeInfo[],
    onChange: (call: () => void) => {
      listener = call;
      return () => listener = () => {};
    },
  };
  const told: (RegionMap | undefined)[] = [];
  const end = followRegions(cluster, () => settings, (map) => told.push(map));
  const becomes = (...nodes: NodeInfo[]) => {
    cluster.nodes = nodes;
    listener();
  };
  assert.equal(told.length, 1);
  becomes(near, far);
  becomes(near, { ...far, load: { sessions: 1, mbps: 2, cpu: 0.5 } });
  assert.deepEqual(told.map((map) => map?.nodes.length), [1, 2]);
  becomes(near, { ...far, draining: true });
  becomes();
  assert.deepEqual(told.map((map) => map?.nodes.length), [1, 2, 2, undefined]);
  end();
  becomes(near, far);
  assert.equal(told.length, 4);
});
