import assert from "node:assert/strict";
import { parseRedisPlace, redisPlaceName } from "./redis_place.ts";

Deno.test("parseRedisPlace() reads one server, Sentinels and a Redis Cluster", () => {
  assert.deepEqual(parseRedisPlace("redis://127.0.0.1:6380"), {
    kind: "single",
    hosts: [{ host: "127.0.0.1", port: 6380 }],
    tls: false,
  });
  assert.deepEqual(parseRedisPlace("rediss://me:p%40ss@redis.example/3"), {
    kind: "single",
    hosts: [{ host: "redis.example", port: 6379 }],
    tls: true,
    username: "me",
    password: "p@ss",
    database: 3,
  });
  const sentinel = parseRedisPlace("redis+sentinel://:x@a:26380,[::1]:5,b/main/2")!;
  assert.deepEqual(sentinel, {
    kind: "sentinel",
    hosts: [{ host: "a", port: 26_380 }, { host: "::1", port: 5 }, { host: "b", port: 26_379 }],
    tls: false,
    master: "main",
    password: "x",
    database: 2,
  });
  assert.equal(redisPlaceName(sentinel), "a:26380,[::1]:5,b:26379/main");
  const cluster = parseRedisPlace("rediss+cluster://a:1,b:2")!;
  assert.deepEqual([cluster.kind, cluster.tls, cluster.hosts.length], ["cluster", true, 2]);
});

Deno.test("parseRedisPlace() refuses what is no such URL", () => {
  for (
    const text of [
      ...[
        "",
        "off",
        "redis",
        "redis://",
        "http://a",
        "redis://a,b",
        "redis://a:99999",
        "redis://a/x",
      ],
      ...["redis+sentinel://a:1", "redis+sentinel://a:1/", "redis+cluster://a/1", "redis://a b"],
      ...["redis://a:1?x=1", "redis://%zz:1@a", "redis://a/1/2", "redis+other://a", "redis://a,"],
    ]
  ) assert.equal(parseRedisPlace(text), undefined, text);
});
