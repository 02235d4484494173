import assert from "node:assert/strict";
import type { ClientOptions } from "../../client/client.ts";
import type { Relay } from "../../server/relay.ts";
import type { Version } from "../../wire/versions.ts";
import { Mesh, type Way } from "../support/mesh/mesh.ts";
import { groups, type Player, players } from "../support/mesh/player.ts";

const VERSIONS: readonly Version[] = [
  "moq-lite-06",
  "moq-lite-05",
  "moq-lite-02",
  "moq-transport-18",
  "moq-transport-16",
];

/** A publisher of hop 9 whose next group is this one. */
async function encoder(mesh: Mesh, at: Relay, next = 0, options: ClientOptions & Way = {}) {
  const client = await mesh.client(at, { hop: 9n, ...options });
  const track = client.publish("room").track("video");
  if (next > 0) track.skip(next);
  return { client, track, link: client.link };
}

/** What a player sees: all groups of the first run, an end, a beginning, then groups in order to the last one. */
function sawTwoGenerations({ text, log }: Player, first: readonly number[], last: number): void {
  const head = `active ${first.join(" ")} ended active `;
  assert.equal(text.slice(0, head.length), head, text);
  const rest = log.slice(first.length + 3).map(Number);
  assert.ok(rest.length > 5, text);
  assert.deepEqual(rest, rest.map((_, i) => last - rest.length + 1 + i), text);
}

for (const version of VERSIONS) {
  Deno.test(`an encoder that is back with old numbers is a new generation, over a chain of three, from ${version}`, async () => {
    await using mesh = new Mesh();
    const nodes = mesh.nodes("a", "b", "c");
    const [a, b, c] = nodes;
    await mesh.link(b, a);
    await mesh.link(c, b);
    const before = await encoder(mesh, a, 300, { version });
    const watching = await players(mesh, nodes, VERSIONS);
    await groups(mesh, before.track, 3);
    before.link.kill();
    await mesh.pass(500);
    const after = await encoder(mesh, a, 0, { version });
    await groups(mesh, after.track, 15);
    for (const player of watching) sawTwoGenerations(player, [300, 301, 302], 14);
  });
}

Deno.test("a new generation is noticed when the old session hangs, and when the encoder comes to another node", async () => {
  for (const elsewhere of [false, true]) {
    await using mesh = new Mesh();
    const nodes = mesh.nodes("a", "b", "c");
    await mesh.full(nodes);
    const before = await encoder(mesh, nodes[0], 300);
    const watching = await players(mesh, nodes, ["moq-lite-06", "moq-lite-02"]);
    await groups(mesh, before.track, 3);
    before.link.silence();
    await mesh.pass(500);
    const after = await encoder(mesh, elsewhere ? nodes[1] : nodes[0]);
    await groups(mesh, after.track, 10);
    before.link.kill();
    await groups(mesh, after.track, 10);
    for (const player of watching) sawTwoGenerations(player, [300, 301, 302], 19);
  }
});

Deno.test("a node with two parents passes a new generation on once", async () => {
  await using mesh = new Mesh();
  const nodes = mesh.nodes("origin", "left", "right", "edge", "below");
  const [origin, left, right, edge, below] = nodes;
  for (
    const [from, to] of [[left, origin], [right, origin], [edge, left], [edge, right]] as const
  ) {
    await mesh.link(from, to);
  }
  await mesh.link(below, edge);
  const before = await encoder(mesh, origin, 300);
  const watching = await players(mesh, nodes, ["moq-lite-06", "moq-lite-04", "moq-transport-18"]);
  await groups(mesh, before.track, 3);
  before.link.kill();
  await mesh.pass(500);
  const after = await encoder(mesh, origin);
  await groups(mesh, after.track, 30);
  for (const player of watching) sawTwoGenerations(player, [300, 301, 302], 29);
});

Deno.test("a young stream that begins anew is noticed too, and its quiet tracks are asked for again", async () => {
  await using mesh = new Mesh();
  const [a, b] = mesh.nodes("a", "b");
  await mesh.link(b, a);
  const start = async (catalog: string) => {
    const client = await mesh.client(a, { hop: 9n });
    const broadcast = client.publish("room");
    broadcast.track("catalog").write(catalog);
    return { client, track: broadcast.track("video") };
  };
  const before = await start("first");
  const watching = await players(mesh, [a, b], ["moq-lite-06"]);
  const catalogs: string[] = [];
  const reader = await mesh.client(b);
  void (async () => {
    for await (const { active } of reader.announced("room")) {
      if (!active) continue;
      void (async () => {
        for await (const group of reader.subscribe("room", "catalog")) {
          for await (const { payload } of group) catalogs.push(new TextDecoder().decode(payload));
        }
      })().catch(() => {});
    }
  })();
  await groups(mesh, before.track, 60);
  before.client.link.kill();
  await mesh.pass(500);
  const after = await start("second");
  await groups(mesh, after.track, 30);
  const first = Array.from({ length: 60 }, (_, i) => i);
  for (const player of watching) sawTwoGenerations(player, first, 29);
  assert.deepEqual(catalogs, ["first", "second"]);
});

Deno.test("an encoder that only reconnects, and goes on, is no new generation, however long it was away within linger", async () => {
  for (const awayMs of [0, 300, 4000]) {
    await using mesh = new Mesh();
    const nodes = mesh.nodes("a", "b", "c");
    await mesh.link(nodes[1], nodes[0]);
    await mesh.link(nodes[2], nodes[1]);
    const before = await encoder(mesh, nodes[0], 300);
    const watching = await players(mesh, nodes, VERSIONS);
    await groups(mesh, before.track, 3);
    before.link.kill();
    await mesh.pass(awayMs);
    const after = await encoder(mesh, nodes[0], 303);
    await mesh.pass(4000); // it is back before it has anything new
    await groups(mesh, after.track, 5);
    for (const { text } of watching) assert.equal(text, "active 300 301 302 303 304 305 306 307");
  }
});

Deno.test("old numbers that come late within a generation are dropped: reordered, repeated, or sent out of malice", async () => {
  await using mesh = new Mesh();
  const [a, b] = mesh.nodes("a", "b");
  await mesh.link(b, a);
  const { track, link } = await encoder(mesh, a, 300, { groupCacheSize: 1000 });
  const watching = await players(mesh, [a, b], ["moq-lite-06", "moq-lite-02"]);
  await groups(mesh, track, 3);
  for (const old of [5, 6, 7, 299]) {
    const group = track.group(old);
    group.write("old");
    group.close();
    await mesh.pass(1500, 100);
    await groups(mesh, track, 1);
  }
  link.kill();
  await mesh.pass(300);
  const after = await encoder(mesh, a, 307, { groupCacheSize: 1000 });
  await groups(mesh, after.track, 1);
  for (const old of [8, 9, 10, 11]) {
    const group = after.track.group(old);
    group.write("old");
    group.close();
    await mesh.pass(1500, 100);
  }
  await groups(mesh, after.track, 1);
  for (const { text } of watching) assert.equal(text, "active 300 301 302 303 304 305 306 307 308");
});
