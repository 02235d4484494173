/** Nodes find each other behind Sentinels and in a Redis Cluster: real ones, as small as they come. */
import assert from "node:assert/strict";
import { createClient } from "@redis/client";
import { selfSigned } from "../../../config/tls/self_signed.ts";
import { redisNode } from "../../../tests/support/directories/redis_nodes.ts";
import { freePort, inDirectory, killed } from "../../../tests/support/borrowed.ts";
import { type Redis, redisServer, startRedis } from "../../../tests/support/peers/redis.ts";
import { until } from "../../../tests/support/server.ts";

const portOf = ({ url }: Redis) => new URL(url).port;

async function commanded<T>(url: string, ...args: string[]): Promise<T> {
  const client = createClient({ url });
  client.on("error", () => {});
  await client.connect();
  try {
    return await client.sendCommand(args) as T;
  } finally {
    client.destroy();
  }
}

/** A Sentinel that watches one master and gives it up after a second. */
async function startSentinel(master: Redis): Promise<AsyncDisposable & { readonly port: number }> {
  const dir = await Deno.makeTempDir();
  const port = freePort();
  const config = [
    ...[`port ${port}`, "bind 127.0.0.1", `dir ${dir}`],
    `sentinel monitor main 127.0.0.1 ${portOf(master)} 1`,
    ...["sentinel down-after-milliseconds main 500", "sentinel failover-timeout main 2000"],
  ];
  await Deno.writeTextFile(`${dir}/sentinel.conf`, config.join("\n"));
  const child = new Deno.Command(redisServer.path!, {
    args: [`${dir}/sentinel.conf`, "--sentinel"],
    ...{ stdin: "null", stdout: "null", stderr: "null" },
  }).spawn();
  await until(
    () => commanded(`redis://127.0.0.1:${port}`, "PING").then(() => true, () => false),
    "the Sentinel",
    20_000,
  );
  return {
    port,
    async [Symbol.asyncDispose]() {
      await killed(child);
      await Deno.remove(dir, { recursive: true });
    },
  };
}

Deno.test({
  name: "redis+sentinel: nodes find each other at the master, and nobody is dropped by a failover",
  ignore: !redisServer.ok,
  async fn() {
    await using first = await startRedis();
    await using second = await startRedis({ args: ["--replicaof", "127.0.0.1", portOf(first)] });
    await until(
      async () =>
        (await commanded<string>(second.url, "INFO", "replication")).includes("link_status:up"),
      "the replica",
    );
    await using sentinel = await startSentinel(first);
    await until(
      async () => {
        const known = await commanded<unknown[]>(
          ...[`redis://127.0.0.1:${sentinel.port}`, "SENTINEL", "REPLICAS", "main"] as const,
        );
        return known.length === 1;
      },
      "the Sentinel to know the replica",
      30_000,
    );
    const url = `redis+sentinel://127.0.0.1:${sentinel.port}/main`;
    await using a = redisNode(url, "a", 1);
    await using b = redisNode(url, "b", 2);
    for (const node of [a, b]) await node.sees("a b");
    await first.kill();
    for (const { directory } of [a, b]) await until(() => !directory.state.reachable, "the loss");
    for (const { directory } of [a, b]) {
      await until(() => directory.state.reachable, "the new master", 30_000);
    }
    await using c = redisNode(url, "c", 3);
    for (const node of [a, b, c]) await node.sees("a b c");
    for (const { told } of [a, b]) {
      assert.deepEqual(told.slice(told.indexOf("a b")), ["a b", "a b c"]);
    }
  },
});

Deno.test({
  name:
    "redis+cluster: nodes find each other in a Redis Cluster, with all keys in one slot, and again after it was away",
  ignore: !redisServer.ok,
  async fn() {
    await using redis = await startRedis({ args: ["--cluster-enabled", "yes"] });
    await commanded(redis.url, "CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    await until(
      async () => (await commanded<string>(redis.url, "CLUSTER", "INFO")).includes("state:ok"),
      "the Redis Cluster",
      30_000,
    );
    const url = `redis+cluster://127.0.0.1:${portOf(redis)}`;
    await using a = redisNode(url, "a", 1);
    await using b = redisNode(url, "b", 2);
    for (const node of [a, b]) await node.sees("a b");
    await b.directory.close();
    await a.sees("a");
    const keys = await commanded<string[]>(redis.url, "KEYS", "*");
    assert.deepEqual(keys.toSorted(), ["{test:}node:1", "{test:}nodes"]);

    await redis.kill();
    await until(() => !a.directory.state.reachable, "the loss");
    await redis.start();
    await until(() => a.directory.state.reachable, "the return", 30_000);
    await using c = redisNode(url, "c", 3);
    for (const node of [a, c]) await node.sees("a c");
    assert.deepEqual(a.told.slice(-2), ["a", "a c"]);
  },
});

Deno.test({
  name: "rediss: nodes find each other over TLS, and refuse a certificate of an unknown authority",
  ignore: !redisServer.ok,
  async fn() {
    await inDirectory(async (dir) => {
      const { cert, key } = await selfSigned(["localhost"]);
      const [certFile, keyFile] = [`${dir}/redis.crt`, `${dir}/redis.key`];
      await Deno.writeTextFile(certFile, cert);
      await Deno.writeTextFile(keyFile, key);
      const port = String(freePort());
      await using _redis = await startRedis({
        args: [
          ...["--tls-port", port, "--tls-cert-file", certFile, "--tls-key-file", keyFile],
          ...["--tls-ca-cert-file", certFile, "--tls-auth-clients", "no"],
        ],
      });
      const url = `rediss://localhost:${port}`;
      await using a = redisNode(url, "a", 1, { caFile: certFile });
      await using b = redisNode(url, "b", 2, { caFile: certFile });
      for (const node of [a, b]) await node.sees("a b");
      await using c = redisNode(url, "c", 3);
      await until(() => c.directory.state.lastError !== undefined, "the refusal");
      assert.match(c.directory.state.lastError!, /certificate/);
      assert.deepEqual(c.told, []);
    });
  },
});
