/** Five nodes in two regions, and what viewers notice when nodes die, hang and restart. */
import assert from "node:assert/strict";
import { inDirectory } from "../support/borrowed.ts";
import { redisServer, startRedis } from "../support/peers/redis.ts";
import { until } from "../support/server.ts";
import { clients, watchers } from "./support/audience.ts";
import { linked, meshed, startCluster, unlinked } from "./support/cluster.ts";
import { type ClusterNode, LIMIT_MS } from "./support/node.ts";
import { Source } from "./support/source.ts";

const WATCHERS = 200;
const CLIENTS = 30;

Deno.test({
  name:
    "five nodes: viewers miss nothing when another node dies, when theirs hangs, and when all are restarted",
  ignore: !redisServer.ok,
  fn: (t) =>
    inDirectory(async (dir) => {
      await using redis = await startRedis();
      // The publisher's region has one node: the others get media through the shield of theirs.
      const regions = ["west", "east", "east", "east", "east"];
      const flags = await meshed(dir, { regions, directory: ["--cluster.redis_url", redis.url] });
      await using cluster = await startCluster(5, (i, urls) => [...flags(i, urls), ...PATIENT]);
      const { nodes } = cluster;
      const [west, ...east] = nodes;
      await linked(nodes);

      await t.step("200 viewers, spread; kill -9 of the node in the middle", async () => {
        await using source = await Source.start(west.url, { path: "killed" });
        await using audience = await watchers(source, nodes, WATCHERS);
        await audience.goesOn(2);
        const each = WATCHERS / nodes.length;
        // Nodes hear of each other's regions in the first second, and feeds move then.
        const once = async () => await west.metric(SERVED) === each + 1;
        await until(once, "media to go into a region once", LIMIT_MS);
        const shield = await busiest(east);
        assert.equal(await shield.metric(SERVED), each + east.length - 1);

        await shield.kill();
        const others = audience.awayFrom(shield);
        await others.goesOn(12);
        await shield.start();
        await linked(nodes);
        await others.goesOn(2);
        await using late = await watchers(source, [shield], 2);
        await late.goesOn(2);
      });

      await t.step("a node hangs (SIGSTOP) and goes on", async () => {
        await using source = await Source.start(west.url, { path: "hung" });
        await using audience = await watchers(source, nodes, 10);
        const shield = await busiest(east);
        shield.freeze();
        const others = nodes.filter((node) => node !== shield);
        await unlinked(others, shield);
        await audience.awayFrom(shield).goesOn(6);
        shield.thaw();
        await linked(nodes);
        // Its own viewers too: it asks others for what it has missed.
        await audience.goesOn(3);
      });

      await t.step("all are restarted, one after another", async () => {
        const urls = nodes.map(({ url }) => url);
        const from = (i: number) => [...urls.slice(i % 5), ...urls.slice(0, i % 5)];
        await using source = await Source.start(from(0), { path: "restarted" });
        await using audience = await clients(source, nodes, CLIENTS, { urls: from });
        for (const node of nodes) {
          assert.equal(await node.end(), 0);
          await node.start();
          await linked(nodes);
          await audience.goesOn(2);
        }
      });
    }),
});

/** A node that hangs keeps its viewers, and goes on with a group however late its links stand again. */
const PATIENT = ["--server.idle_timeout", "1m", "--relay.linger", "1m"];
const SERVED = 'qumo_subscriptions{side="served"}';

/** The node that serves the most: its viewers, and other nodes. */
async function busiest(nodes: readonly ClusterNode[]): Promise<ClusterNode> {
  const served = await Promise.all(nodes.map((node) => node.metric(SERVED)));
  return nodes[served.indexOf(Math.max(...served))]!;
}
