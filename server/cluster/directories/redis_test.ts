/** What happens to nodes in Redis when something goes wrong: a real redis-server each time. */
import assert from "node:assert/strict";
import { createClient } from "@redis/client";
import {
  LEASE,
  type RedisNode,
  redisNode,
} from "../../../tests/support/directories/redis_nodes.ts";
import { type Redis, redisServer, startRedis } from "../../../tests/support/peers/redis.ts";
import { until } from "../../../tests/support/server.ts";

const clientOf = (url: string) => createClient({ url, socket: { reconnectStrategy: 50 } });
type Client = ReturnType<typeof clientOf>;

function test(name: string, fn: (redis: Redis, raw: Client) => Promise<void>) {
  Deno.test({
    name: `redis: ${name}`,
    ignore: !redisServer.ok,
    async fn() {
      await using redis = await startRedis();
      const raw = clientOf(redis.url);
      raw.on("error", () => {});
      await raw.connect();
      try {
        await fn(redis, raw);
      } finally {
        raw.destroy();
      }
    },
  });
}

/** Ends it as a crash does: its lease stays where it is. */
async function crash(raw: Client, node: RedisNode): Promise<void> {
  const key = `test:node:${node.self.hop}`;
  const [held, score] = await Promise.all([raw.get(key), raw.zScore("test:nodes", node.self.hop!)]);
  await node.directory.close();
  await raw.set(key, held!, { expiration: { type: "PX", value: LEASE.leaseMs } });
  await raw.zAdd("test:nodes", { score: score!, value: node.self.hop! });
}

test(
  "a lease that ends is a leave, and a node that ends cleanly is out at once",
  async (redis, raw) => {
    await using a = redisNode(redis.url, "a", 1);
    await using b = redisNode(redis.url, "b", 2);
    await using c = redisNode(redis.url, "c", 3);
    await a.sees("a b c");
    const ttl = await raw.pTTL("test:node:1");
    assert.ok(ttl > 0 && ttl <= LEASE.leaseMs, `lease of ${ttl} ms`);
    await b.directory.close();
    assert.equal(await raw.exists("test:node:2"), 0, "nothing of it is left");
    assert.deepEqual((await raw.zRange("test:nodes", 0, -1)).toSorted(), ["1", "3"]);
    await a.sees("a c");
    await crash(raw, c);
    await a.sees("a");
  },
);

test("what a node tells of itself is told to others, and at once when it announces it", async (redis) => {
  await using a = redisNode(redis.url, "a", 1);
  await using b = redisNode(redis.url, "b", 2);
  await b.sees("a b");
  a.self = {
    ...a.self,
    region: "eu",
    version: "1.2.3",
    load: { sessions: 5, mbps: 1.5, cpu: 0.25 },
    capacity: { sessions: 10 },
  };
  await until(() => b.nodes[0]?.region === "eu", "what has changed");
  assert.deepEqual(b.nodes[0], a.self);
  a.self = { ...a.self, draining: true };
  a.directory.announce();
  await until(() => b.nodes[0]?.draining === true, "that it drains");
});

test("that comes back empty drops nobody: all write themselves again", async (redis) => {
  await using a = redisNode(redis.url, "a", 1);
  await using b = redisNode(redis.url, "b", 2);
  await using reader = redisNode(redis.url, "reader", undefined);
  const all = [a, b, reader];
  for (const node of all) await node.sees("a b");
  const before = all.map(({ told }) => told.length);
  await redis.kill();
  await redis.forget();
  for (const { directory } of all) await until(() => !directory.state.reachable, "the loss");
  await redis.start();
  for (const { directory } of all) await until(() => directory.state.reachable, "the return");
  await using c = redisNode(redis.url, "c", 3);
  for (const node of [...all, c]) await node.sees("a b c");
  all.forEach(({ told }, i) => assert.deepEqual(told.slice(before[i]), ["a b c"]));
});

test(
  "that loses what it knew while all are connected drops nobody, and who is gone leaves in the end",
  async (redis, raw) => {
    await using a = redisNode(redis.url, "a", 1);
    await using b = redisNode(redis.url, "b", 2);
    await using c = redisNode(redis.url, "c", 3);
    for (const node of [a, b, c]) await node.sees("a b c");
    const before = [a, b].map(({ told }) => told.length);
    await crash(raw, c); // nobody has noticed yet
    await raw.flushAll();
    for (const node of [a, b]) await node.sees("a b");
    [a, b].forEach(({ told }, i) => assert.deepEqual(told.slice(before[i]), ["a b"]));
  },
);

test("that hangs is said to be away, and nobody is dropped", async (redis) => {
  await using a = redisNode(redis.url, "a", 1);
  await using b = redisNode(redis.url, "b", 2);
  for (const node of [a, b]) await node.sees("a b");
  const before = [a, b].map(({ told }) => told.length);
  redis.signal("SIGSTOP");
  for (const { directory } of [a, b]) await until(() => !directory.state.reachable, "the silence");
  redis.signal("SIGCONT");
  for (const { directory } of [a, b]) await until(() => directory.state.reachable, "the return");
  await using c = redisNode(redis.url, "c", 3);
  for (const node of [a, b, c]) await node.sees("a b c");
  [a, b].forEach(({ told }, i) => assert.deepEqual(told.slice(before[i]), ["a b c"]));
});

