/** moq-dev's relay as a node among ours, where it is installed. */
import { optional } from "../support/optional.ts";
import { watchers } from "./support/audience.ts";
import { startCluster } from "./support/cluster.ts";
import { startMoqRelay } from "./support/moq_relay.ts";
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
    const sites = [a, other, b];
    for (const site of sites) {
      await using source = await Source.start(site.url, { path: `at-${site.name}` });
      await using audience = await watchers(source, sites);
      await audience.goesOn(2);
    }
  },
});
