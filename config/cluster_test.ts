import assert from "node:assert/strict";
import { parseNamed, parseNameServer } from "./address.ts";
import { parseConfig } from "./load.ts";
import { ConfigError } from "./problems.ts";

const clusterOf = (yaml: string) => parseConfig(`cluster: { ${yaml} }`).config.cluster;

function problemsOf(yaml: string): string {
  try {
    clusterOf(yaml);
    return "";
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
}

Deno.test("the directories of a cluster are off until they are set", () => {
  const { nodes, nodesFile, nodesUrl, redisUrl, dns, dnsServer } = clusterOf("");
  assert.deepEqual(
    [nodes, nodesFile, nodesUrl, redisUrl, dns, dnsServer],
    [[], undefined, undefined, undefined, undefined, undefined],
  );
  assert.equal(clusterOf("dns: off, dns_server: system").dns, undefined);
});

Deno.test("cluster.redis_url takes one server, Sentinels and a Redis Cluster, and needs cluster.url", () => {
  const url = "url: 'https://a.example'";
  for (
    const redis of [
      ...["redis://127.0.0.1:6379", "rediss://me:pass@redis.example/3"],
      ...["redis+sentinel://a:1,b:2/main", "redis+cluster://a:1,b:2"],
    ]
  ) {
    assert.equal(clusterOf(`${url}, redis_url: '${redis}'`).redisUrl, redis);
    assert.match(problemsOf(`redis_url: '${redis}'`), /cluster\.redis_url: needs cluster\.url/);
  }
  for (const redis of ["redis://", "http://a", "redis+sentinel://a:1", "relay"]) {
    assert.match(
      problemsOf(`${url}, redis_url: '${redis}'`),
      /redis\+cluster:\/\/HOST:PORT/,
      redis,
    );
  }
});

Deno.test("cluster.dns takes a name with a port or without, cluster.dns_server an address", () => {
  assert.deepEqual(parseNamed("relay.example"), { name: "relay.example" });
  assert.deepEqual(parseNamed("relay.example.:4433"), { name: "relay.example", port: 4433 });
  assert.deepEqual(parseNamed("_moq._udp.relay.example"), { name: "_moq._udp.relay.example" });
  for (const text of ["", "a b", "10.0.0.1", "a:b", "a:70000", "https://a", "a..b", ".", ":53"]) {
    assert.equal(parseNamed(text), undefined, text);
  }
  assert.deepEqual(parseNameServer("10.0.0.1"), { hostname: "10.0.0.1", port: 53 });
  assert.deepEqual(parseNameServer("10.0.0.1:5353"), { hostname: "10.0.0.1", port: 5353 });
  assert.deepEqual(parseNameServer("fd00::1"), { hostname: "fd00::1", port: 53 });
  assert.deepEqual(parseNameServer("[fd00::1]:54"), { hostname: "fd00::1", port: 54 });
  for (const text of ["", "dns.example", ":53", "10.0.0.1:x", "10.0.0.256"]) {
    assert.equal(parseNameServer(text), undefined, text);
  }
  assert.match(problemsOf("dns: 'https://a'"), /cluster\.dns/);
  assert.match(problemsOf("dns_server: dns.example"), /cluster\.dns_server.*IP address/s);
});

Deno.test("cluster.nodes_url asks other machines over https alone", () => {
  assert.match(problemsOf("nodes_url: 'http://a.example/'"), /for this machine only/);
  assert.equal(problemsOf("nodes_url: 'http://127.0.0.1:1/', nodes: 'https://a'"), "");
});

Deno.test("the URL of a node may not have a token, since viewers are shown it", () => {
  const hash = "0".repeat(64);
  assert.equal(problemsOf(`nodes: ['https://a/?cost=1&region=eu&hash=${hash}', 'moqt://b']`), "");
  for (
    const url of ["https://a/?jwt=hidden", "https://me:hidden@a/", "https://a/?cost=1&x=hidden"]
  ) {
    for (const setting of [`nodes: '${url}'`, `url: '${url}'`]) {
      const problem = problemsOf(setting);
      assert.match(problem, /token belongs in cluster\.token_file/);
      assert.ok(!problem.includes("hidden"), problem);
    }
  }
});