test("of two nodes with one hop id the first stays, and the other says what to do", async (redis) => {
  await using a = redisNode(redis.url, "a", 1);
  await a.sees("a");
  await using twin = redisNode(redis.url, "twin", 1);
  await until(() => twin.directory.state.lastError !== undefined, "the complaint");
  assert.match(
    twin.directory.state.lastError!,
    /hop id 1 is that of https:\/\/a\.example.*relay\.hop_id/,
  );
  assert.equal(twin.directory.state.reachable, true);
  await using b = redisNode(redis.url, "b", 2);
  for (const node of [a, b]) await node.sees("a b");
  assert.equal(a.directory.state.lastError, undefined);
});

test(
  "a node that was killed and starts again takes the place of its old lease at once",
  async (redis, raw) => {
    await using viewer = redisNode(redis.url, "b", 9);
    {
      const before = redisNode(redis.url, "a", 1);
      await viewer.sees("a b");
      await crash(raw, before);
    }
    await using same = redisNode(redis.url, "a", 1);
    await same.sees("a b");
    assert.equal(same.directory.state.lastError, undefined, "its old lease is its own");
    await crash(raw, same);
    // Without relay.hop_id it has another hop id with each start.
    await using again = redisNode(redis.url, "a", 2);
    await until(() => viewer.nodes[0]?.hop === "2", "the new lease");
    assert.deepEqual(viewer.nodes.map(({ url }) => url), [
      "https://a.example/",
      "https://b.example/",
    ]);
    assert.equal(again.directory.state.lastError, undefined);
  },
);

test("two nodes that tell one URL are one node to others, and the older one says so", async (redis) => {
  await using a = redisNode(redis.url, "a", 1);
  await a.sees("a");
  await using twin = redisNode(redis.url, "a", 2);
  await twin.sees("a");
  await until(() => a.directory.state.lastError !== undefined, "the complaint");
  assert.match(a.directory.state.lastError!, /another node tells the same cluster\.url/);
  assert.equal(twin.directory.state.lastError, undefined);
  await using b = redisNode(redis.url, "b", 3);
  await b.sees("a b");
  assert.equal(b.nodes[0]!.hop, "2");
});

test("entries of strangers take nobody with them", async (redis, raw) => {
  const far = Date.now() * 10;
  const hops = Array.from({ length: 9 }, (_, i) => String(100 + i));
  const node = (url: string, hop: string, more = {}) => JSON.stringify({ url, hop, ...more });
  await raw.set("test:node:100", "no JSON");
  await raw.set(
    "test:node:101",
    `{"url":"https://big.example/","hop":"101","x":"${"x".repeat(10 << 20)}"}`,
  );
  await raw.lPush("test:node:102", "a list");
  await raw.set("test:node:103", node("javascript:alert(1)", "103"));
  await raw.set("test:node:104", node("https://token.example/?jwt=abc", "104"));
  await raw.set("test:node:105", node("https://hop.example/", "999"));
  await raw.set("test:node:106", node("https://me:pass@user.example/", "106"));
  await raw.set("test:node:107", node("https://load.example/", "107", { load: { cpu: -1 } }));
  await raw.set("test:node:108", "[".repeat(2000));
  await raw.zAdd("test:nodes", hops.map((value) => ({ score: far, value })));
  await raw.zAdd("test:nodes", { score: Infinity, value: "no hop" });
  await raw.lPush("test:node:1", "at our own key");
  await using a = redisNode(redis.url, "a", 1);
  await using b = redisNode(redis.url, "b", 2);
  for (const one of [a, b]) await one.sees("a b");
  assert.deepEqual(
    (await raw.zRange("test:nodes", 0, -1)).toSorted(),
    ["1", "2"],
    "the index is tidied up",
  );
});

test("an index of the wrong kind is said, and nobody is dropped", async (redis, raw) => {
  await using a = redisNode(redis.url, "a", 1);
  await using b = redisNode(redis.url, "b", 2);
  await a.sees("a b");
  await raw.del("test:nodes");
  await raw.set("test:nodes", "a text");
  await until(() => !a.directory.state.reachable, "the failure");
  assert.match(a.directory.state.lastError!, /WRONGTYPE/);
  assert.equal(a.told.at(-1), "a b");
  await raw.del("test:nodes");
  await using c = redisNode(redis.url, "c", 3);
  for (const one of [a, b, c]) await one.sees("a b c");
});

test("two clusters share one Redis by their prefixes", async (redis) => {
  await using a = redisNode(redis.url, "a", 1, { prefix: "one:" });
  await using b = redisNode(redis.url, "b", 1, { prefix: "two:" });
  await a.sees("a");
  await b.sees("b");
  assert.deepEqual([a.directory.state.lastError, b.directory.state.lastError], [
    undefined,
    undefined,
  ]);
});

test("the clocks of the nodes do not matter", async (redis) => {
  const { now } = Date;
  Date.now = () => now() - 3_600_000;
  try {
    await using a = redisNode(redis.url, "a", 1);
    await a.sees("a");
    Date.now = () => now() + 3_600_000;
    await using b = redisNode(redis.url, "b", 2);
    for (const one of [a, b]) await one.sees("a b");
    await b.directory.close();
    await a.sees("a");
  } finally {
    Date.now = now;
  }
});
