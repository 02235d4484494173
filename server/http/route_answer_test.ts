import assert from "node:assert/strict";
import { jsonOf, RelayUnderTest } from "../../tests/support/fixtures/http.ts";
import type { ClusterView } from "../cluster/cluster_view.ts";
import type { NodeInfo } from "../cluster/node_info.ts";
import { publicApp } from "./public_http.ts";

const TOKENS = "auth: { required: true }\n";
const nodeOf = (name: string, region: string, sessions: number): NodeInfo => ({
  url: `https://${name}.example/`,
  region,
  load: { sessions, mbps: 0, cpu: 0 },
  capacity: { sessions: 100 },
});

function clusterOf(self: NodeInfo | undefined, ...nodes: NodeInfo[]): ClusterView {
  return { self, nodes, links: [], directories: [] };
}

Deno.test("GET /route without a cluster names this node, as it was asked for or as cluster.url has it", async () => {
  await using under = new RelayUnderTest();
  const asked = publicApp(under.view({ yaml: TOKENS })).request(
    "https://relay.example:8443/route?path=live/cam",
  );
  assert.deepEqual(await jsonOf(asked), {
    nodes: [{ url: "https://relay.example:8443/", region: "default" }],
  });
  const yaml = `${TOKENS}cluster: { url: "moqt://a.example:4433/", region: eu }\n`;
  assert.deepEqual(await jsonOf(publicApp(under.view({ yaml })).request("/route")), {
    nodes: [{ url: "moqt://a.example:4433/", region: "eu" }],
  });
});

Deno.test("GET /route needs no token, may be read by any page and is fresh for a second", async () => {
  await using under = new RelayUnderTest();
  const yaml = `${TOKENS}cluster: { url: "https://a.example/" }\n`;
  const app = publicApp(under.view({ yaml }));
  const answer = await app.request("/route?path=x", {
    headers: { origin: "https://page.example" },
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("access-control-allow-origin"), "*");
  assert.equal(answer.headers.get("cache-control"), "public, max-age=1");
  assert.equal((await app.request("/route", { method: "POST" })).status, 405);
});

Deno.test("GET /route that answers with the host it was asked for is kept by no cache", async () => {
  await using under = new RelayUnderTest();
  const app = publicApp(under.view({ yaml: TOKENS }));
  const answer = await app.request("https://evil.example/route?path=x");
  assert.equal(answer.headers.get("cache-control"), "no-store");
});

Deno.test("GET /route orders the nodes for a region, its own one where none is named", async () => {
  await using under = new RelayUnderTest();
  const cluster = clusterOf(
    nodeOf("self", "eu", 90),
    { ...nodeOf("near", "eu", 10), url: "https://near.example/?hash=00ff" },
    nodeOf("far", "us", 0),
    nodeOf("full", "eu", 100),
    { ...nodeOf("leaving", "eu", 0), draining: true },
  );
  const app = publicApp(under.view({ yaml: `${TOKENS}cluster: { region: eu }\n`, cluster }));
  const hosts = async (query: string) => {
    const { nodes } = await jsonOf(app.request(`/route?${query}`)) as { nodes: { url: string }[] };
    assert.ok(nodes.every(({ url }) => new URL(url).search === ""));
    return nodes.map(({ url }) => new URL(url).host.split(".")[0]);
  };
  assert.deepEqual(await hosts("path=a/b"), ["near", "self", "far"]);
  assert.deepEqual(await hosts("path=a/b&region=us"), ["far", "near", "self"]);
  under.relay.draining = true;
  assert.deepEqual(await hosts(""), ["near", "far"], "this node is leaving");
});

Deno.test("GET /route answers 503 and no node while all are full, and names at most 16", async () => {
  await using under = new RelayUnderTest();
  const full = publicApp(under.view({ cluster: clusterOf(nodeOf("self", "eu", 100)) }));
  const answer = await full.request("/route");
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get("retry-after"), "2");
  assert.deepEqual(await answer.json(), { nodes: [] });
  const many = Array.from({ length: 100 }, (_, i) => nodeOf(`n${i}`, "eu", 0));
  const app = publicApp(under.view({ cluster: clusterOf(undefined, ...many) }));
  assert.equal((await jsonOf(app.request("/route"))).nodes.length, 16);
});

Deno.test("GET /route refuses what is no path and no region", async () => {
  await using under = new RelayUnderTest();
  const app = publicApp(under.view());
  for (const query of [`path=${"x".repeat(5000)}`, "path=a/../b", `region=${"x".repeat(200)}`]) {
    assert.equal((await app.request(`/route?${query}`)).status, 400, query.slice(0, 20));
  }
});

Deno.test("GET /route is under the limit of answers of one address", async () => {
  await using under = new RelayUnderTest();
  under.relay.setLimits({ ...under.relay.limits, maxAnswersPerAddress: 1 });
  const app = publicApp(under.view());
  const ask = () => app.request("/route", {}, { remote: "192.0.2.1", port: 5 });
  const answers = await Promise.all([ask(), ask()]);
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 429]);
});
