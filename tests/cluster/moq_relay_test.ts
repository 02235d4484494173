/** moq-dev's relay as a node among ours, where it is installed. */
import { inDirectory } from "../support/borrowed.ts";
import { optional } from "../support/optional.ts";
import { watchers } from "./support/audience.ts";
import { meshed, startCluster } from "./support/cluster.ts";
import { startMoqRelay } from "./support/moq_relay.ts";
import type { Site } from "./support/node.ts";
import { Source } from "./support/source.ts";

const moqRelay = optional("moq-relay");

Deno.test({
  name:
    "moq-relay stands between two of ours: what is published at any of the three is watched at all",
  ignore: !moqRelay.ok,
  async fn() {
    await using above = await startCluster(1, () => []);
    const [b] = above.nodes;
    await using other = await startMoqRelay(moqRelay.path!, { connect: [b.url], hop: 4711 });
    await using below = await startCluster(1, () => ["--relay.upstream_url", other.url]);
    const [a] = below.nodes;
    await a.ready();
    await watchedAtAll([a, other, b]);
  },
});

Deno.test({
  name:
    "moq-relay stands in the list of nodes: what is published at any of the three is watched at all",
  ignore: !moqRelay.ok,
  fn: () =>
    inDirectory(async (dir) => {
      await using other = await startMoqRelay(moqRelay.path!, { hop: 4711 });
      const flags = await meshed(dir, { open: true });
      await using cluster = await startCluster(2, (i, urls) => flags(i, [...urls, other.url]));
      const { nodes } = cluster;
      await Promise.all(nodes.map((node) => node.ready()));
      await watchedAtAll([...nodes, other]);
    }),
});

async function watchedAtAll(sites: readonly Site[]): Promise<void> {
  for (const site of sites) {
    await using source = await Source.start(site.url, { path: `at-${site.name}` });
    await using audience = await watchers(source, sites);
    await audience.goesOn(2);
  }
}
