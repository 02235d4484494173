import assert from "node:assert/strict";
import { FakeSource, testContext } from "../../tests/support/fixtures/relay.ts";
import { Nodes, ROUTE, type TestNode } from "../../tests/support/fixtures/nodes.ts";
import { until } from "../../tests/support/fixtures/http.ts";
import { Mesh } from "../../tests/support/mesh/mesh.ts";
import { Origin } from "../origin.ts";
import { PeerView } from "./peer_view.ts";

const PEERS = { join: { peer: true }, accept: { peer: true } } as const;

function watched(view: PeerView | Origin, excludeHop = 0n): string[] {
  const events: string[] = [];
  view.watch({ excludeHop }, ({ kind, path }) => void events.push(`${kind} ${path}`));
  return events;
}

Deno.test("a node is told what entered here, hidden paths too, and not what another node told", () => {
  const origin = new Origin({ context: testContext(), hop: 7n, lingerMs: 0 });
  const node = new PeerView(origin);
  const [toNode, toOthers] = [watched(node), watched(origin)];
  origin.announce("own", new FakeSource("publisher"), ROUTE);
  origin.announce(".stats", new FakeSource("plugin"), ROUTE);
  const far = node.announce("far", new FakeSource("node"), { ...ROUTE, hops: [6n, 8n] })!;
  assert.deepEqual(toNode, ["active own", "active .stats"]);
  assert.deepEqual(toOthers, ["active own", "active far"]);
  far.update({ ...ROUTE, hops: [6n, 9n, 8n] });
  assert.equal(origin.find("far")!.routes[0]!.peer, true);
  assert.equal(toNode.length, 2);
});

Deno.test("a node that asks for what another node told gets nothing; everybody else gets it", () => {
  const origin = new Origin({ context: testContext(), hop: 7n, lingerMs: 0 });
  const node = new PeerView(origin);
  node.announce("far", new FakeSource("node"), { ...ROUTE, hops: [6n, 8n] });
  assert.equal(node.find("far", 9n), undefined);
  assert.ok(origin.find("far", 9n));
  origin.announce("far", new FakeSource("publisher"), { ...ROUTE, hops: [6n] });
  assert.ok(node.find("far", 9n));
});

Deno.test("threads know of each other's routes which of them another node told", async () => {
  using nodes = new Nodes(2);
  const [a, b] = nodes.all as [TestNode, TestNode];
  const node = new PeerView(b.origin);
  const told = watched(node);
  new PeerView(a.origin).announce("far", new FakeSource("node"), { ...ROUTE, hops: [6n, 8n] });
  a.origin.announce("own", new FakeSource("publisher"), ROUTE);
  await until(() => b.news.length === 2);
  assert.deepEqual(told, ["active own"]);
  assert.equal(b.origin.find("far")!.routes[0]!.peer, true);
  // A route that is the same otherwise has entered here now.
  a.origin.announce("far", new FakeSource("publisher"), { ...ROUTE, hops: [6n, 8n] });
  await until(() => told.length === 2);
  assert.deepEqual(told, ["active own", "active far"]);
});

for (const version of ["moq-lite-06", "moq-lite-05"] as const) {
  Deno.test(`in a full mesh over ${version} every node has one route, over one link, and all watch`, async () => {
    await using mesh = new Mesh();
    const nodes = mesh.nodes("a", "b", "c", "d");
    await mesh.full(nodes, { ...PEERS, version });
    const publisher = await mesh.client(nodes[0], { hop: 9n });
    const track = publisher.publish("room").track("video");
    nodes[0].origin.announce(".hidden", new FakeSource("plugin"), ROUTE);
    await mesh.pass(500);
    for (const at of nodes) {
      const [found] = at.origin.find("room")!.routes;
      assert.deepEqual(found!.hops, at === nodes[0] ? [9n] : [9n, 101n]);
      assert.equal(at.origin.find("room")!.routes.length, 1);
      assert.ok(at.origin.find(".hidden"));
    }
    const viewers = [];
    for (const at of nodes) viewers.push(mesh.watch(await mesh.client(at), "room", "video"));
    await mesh.pass(100);
    track.write("hi");
    await mesh.pass(100);
    for (const viewer of viewers) assert.equal(viewer.text(0), "hi");
    assert.equal(track.subscribers, 1);
  });
}
