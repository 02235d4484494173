import assert from "node:assert/strict";
import { Client } from "../../client/client.ts";
import { join, testRelay, tick, Viewer } from "../../session/peers_test.ts";
import { memoryPair } from "../../transport/memory/memory.ts";
import type { ClusterView, LinkView } from "./cluster_view.ts";
import { type Destinations, reachable } from "./moving.ts";
import type { NodeInfo } from "./node_info.ts";

const node = (name: string, more: Partial<NodeInfo> = {}): NodeInfo => ({
  url: `https://${name}.example:4433/`,
  region: "eu",
  ...more,
});
const destinations = (...nodes: NodeInfo[]): Destinations => ({ nodes, region: "eu", threads: 1 });
const link = (of: Partial<LinkView>) => of as LinkView;

Deno.test("reachable() leaves out nodes whose link is down", () => {
  const nodes = [node("a"), node("b", { hop: "5" }), node("c"), node("d"), node("e")];
  const links = [
    link({ url: "https://a.example:4433/", state: "waiting" }),
    link({ url: "127.0.0.1:999", hop: "5", state: "connected" }),
    link({ url: "https://b.example:4433/", state: "standby" }),
    link({ url: "https://c.example:4433/", state: "connecting" }),
    link({ url: "https://d.example:4433/", state: "connected" }),
  ];
  const view: Pick<ClusterView, "nodes" | "links"> = { nodes, links };
  assert.deepEqual(reachable(view).map(({ url }) => new URL(url).host[0]), ["b", "d", "e"]);
});

Deno.test("reachable() sends nobody to a node that DNS names by its address", () => {
  const nodes = [
    node("a"),
    { url: "https://10.0.0.7:4433/", serverName: "relay.example" },
  ];
  const links = nodes.map(({ url }) => link({ url, state: "connected" }));
  assert.deepEqual(reachable({ nodes, links }), [nodes[0]]);
});

Deno.test("reachable() looks at each link once, however many nodes there are", () => {
  let looks = 0;
  const nodes = Array.from({ length: 200 }, (_, i) => node(`n${i}`, { hop: `${i + 1}` }));
  const links = nodes.map(({ url, hop }) =>
    ({
      hop,
      state: "connected",
      get url() {
        looks++;
        return url;
      },
    }) as LinkView
  );
  assert.equal(reachable({ nodes, links }).length, 200);
  assert.equal(looks, 200);
});

Deno.test("a drain sends viewers to the nodes with room in turns, some at a time, publishers last", async () => {
  const at = testRelay();
  const told: string[] = [];
  const viewers = [];
  for (let i = 0; i < 6; i++) {
    const ongoaway = (uri: string) => void told.push(`${i} ${new URL(uri).host[0]}`);
    viewers.push(await join(at, 6, {}, { ongoaway }));
  }
  const publisher = viewers[0]!.client;
  publisher.publish("x");
  for (const { client } of viewers) client.announced();
  await tick();
  const drained = at.relay.dismiss(
    10_000,
    "",
    destinations(
      node("a"),
      node("b", { load: { sessions: 2, mbps: 0, cpu: 0 } }),
      node("full", { load: { sessions: 5, mbps: 0, cpu: 0 }, capacity: { sessions: 5 } }),
      node("leaving", { draining: true }),
      node("us", { region: "us" }),
    ),
  );
  await tick();
  assert.deepEqual(told, ["1 a"], "one at a time");
  at.clock.advance(20);
  await tick();
  assert.deepEqual(told, ["1 a", "2 a"]);
  for (let i = 0; i < 5; i++) {
    at.clock.advance(20);
    await tick();
  }
  assert.deepEqual(told, ["1 a", "2 a", "3 a", "4 b", "5 a", "0 b"]);
  for (const { client } of viewers) await client.close();
  for (let i = 0; i < 40; i++) {
    at.clock.advance(25);
    await tick();
  }
  assert.equal(await drained, true);
  await at.relay.close();
});

Deno.test("a drain names the place of a session at the other node: its transport, its path and no token", async () => {
  const at = testRelay();
  const [near, far] = memoryPair({ protocol: "moq-lite-06", path: "/rooms/1?jwt=t.o.k" });
  const told: string[] = [];
  void at.relay.accept(far);
  const client = await Client.over(near, {
    clock: at.clock,
    path: "/rooms/1?jwt=t.o.k",
    ongoaway: (uri) => told.push(uri),
  });
  client.announced();
  await tick();
  const drained = at.relay.dismiss(5000, "", destinations(node("a")));
  await tick(3);
  assert.deepEqual(told, ["https://a.example:4433/rooms/1"]);
  await client.close();
  for (let i = 0; i < 20; i++) {
    at.clock.advance(25);
    await tick();
  }
  await drained;
  await at.relay.close();
});

Deno.test("a peer that does not follow is served until the end of the grace, and a version without GOAWAY too", async () => {
  const at = testRelay();
  const publisher = await join(at, 6);
  const track = publisher.client.publish("a").track("v");
  await tick();
  const old = new Viewer((await join(at, 2)).client.subscribe("a", "v"));
  const deaf = new Viewer((await join(at, 6)).client.subscribe("a", "v"));
  await tick();
  const drained = at.relay.drain(4000, "", destinations(node("b")));
  for (let ms = 0; ms < 2900; ms += 50) {
    at.clock.advance(50);
    await tick();
  }
  track.write("still here");
  await tick();
  assert.deepEqual([old.text(0), deaf.text(0)], ["still here", "still here"]);
  for (let ms = 0; ms < 1200; ms += 50) {
    at.clock.advance(50);
    await tick();
  }
  await drained;
  assert.equal(at.relay.sessionCount, 0);
});
