import assert from "node:assert/strict";
import type { Relay } from "../../server/relay.ts";
import type { Version } from "../../wire/versions.ts";
import { Mesh } from "../support/mesh/mesh.ts";
import { groups, players } from "../support/mesh/player.ts";

const VERSIONS: readonly Version[] = [
  "moq-lite-06",
  "moq-lite-05",
  "moq-lite-02",
  "moq-transport-18",
  "moq-transport-16",
];

/** A publisher of the path with a track whose groups begin here. */
async function source(mesh: Mesh, at: Relay, first: number, name = "video") {
  const client = await mesh.client(at);
  const track = client.publish("room").track(name);
  track.skip(first);
  await mesh.pass(500);
  return { client, track };
}

for (const killed of [true, false]) {
  Deno.test(`two publishers of one path: when one ${killed ? "is lost" : "ends"}, its viewers go on with the other, in every version`, async () => {
    await using mesh = new Mesh();
    const [a, b] = mesh.nodes("a", "b");
    await mesh.link(b, a);
    const first = await source(mesh, a, 100);
    const watching = await players(mesh, [a, b], VERSIONS);
    await groups(mesh, first.track, 2);
    const second = await source(mesh, b, 500);
    await groups(mesh, [first.track, second.track], 3);
    for (const { text } of watching) assert.equal(text, "active 100 101 102 103 104");
    const late = await players(mesh, [a, b], ["moq-lite-06"]);
    await groups(mesh, [first.track, second.track], 1);
    if (killed) first.client.link.kill();
    else await first.client.close();
    await groups(mesh, second.track, 5);
    for (const { text } of watching) {
      assert.match(text, /^active 100 101 102 103 104 105 ended active( 50\d)* 508$/);
    }
    // New viewers have the publisher that is nearer.
    assert.match(late[0]!.text, /^active 10\d 105 ended active( 50\d)* 508$/);
    assert.equal(late[1]!.text, "active 502 503 504 505 506 507 508");
  });
}

Deno.test("a viewer survives a second publisher that joins late at its own node without the track", async () => {
  await using mesh = new Mesh();
  const [a, b] = mesh.nodes("a", "b");
  await mesh.link(b, a);
  const first = await source(mesh, a, 100);
  const watching = await players(mesh, [a, b], VERSIONS);
  await groups(mesh, first.track, 2);
  const second = await source(mesh, b, 500, "audio");
  await groups(mesh, first.track, 2);
  second.client.link.kill();
  await mesh.pass(6000, 100);
  await groups(mesh, first.track, 1);
  for (const { text } of watching) assert.equal(text, "active 100 101 102 103 104");
});
