import assert from "node:assert/strict";
import { FakeSource, testContext } from "../../tests/support/fixtures/relay.ts";
import { Origin } from "../origin.ts";
import { originNodes } from "./origin_nodes.ts";
import { PeerView } from "./peer_view.ts";

const ROUTE = { hops: [9n, 51n], warm: 1, cold: 1 };

for (const part of ["without", "with"] as const) {
  Deno.test(`an origin ${part} the part for nodes tells a node nothing that another one told, and serves it nothing of it`, () => {
    const origin = new Origin({ context: testContext(), hop: 1n, lingerMs: 0 });
    if (part === "with") origin.allowNodes(originNodes);
    const nodes = new PeerView(origin);
    const heard: string[] = [];
    nodes.watch({ excludeHop: 52n }, ({ kind, path }) => heard.push(`${kind} ${path}`));
    nodes.announce("far", new FakeSource("node"), ROUTE);
    origin.announce("near", new FakeSource("here"), { hops: [7n], warm: 1, cold: 1 });
    assert.deepEqual(heard, ["active near"]);
    assert.equal(nodes.find("far", 52n), undefined);
    assert.notEqual(nodes.find("near", 52n), undefined);
    assert.notEqual(origin.find("far", 52n), undefined);
    const { tie } = origin.find("far")!.best()!;
    assert.equal(tie === undefined, part === "without");
  });
}
