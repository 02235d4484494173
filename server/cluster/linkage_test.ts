import assert from "node:assert/strict";
import { parseConfig } from "../../config/load.ts";
import { silent } from "../../base/logger.ts";
import { PeerView } from "../../relay/cluster/peer_view.ts";
import type { RegionMap } from "../../relay/cluster/regions.ts";
import { FakeSource } from "../../tests/support/fixtures/relay.ts";
import { until } from "../../tests/support/fixtures/http.ts";
import { Relay } from "../relay.ts";
import { Linkage } from "./linkage.ts";

Deno.test("a region comes from the directory into the prices of every thread", async () => {
  const file = await Deno.makeTempFile();
  const near = { url: "https://127.0.0.1:1/near", region: "eu", hop: "102" };
  const far = { url: "https://127.0.0.1:1/far", region: "us", hop: "201" };
  await Deno.writeTextFile(file, JSON.stringify([near, far]));
  const { config } = parseConfig(JSON.stringify({
    cluster: { url: "https://127.0.0.1:2/self", region: "eu", nodes_file: file },
  }));
  const relay = new Relay({ hop: 101n });
  const told: (RegionMap | undefined)[] = [];
  const linkage = new Linkage({
    ...{ config, relay, address: { hostname: "127.0.0.1", port: 2 }, log: silent },
    workers: {
      ...{ onPeers: () => {}, onHeard: () => {}, onLost: () => {}, tell: () => {} },
      setRegions: (map) => void told.push(map),
    },
    load: () => ({ sessions: 0, mbps: 0, cpu: 0 }),
  });
  linkage.start();
  await until(() => told.length === 1);
  const mapped = told[0]!.nodes.map(({ hop, region }) => `${hop} ${region}`);
  assert.deepEqual(mapped.toSorted(), ["102 eu", "201 us"]);
  const node = new PeerView(relay.origin);
  const prices = new Set<number>();
  for (let i = 0; i < 50; i++) {
    node.announce(`room/${i}`, new FakeSource("far"), { hops: [9n, 201n], warm: 10, cold: 10 });
    prices.add(relay.origin.find(`room/${i}`)!.best()!.warm);
  }
  // This node is the shield of some, the other one of its region of the rest.
  assert.deepEqual([...prices].toSorted((a, b) => a - b), [10, 10 + config.cluster.regionCost + 2]);
  await linkage.close();
  await relay.close();
  await Deno.remove(file);
});
