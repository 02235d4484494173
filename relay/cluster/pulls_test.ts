/** How often a broadcast is pulled, and what nodes tell each other, in rings and meshes of relays. */
import assert from "node:assert/strict";
import type { Relay } from "../../server/relay.ts";
import { type LinkWay, Mesh } from "../../tests/support/mesh/mesh.ts";
import type { Viewer } from "../../session/peers_test.ts";
import { UPDATE_HOLD_MS } from "../watchers.ts";

const PEERS: LinkWay = { join: { peer: true }, accept: { peer: true } };
const NAMES = ["a", "b", "c", "d"] as const;

/** How many subscriptions a node has at others. */
function pulls(at: Relay): number {
  return [...at.sessions()].reduce((sum, { session }) => sum + session.subscriptions, 0);
}

async function viewersAt(mesh: Mesh, nodes: readonly Relay[]): Promise<Viewer[]> {
  const viewers: Viewer[] = [];
  for (const at of nodes) {
    for (let i = 0; i < 2; i++) {
      viewers.push(mesh.watch(await mesh.client(at), "room", "video"));
      await mesh.pass();
    }
  }
  await mesh.pass(100);
  return viewers;
}

/** Every node with its next one as upstream relay. */
async function ring(mesh: Mesh, nodes: readonly Relay[], way: LinkWay): Promise<void> {
  for (const [i, at] of nodes.entries()) await mesh.link(at, nodes[(i + 1) % nodes.length]!, way);
}

for (const version of ["moq-lite-06", "moq-lite-05", "moq-lite-04"] as const) {
  for (const shape of ["a ring", "a full mesh", "a mesh of ordinary links"] as const) {
    Deno.test(`in ${shape} over ${version} each node pulls a broadcast once, and the publisher is asked once`, async () => {
      await using mesh = new Mesh();
      const nodes = mesh.nodes(...NAMES);
      if (shape === "a ring") await ring(mesh, nodes, { version });
      else await mesh.full(nodes, { version, ...(shape === "a full mesh" ? PEERS : {}) });
      const publisher = await mesh.client(nodes[0], { hop: 9n });
      const track = publisher.publish("room").track("video");
      await mesh.pass(1000);
      const viewers = await viewersAt(mesh, nodes.toReversed());
      track.write("one");
      await mesh.pass(200);
      track.write("two");
      await mesh.pass(12_000, 500); // what was left has ended
      for (const viewer of viewers) assert.deepEqual(viewer.whole, [0, 1]);
      assert.deepEqual(nodes.map(pulls), [1, 1, 1, 1]);
      assert.equal(track.subscribers, 1);
    });
  }
}

for (const version of ["moq-lite-06", "moq-lite-05"] as const) {
  Deno.test(`a full mesh over ${version} says each change once to each node, and nothing echoes after a withdrawal`, async () => {
    await using mesh = new Mesh();
    const nodes = mesh.nodes(...NAMES);
    await mesh.full(nodes, { ...PEERS, version });
    const news = nodes.map((at) => {
      const heard: string[] = [];
      at.origin.watch({}, ({ kind, path }) => void heard.push(`${kind} ${path}`));
      return heard;
    });
    const take = () => news.map((heard) => heard.splice(0));
    const client = await mesh.client(nodes[0], { hop: 9n });
    for (let round = 0; round < 3; round++) {
      const room = client.publish("room");
      await mesh.pass(500);
      assert.deepEqual(take(), nodes.map(() => ["active room"]));
      for (const at of nodes) {
        const routes = [...at.origin.broadcasts()].flatMap(([, all]) =>
          all.flatMap((b) => b.routes)
        );
        assert.equal(routes.length, 1);
        assert.ok(routes[0]!.hops.length <= 2);
      }
      room.close();
      await mesh.pass(5000, 250);
      assert.deepEqual(take(), nodes.map(() => ["ended room"]));
      assert.ok(nodes.every((at) => at.origin.size === 0));
    }
  });
}

