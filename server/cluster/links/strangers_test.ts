/** Strangers that say they are a node of the cluster: by its hop id in SETUP, and in the chains of what they announce. */
import assert from "node:assert/strict";
import { FakeSource } from "../../../tests/support/fixtures/relay.ts";
import { Mesh } from "../../../tests/support/mesh/mesh.ts";
import { fullGrant } from "../../auth/grant.ts";
import { incomingPeers } from "./incoming.ts";

const PEERS = { join: { peer: true }, accept: { peer: true } } as const;

/** Two nodes that know each other, and a publisher at the first one that a viewer at the second one watches. */
async function cluster(mesh: Mesh) {
  const nodes = mesh.nodes("a", "b");
  const [a, b] = nodes;
  for (const at of nodes) {
    const others = nodes.filter((one) => one !== at);
    const named = others.map(({ hop }) => ({ hop, region: "r", name: `https://${hop}.example/` }));
    at.nodes.setRegions({
      region: "r",
      name: `https://${at.hop}.example/`,
      surcharge: 12,
      nodes: named,
    });
  }
  await mesh.full(nodes, PEERS);
  const track = (await mesh.client(a, { hop: 9n })).publish("room").track("video");
  await mesh.pass(500);
  const viewer = mesh.watch(await mesh.client(b), "room", "video");
  await mesh.pass(100);
  return { a, b, track, viewer };
}

Deno.test("a stranger with the hop id of a node is no node, hears less, and takes nothing from the real one", async () => {
  await using mesh = new Mesh();
  const { a, b, track, viewer } = await cluster(mesh);
  const stranger = await mesh.client(a, { hop: b.hop });
  stranger.publish("room").track("video").write("false");
  const heard: string[] = [];
  void (async () => {
    for await (const { path } of stranger.announced()) heard.push(path);
  })();
  a.origin.announce(".hidden", new FakeSource("plugin"), { hops: [], warm: 0, cold: 0 });
  await mesh.pass(1000);
  assert.deepEqual(incomingPeers(a).map(({ hop }) => hop), [b.hop], "the real one");
  assert.ok(!heard.includes(".hidden"));
  track.write("true");
  await mesh.pass(500);
  assert.equal(viewer.text(0), "true");
  // What the stranger says came through b is told b by nobody: b's viewers have the real one.
  assert.deepEqual(b.origin.find("room")!.routes.map(({ hops }) => hops), [[9n, a.hop]]);
});

Deno.test("forged chains take no route away: refused as a loop, or kept from the node that they name", async () => {
  await using mesh = new Mesh();
  const { a, b, track, viewer } = await cluster(mesh);
  const source = new FakeSource("stranger");
  const forged = (...hops: bigint[]) =>
    a.origin.announce("room", source, { hops, warm: 1, cold: 1 });
  assert.equal(forged(9n, a.hop, 7n), undefined, "our own hop id");
  assert.equal(forged(...Array.from({ length: 33 }, (_, i) => BigInt(1000 + i))), undefined);
  const long = forged(...Array.from({ length: 31 }, (_, i) => BigInt(1000 + i)), b.hop)!;
  const changing = forged(8n, 7n)!;
  for (let i = 0; i < 20; i++) {
    changing.update({ hops: i % 2 === 0 ? [8n, a.hop] : [8n, b.hop], warm: 1, cold: 1 });
    await mesh.pass(20);
  }
  track.write("true");
  await mesh.pass(1000);
  assert.equal(viewer.text(0), "true");
  assert.deepEqual(b.origin.find("room")!.routes.map(({ hops }) => hops), [[9n, a.hop]]);
  long.end();
  changing.end();
  await mesh.pass(3000);
  assert.equal(a.origin.find("room")!.routes.length, 1);
});

Deno.test("a token of a publisher makes no peer, whatever its SETUP says", async () => {
  await using mesh = new Mesh();
  const [a, b] = mesh.nodes("a", "b");
  const way = { join: { peer: true }, accept: {} } as const;
  await mesh.link(b, a, way);
  assert.deepEqual(incomingPeers(a), []);
  assert.equal(fullGrant("").peer, undefined);
  a.origin.announce(".hidden", new FakeSource("plugin"), { hops: [], warm: 0, cold: 0 });
  await mesh.pass(500);
  assert.equal(b.origin.find(".hidden"), undefined);
});
