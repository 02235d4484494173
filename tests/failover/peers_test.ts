import assert from "node:assert/strict";
import { Client } from "../../client/client.ts";
import type { Relay } from "../../server/relay.ts";
import { memoryPair } from "../../transport/memory/memory.ts";
import type { Version } from "../../wire/versions.ts";
import { Mesh } from "../support/mesh/mesh.ts";
import { groups, Player, players } from "../support/mesh/player.ts";

const PEERS = { join: { peer: true }, accept: { peer: true } };
const VERSIONS: readonly Version[] = ["moq-lite-06", "moq-lite-02", "moq-transport-18"];

/** A client that dials these nodes in turn, whenever the one before is lost. */
function moving(mesh: Mesh, at: readonly Relay[], waitMs: number, hop?: bigint) {
  let next = 0;
  const dialer = () => {
    const [near, far] = memoryPair({ protocol: "moq-lite-06" });
    const link = { near, drop: () => near.drop() };
    void at[next++ % at.length]!.accept(far);
    ends.push(link.near);
    return Promise.resolve(near);
  };
  const ends: { drop(): void }[] = [];
  const client = Client.dial("moqt://relay.example/", dialer, {
    ...(hop === undefined ? {} : { hop }),
    versions: ["moq-lite-06"],
    clock: mesh.clock,
    reconnect: { minMs: waitMs, maxMs: waitMs, random: () => 1 },
  });
  return { client, lose: () => ends.at(-1)!.drop() };
}

const count = (text: string) => text.split(" ").filter((word) => /^\d/.test(word)).map(Number);

Deno.test("nodes of a cluster: the publisher's node dies, it goes on at another one, and nobody misses or repeats a group", async () => {
  await using mesh = new Mesh();
  const nodes = mesh.nodes("a", "b", "c", "d");
  const [a, b, c, d] = nodes;
  await mesh.full(nodes, PEERS);
  const { client, lose } = moving(mesh, [a, b], 200, 9n);
  const publisher = await client;
  const track = publisher.publish("room").track("video");
  await mesh.pass(500);
  const watching = await players(mesh, [b, c, d], VERSIONS);
  await groups(mesh, track, 5);
  lose();
  mesh.kill(a);
  await groups(mesh, track, 20);
  for (const { text } of watching) {
    assert.equal(text, `active ${Array.from({ length: 25 }, (_, i) => i).join(" ")}`);
  }
  await publisher.close();
});

Deno.test("nodes of a cluster pass a new generation on, and a client that comes to another node notices it by itself", async () => {
  await using mesh = new Mesh();
  const nodes = mesh.nodes("a", "b", "c");
  const [a, b, c] = nodes;
  await mesh.full(nodes, PEERS);
  const before = await mesh.client(a, { hop: 9n });
  const old = before.publish("room").track("video");
  old.skip(300);
  const watching = await players(mesh, nodes, VERSIONS);
  const { client, lose } = moving(mesh, [b, c], 3000);
  const traveller = await client;
  const there = new Player(traveller);
  await groups(mesh, old, 3);
  // It begins anew at another node, and the nodes have noticed when the viewer comes.
  lose();
  before.link.kill();
  const after = await mesh.client(c, { hop: 9n });
  const fresh = after.publish("room").track("video");
  await groups(mesh, fresh, 30);
  for (const { text } of [...watching, there]) {
    assert.match(text, /^active 300 301 302 ended active /);
    const came = count(text).slice(3);
    assert.deepEqual(came, came.map((_, i) => 30 - came.length + i), text);
    assert.ok(came.length > 10, text);
  }
  await traveller.close();
});
