/** Relays in a row and in a ring, each with the next as its upstream relay. */
import assert from "node:assert/strict";
import { neverFlaps } from "./support/listeners.ts";
import { chained, inARing, startCluster } from "./support/cluster.ts";
import { clients, watchers } from "./support/audience.ts";
import { Source } from "./support/source.ts";

Deno.test("through a chain of three, viewers anywhere get every group, whichever end publishes", async () => {
  await using cluster = await startCluster(3, chained);
  const { nodes } = cluster;
  await Promise.all(nodes.map((node) => node.ready()));
  await using up = await Source.start(nodes[0]!.url, { path: "up" });
  await using down = await Source.start(nodes[2]!.url, { path: "down" });
  await using ofUp = await watchers(up, nodes);
  await using ofDown = await clients(down, nodes);
  await ofUp.hasAll(await up.stop());
  await ofDown.hasAll(await down.stop());
});

Deno.test("in a ring of three, a publisher and viewers anywhere find each other, and nothing goes round", async () => {
  await using cluster = await startCluster(3, inARing);
  const { nodes } = cluster;
  await Promise.all(nodes.map((node) => node.ready()));
  for (const node of nodes) {
    await using source = await Source.start(node.url, { path: `from-${node.name}` });
    await using audience = await watchers(source, nodes);
    await audience.goesOn(2);
  }
});

Deno.test("in a triangle, an anonymous publisher is announced once and never flaps", async () => {
  await using cluster = await startCluster(3, inARing);
  const { nodes } = cluster;
  await Promise.all(nodes.map((node) => node.ready()));
  await neverFlaps(nodes);
});

Deno.test("kill -9 of the middle of three costs viewers behind it nothing where there is another way", async () => {
  await using cluster = await startCluster(3, (i, [, b, c]) => [
    ...(i === 0 ? ["--relay.upstream_url", `${b},${c}?cost=10`] : []),
    ...(i === 1 ? ["--relay.upstream_url", c!] : []),
  ]);
  const { nodes } = cluster;
  const [a, b, c] = nodes;
  await Promise.all(nodes.map((node) => node.ready()));
  await using up = await Source.start(a.url, { path: "up" });
  await using down = await Source.start(c.url, { path: "down" });
  await using ofUp = await watchers(up, nodes, 6);
  await using ofDown = await watchers(down, nodes, 6);
  await Promise.all([ofUp, ofDown].map((audience) => audience.goesOn(2)));
  // Two viewers of each at b itself, and a for its viewers at least.
  assert.ok(await b.metric('qumo_subscriptions{side="served"}') > 4);

  await b.kill();
  await Promise.all([ofUp, ofDown].map((audience) => audience.awayFrom(b).goesOn(12)));

  await b.start();
  await Promise.all(nodes.map((node) => node.ready()));
  await using late = await watchers(up, [b], 2);
  await late.goesOn(2);
  await Promise.all([ofUp, ofDown].map((audience) => audience.awayFrom(b).goesOn(2)));
});
