/**
 * Links between nodes over real QUIC: who is taken in as a node, which of two links stays, and how soon a loss is seen.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseConfig } from "../../config/load.ts";
import { launch, type Launched, until } from "../support/server.ts";
import type { LinkView } from "../../server/cluster/cluster_view.ts";

const SECRET = "a secret of all the nodes";

/** A file with a text, for one test. */
class TestFile implements AsyncDisposable {
  private constructor(readonly path: string) {}
  static async of(text: string): Promise<TestFile> {
    const file = new TestFile(await Deno.makeTempFile());
    await file.write(text);
    return file;
  }
  write(text: string): Promise<void> {
    return Deno.writeTextFile(this.path, text);
  }
  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.path);
  }
}

/** What a node dials to reach a thread of another one. */
const urlOf = ({ port, certificate }: Launched, thread = 0) =>
  `https://127.0.0.1:${port + thread}/?hash=${certificate.sha256.toHex()}`;

/** Gives a running node another list of nodes. */
async function list(node: Launched, flags: Record<string, string>, nodes: string[]) {
  const loaded = parseConfig("", {
    flags: { ...flags, "cluster.nodes": nodes.join(","), "server.address": "127.0.0.1:0" },
  });
  const outcome = await node.server.reload(loaded, node.certificate);
  assert.ok(outcome.applied.includes("cluster.nodes"));
}

const shown = (node: Launched): string[] =>
  node.server.view.cluster.links.map(({ dialed, state }: LinkView) =>
    `${dialed ? "dialed" : "incoming"} ${state}`
  );

async function shows(node: Launched, links: readonly string[]): Promise<void> {
  await until(() => JSON.stringify(shown(node)) === JSON.stringify(links), `${links}`)
    .catch((error: Error) => assert.fail(`${error.message}; last: ${shown(node)}`));
}

for (const workers of [1, 2]) {
  Deno.test(`two nodes that dial each other keep the link of the lower hop id, with ${workers} threads`, async () => {
    await using secret = await TestFile.of(SECRET);
    const flags = {
      "cluster.secret_file": secret.path,
      "cluster.backoff_min": "50ms",
      "server.workers": String(workers),
      "auth.required": "true",
    };
    await using lower = await launch({ flags: { ...flags, "relay.hop_id": "11" } });
    {
      await using higher = await launch({ flags: { ...flags, "relay.hop_id": "22" } });
      // Each is dialed at its last thread, which does not dial itself.
      await list(higher, { ...flags, "relay.hop_id": "22" }, [urlOf(lower, workers - 1)]);
      await shows(higher, ["dialed connected"]);
      await shows(lower, ["incoming connected"]);
      await list(lower, { ...flags, "relay.hop_id": "11" }, [urlOf(higher, workers - 1)]);
      await shows(lower, ["dialed connected"]);
      await shows(higher, ["dialed standby", "incoming connected"]);
      const [own, theirs] = higher.server.view.cluster.links;
      assert.deepEqual([own!.hop, theirs!.hop, theirs!.url], ["11", "11", own!.url]);

      // The link that stays ends: the other one is dialed at once.
      await list(lower, { ...flags, "relay.hop_id": "11" }, []);
      await shows(higher, ["dialed connected"]);
      await shows(lower, ["incoming connected"]);
    }
    await shows(lower, []);
  });
}
