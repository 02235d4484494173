import assert from "node:assert/strict";
import type { Relay } from "../../server/relay.ts";
import { Mesh } from "../support/mesh/mesh.ts";
import { groups, Player, players } from "../support/mesh/player.ts";

/** Every announcement that an idle client at a node is told, in its own words. */
async function announcements(mesh: Mesh, at: Relay): Promise<string[]> {
  const heard: string[] = [];
  const client = await mesh.client(at);
  void (async () => {
    for await (const { path, active, hops } of client.announced()) {
      heard.push(`${active ? "+" : "-"}${path} ${hops.length}`);
    }
  })();
  return heard;
}

/** Groups in the order in which they came, without what was announced. */
const numbers = ({ log }: Player) => log.filter((word) => /^\d/.test(word)).map(Number);

Deno.test("a mesh that was split heals: those who lost the publisher go on, and nobody has a group twice", async () => {
  for (const splitMs of [1000, 20_000]) {
    await using mesh = new Mesh();
    const nodes = mesh.nodes("a", "b", "c", "d");
    const [a, b, c, d] = nodes;
    await mesh.full(nodes);
    const publisher = await mesh.client(a, { hop: 9n });
    const track = publisher.publish("room").track("video");
    const watching = await players(mesh, nodes, ["moq-lite-06", "moq-lite-02", "moq-transport-18"]);
    await groups(mesh, track, 3);
    const cut = mesh.between([a, b], [c, d]);
    assert.equal(cut.length, 4);
    for (const link of cut) link.silence();
    await groups(mesh, track, 10);
    for (const link of cut) link.kill();
    await groups(mesh, track, splitMs / 200);
    for (const near of [a, b]) for (const far of [c, d]) await mesh.link(far, near);
    await groups(mesh, track, 10);
    const last = track.nextGroup - 1;
    for (const [i, player] of watching.entries()) {
      const came = numbers(player);
      assert.equal(came.at(-1), last, player.text);
      assert.equal(new Set(came).size, came.length, player.text);
      const expected = i < 6 || splitMs < 5000;
      if (expected) assert.equal(player.log.indexOf("ended"), -1, player.text);
      if (expected) assert.deepEqual(came, Array.from({ length: last + 1 }, (_, n) => n));
      else assert.match(player.text, /^active 0 1 2 ended active \d/);
    }
    for (const node of nodes) {
      assert.equal(node.context.stats.upstreamSubscriptions < 20, true, "no storm of requests");
    }
    await publisher.close();
    await mesh.pass(6000, 100);
    for (const node of nodes) {
      assert.equal(node.origin.size, 0, "nothing is left that nobody publishes");
    }
  }
});

Deno.test("a ring of three, each with the next as upstream: published and watched anywhere, and nobody waits for ever", async () => {
  for (const version of ["moq-lite-06", "moq-lite-05", "moq-lite-04"] as const) {
    await using mesh = new Mesh();
    const nodes = mesh.nodes("a", "b", "c");
    const [a, b, c] = nodes;
    for (const [from, to] of [[a, b], [b, c], [c, a]] as const) {
      await mesh.link(from, to, { version });
    }
    for (const at of nodes) {
      const watching = await players(mesh, nodes, [
        "moq-lite-06",
        "moq-lite-02",
        "moq-transport-18",
      ]);
      const publisher = await mesh.client(at);
      const track = publisher.publish("room").track("video");
      await mesh.pass(500);
      await groups(mesh, track, 3);
      for (const { text } of watching) {
        assert.equal(text, "active 0 1 2");
      }
      await publisher.close();
      await mesh.pass(6000, 100);
      for (const { log } of watching) assert.equal(log.at(-1), "ended");
      for (const node of nodes) assert.equal(node.origin.size, 0);
      await Promise.all(watching.map(({ client }) => client.close()));
    }
    // Nobody publishes it: who insists is told so.
    for (const at of nodes) {
      const client = await mesh.client(at);
      const asked = client.subscribe("nowhere", "video", { waitMs: 0 }).group();
      const refused = asked.then(() => "a group", ({ code }) => code);
      await mesh.pass(3000, 100);
      assert.equal(await refused, "QUMO_TRACK_FAILED");
    }
  }
});

