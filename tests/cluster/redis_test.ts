/** Nodes that find each other by Redis, which goes away and comes back. */
import assert from "node:assert/strict";
import { inDirectory } from "../support/borrowed.ts";
import { redisServer, startRedis } from "../support/peers/redis.ts";
import { until } from "../support/server.ts";
import { watchers } from "./support/audience.ts";
import { linked, meshed, startCluster } from "./support/cluster.ts";
import { neverFlaps } from "./support/listeners.ts";
import { type ClusterNode, LIMIT_MS } from "./support/node.ts";
import { Source } from "./support/source.ts";

Deno.test({
  name:
    "Redis may go away: the mesh goes on with what it knows, and takes newcomers in when it is back",
  ignore: !redisServer.ok,
  async fn(t) {
    await using redis = await startRedis();
    await inDirectory(async (dir) => {
      const flags = await meshed(dir, { directory: ["--cluster.redis_url", redis.url] });
      await using cluster = await startCluster(3, flags);
      const { nodes } = cluster;
      const [a, b, c] = nodes;
      await linked(nodes);
      await using source = await Source.start(a.url, { path: "match" });
      await using audience = await watchers(source, nodes, 9);

      await t.step("an anonymous publisher in this triangle never flaps", () => neverFlaps(nodes));

      await t.step(
        "while it is away, nobody misses a group, and new broadcasts are found",
        async () => {
          await redis.kill();
          await Promise.all(nodes.map((node) => reached(node, false)));
          await using other = await Source.start(c.url, { path: "other" });
          await using ofOther = await watchers(other, nodes);
          // Longer than its leases last.
          await Promise.all([audience.goesOn(15), ofOther.goesOn(3)]);
          assert.equal((await a.cluster()).nodes.length, 2);
        },
      );

      await t.step(
        "a node that dies meanwhile costs others nothing, and is found again",
        async () => {
          await c.kill();
          await audience.awayFrom(c).goesOn(10);
          await c.start();
          await Promise.all([a, b].map((node) => linksTo(node, c)));
        },
      );

      await t.step(
        "when it is back, all lease again, and a newcomer is linked with all",
        async () => {
          await redis.start();
          await Promise.all(nodes.map((node) => reached(node, true)));
          await using newcomers = await startCluster(1, flags);
          await linked([...nodes, ...newcomers.nodes]);
          await using late = await watchers(source, newcomers.nodes, 2);
          await Promise.all([late.goesOn(2), audience.awayFrom(c).goesOn(2)]);
        },
      );
    });
  },
});

/** Waits until a node says whether it reaches Redis. */
async function reached(node: ClusterNode, reachable: boolean): Promise<void> {
  await until(
    async () => (await node.cluster()).directories.every((one) => one.reachable === reachable),
    `${node.name} to notice that Redis is ${reachable ? "back" : "away"}`,
    LIMIT_MS,
  );
}

/** Waits until a node has an open link to another one. */
async function linksTo(node: ClusterNode, other: ClusterNode): Promise<void> {
  await until(
    async () =>
      (await node.cluster()).links.some(({ url, state }) =>
        url === other.url && state === "connected"
      ),
    `${node.name} to have a link to ${other.name}`,
    LIMIT_MS,
  );
}