Deno.test("nodes with one parent, or without a secret, do not tell each other what another node tells", async () => {
  for (const way of [PEERS, { join: { peer: true } }]) {
    await using mesh = new Mesh();
    const nodes = mesh.nodes("a", "b", "c");
    const parent = mesh.node("parent");
    for (const at of nodes) {
      at.nodes.setRegions({
        region: "r",
        surcharge: 3,
        nodes: nodes.filter((one) => one !== at).map(({ hop }) => ({ hop })),
      });
    }
    for (const from of nodes) {
      for (const to of nodes) if (from !== to) await mesh.link(from, to, way);
      await mesh.link(from, parent);
    }
    const publisher = await mesh.client(nodes[0], { hop: 9n });
    const track = publisher.publish("room").track("video");
    await mesh.pass(1000);
    const [a, , , up] = [...nodes, parent].map(({ hop }) => hop);
    for (const at of nodes.slice(1)) {
      const chains = at.origin.find("room")!.routes.map(({ hops }) => hops.join());
      assert.deepEqual([...new Set(chains)].toSorted(), [`9,${a}`, `9,${a},${up}`]);
    }
    const viewers = await viewersAt(mesh, [...nodes, parent]);
    track.write("one");
    await mesh.pass(100);
    for (const viewer of viewers) assert.deepEqual(viewer.whole, [0]);
    assert.deepEqual(nodes.map(pulls), [1, 1, 1]);
  }
});

Deno.test("a publisher that is linked to two nodes has one order of routes at all others; feeds stay where they are", async () => {
  await using mesh = new Mesh();
  const [a, b, c, d] = mesh.nodes(...NAMES);
  const nodes = [a, b, c, d];
  await mesh.full(nodes, PEERS);
  const clients = [await mesh.client(a, { hop: 9n }), await mesh.client(b, { hop: 9n })];
  const tracks = clients.map((client) => client.publish("room").track("video"));
  await mesh.pass(1000);
  const chosen = [c, d].map((at) => at.origin.find("room")!.best()!.hops.at(-1)!);
  assert.equal(chosen[0], chosen[1]);
  const viewers = await viewersAt(mesh, [c, d]);
  for (const track of tracks) track.write("one");
  await mesh.pass(100);
  const before = [c, d].map((at) => at.stats.upstreamSubscriptions);
  // The link that is in use comes again beside itself: a newer route that is equal.
  const used = chosen[0] === a.hop ? a : b;
  for (const at of [c, d]) await mesh.link(at, used, PEERS);
  await mesh.pass(1000);
  for (const track of tracks) track.write("two");
  await mesh.pass(100);
  assert.deepEqual([c, d].map((at) => at.stats.upstreamSubscriptions), before);
  for (const viewer of viewers) assert.deepEqual(viewer.whole, [0, 1]);
});

Deno.test("a feed takes a cheaper route of another node within a moment, and does not run after each change", async () => {
  await using mesh = new Mesh();
  const [a, b, c] = mesh.nodes("a", "b", "c");
  const costly = { join: { peer: true, linkCost: 5 }, accept: PEERS.accept! };
  await mesh.link(c, a, costly);
  await mesh.link(c, b, { join: { peer: true, linkCost: 1 }, accept: PEERS.accept! });
  const first = await mesh.client(a, { hop: 9n });
  const track = first.publish("room").track("video");
  await mesh.pass(500);
  const [viewer] = await viewersAt(mesh, [c]);
  track.write("one");
  await mesh.pass(100);
  assert.equal(c.stats.upstreamSubscriptions, 1);
  const second = await mesh.client(b, { hop: 9n });
  const better = second.publish("room");
  // It comes and goes: its session is closed in order, then it is back.
  await mesh.pass(40);
  better.close();
  await mesh.pass(40);
  assert.equal(c.stats.upstreamSubscriptions, 1);
  const again = second.publish("room").track("video");
  await mesh.pass(UPDATE_HOLD_MS + 100);
  again.write("one");
  again.write("two");
  await mesh.pass(100);
  assert.equal(c.stats.upstreamSubscriptions, 2);
  assert.deepEqual(viewer!.whole, [0, 1]);
});
