import assert from "node:assert/strict";
import { Mesh } from "../../tests/support/mesh/mesh.ts";
import { FakeSource, testContext } from "../../tests/support/fixtures/relay.ts";
import { ROUTE } from "../../tests/support/fixtures/nodes.ts";
import { Origin } from "../origin.ts";
import { NodeNews } from "./node_news.ts";
import { PeerView } from "./peer_view.ts";

const PEERS = { join: { peer: true }, accept: { peer: true } } as const;

for (const version of ["moq-lite-06", "moq-lite-05"] as const) {
  Deno.test(`over ${version} each node hears what the others tell of themselves, and nobody else does`, async () => {
    await using mesh = new Mesh();
    const nodes = mesh.nodes("a", "b", "c");
    const [a, b, c] = nodes;
    a.nodeNews.tell("before");
    await mesh.full(nodes, { ...PEERS, version });
    const heard = new Map<bigint, string | undefined>();
    c.nodeNews.onHeard = (hop, text) => void heard.set(hop, text);
    await mesh.pass(500);
    a.nodeNews.tell("now");
    b.nodeNews.tell("of b: é");
    b.nodeNews.tell("x".repeat(1000)); // too long for a path
    await mesh.pass(500);
    assert.deepEqual([...heard].toSorted(), [[a.hop, "now"], [b.hop, "of b: é"]]);
    const events: string[] = [];
    for (const at of nodes) {
      at.origin.watch({ hidden: true }, ({ path }) => void events.push(path));
      assert.equal(at.origin.size, 0);
      assert.equal(at.origin.find(`.cluster/node/${a.hop}`), undefined);
    }
    assert.deepEqual(events, []);
    for (const { session } of [...a.sessions()]) session.close("none", "gone");
    await mesh.pass(500);
    assert.equal(heard.get(a.hop), undefined);
    assert.equal(heard.get(b.hop), "of b: é");
  });
}

Deno.test("a node speaks for itself alone, and nobody plays the node", () => {
  const news = new NodeNews(7n);
  const origin = new Origin({
    context: testContext(),
    hop: 7n,
    lingerMs: 0,
  });
  const view = new PeerView(origin, news);
  const heard: string[] = [];
  news.onHeard = (hop, text) => void heard.push(`${hop} ${text}`);
  const says = (path: string, hop: bigint) =>
    view.announce(path, new FakeSource("node"), { ...ROUTE, hops: [hop] })!;
  const one = says(`.cluster/node/9/${btoa("a")}`.replace(/=+$/, ""), 9n);
  const two = says(`.cluster/node/9/${btoa("b")}`.replace(/=+$/, ""), 9n);
  for (const path of ["9/YQ", "0/YQ", "8/!", "8", "8/YQ/YQ"]) {
    says(`.cluster/node/${path}`, path.startsWith("0") ? 0n : 8n).end();
  }
  one.end();
  two.end();
  two.end();
  assert.deepEqual(heard, ["9 a", "9 b", "9 undefined"]);
  // A stranger's broadcast of that name is told to no node.
  const told: string[] = [];
  const listen = (hop: bigint) =>
    view.watch({ excludeHop: hop }, ({ path }) => void told.push(path));
  listen(9n);
  origin.announce(".cluster/node/7/YQ", new FakeSource("stranger"), ROUTE);
  assert.deepEqual(told, []);
  listen(0n); // a relay that tells no hop id
  news.tell("c");
  assert.deepEqual(told, [".cluster/node/7/Yw"]);
});