Deno.test("a triangle with an anonymous publisher of lite-02 never flaps: viewers hear of it once in ten minutes", async () => {
  for (const version of ["moq-lite-06", "moq-lite-05", "moq-lite-04"] as const) {
    await using mesh = new Mesh();
    const nodes = mesh.nodes("a", "b", "c");
    await mesh.full(nodes, { version });
    const publisher = await mesh.client(nodes[0], { version: "moq-lite-02" });
    const track = publisher.publish("room").track("video");
    await mesh.pass(5000);
    const heard: string[][] = [];
    for (const node of nodes) heard.push(await announcements(mesh, node));
    const watching = await players(mesh, nodes, ["moq-lite-06", "moq-lite-02"]);
    const pulls = () => nodes.map(({ context: { stats } }) => stats.upstreamSubscriptions);
    await groups(mesh, track, 5);
    const before = pulls();
    await mesh.pass(600_000, 1000);
    await groups(mesh, track, 5);
    for (const events of heard) assert.equal(events.length, 1, events.join());
    for (const { text } of watching) assert.equal(text, "active 0 1 2 3 4 5 6 7 8 9");
    assert.deepEqual(pulls(), before);
    publisher.link.kill();
    await mesh.pass(20_000, 100);
    for (const events of heard) {
      assert.equal(events.at(-1), "-room 0");
      assert.equal(events.filter((event) => event.startsWith("-")).length, 1, events.join());
    }
    for (const node of nodes) assert.equal(node.origin.size, 0);
  }
});

Deno.test("the loss of one of two routes is silent, and so is the loss of a node that only passed things on", async () => {
  await using mesh = new Mesh();
  const nodes = mesh.nodes("origin", "left", "right", "edge");
  const [origin, left, right, edge] = nodes;
  for (
    const [from, to] of [[left, origin], [right, origin], [edge, left], [edge, right]] as const
  ) {
    await mesh.link(from, to);
  }
  const publisher = await mesh.client(origin, { hop: 9n });
  const track = publisher.publish("room").track("video");
  await mesh.pass(500);
  const heard = await announcements(mesh, edge);
  const watching = await players(mesh, [edge], ["moq-lite-06", "moq-lite-02", "moq-transport-18"]);
  await groups(mesh, track, 3);
  const used = left.context.stats.subscriptions > 0 ? left : right;
  mesh.silence(used);
  await groups(mesh, track, 10);
  mesh.kill(used);
  await groups(mesh, track, 10);
  for (const player of watching) {
    assert.equal(player.log.filter((word) => word === "active").length, 1);
    assert.deepEqual(numbers(player), Array.from({ length: 23 }, (_, i) => i));
  }
  assert.deepEqual(heard.filter((event) => event.startsWith("-")), []);
});

Deno.test("a node that drains loses no group: its peers and children go on elsewhere before it closes", async () => {
  for (const version of ["moq-lite-06", "moq-lite-05"] as const) {
    await using mesh = new Mesh();
    const nodes = mesh.nodes("origin", "left", "right", "edge", "below");
    const [origin, left, right, edge, below] = nodes;
    for (
      const [from, to] of [[left, origin], [right, origin], [edge, left], [edge, right], [
        below,
        edge,
      ]] as const
    ) {
      await mesh.link(from, to, { version });
    }
    const publisher = await mesh.client(origin, { hop: 9n });
    const track = publisher.publish("room").track("video");
    await mesh.pass(500);
    const watching = await players(mesh, [edge, below], [
      "moq-lite-06",
      "moq-lite-02",
      "moq-transport-18",
    ]);
    await groups(mesh, track, 3);
    const used = left.context.stats.subscriptions > 0 ? left : right;
    const open = track.group();
    open.write(`${open.sequence}`);
    await mesh.pass(100);
    let drained = false;
    void used.drain(3000).then(() => drained = true);
    await mesh.pass(400);
    open.write("the rest");
    open.close();
    await groups(mesh, track, 20);
    assert.equal(drained, true);
    for (const player of watching) {
      assert.equal(player.log.indexOf("ended"), -1, player.text);
      assert.deepEqual(numbers(player), Array.from({ length: 24 }, (_, i) => i));
    }
  }
});
