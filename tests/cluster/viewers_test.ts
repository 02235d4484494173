/** Viewers and publishers of a node that dies, is full or leaves go on at another node by themselves. */
import assert from "node:assert/strict";
import type { ConnectOptions } from "../../client/mod.ts";
import { inDirectory } from "../support/borrowed.ts";
import { until } from "../support/server.ts";
import { type Audience, clients } from "./support/audience.ts";
import { linked, meshed, startCluster } from "./support/cluster.ts";
import { type ClusterNode, LIMIT_MS } from "./support/node.ts";
import { LASTING, Source } from "./support/source.ts";

/** How viewers connect. Those with a list know all nodes; the others ask theirs for the rest. */
const WAYS: readonly (ConnectOptions & { readonly scheme: string; readonly list: boolean })[] = [
  { scheme: "moqt", list: true },
  { scheme: "http", list: false },
  { scheme: "http", list: true, versions: ["moq-lite-05"] },
  { scheme: "ws", list: false },
  { scheme: "moqt", list: true, versions: ["moq-transport-18"] },
  { scheme: "http", list: false, versions: ["moq-transport-18"] },
];

/** A loss is noticed as by default, while the groups are still kept. */
const ATTENTIVE = { idleTimeoutMs: 3000, keepAliveMs: 500 };

const at = (scheme: string, { port }: { readonly port: number }) =>
  `${scheme}://127.0.0.1:${port}/`;

/** Viewers of every way, each way with so many, all at the first of these nodes. */
async function everyWay(source: Source, nodes: readonly ClusterNode[], each = 1) {
  const first = nodes.slice(0, 1);
  const byPort = new Map(nodes.map(({ port, hash }) => [String(port), hash]));
  const audiences: Audience[] = [];
  const sessions: string[] = [];
  for (const { scheme, list, ...options } of WAYS) {
    const urls = nodes.map((node) => at(scheme, node));
    audiences.push(
      await clients(source, first, each, {
        ...LASTING,
        // What was missed comes at once, and the groups are short.
        groupCacheSize: 256,
        transport: ATTENTIVE,
        ...options,
        ...(scheme === "moqt" ? { hash: ({ port }: URL) => byPort.get(port) } : {}),
        urls: () => list ? urls : urls[0]!,
        onstatus: (status) => status.state === "moving" && sessions.push(status.url),
      }),
    );
  }
  return {
    sessions,
    goesOn: (groups: number) => Promise.all(audiences.map((one) => one.goesOn(groups))),
    hasAll: (to: number) => Promise.all(audiences.map((one) => one.hasAll(to))),
    async [Symbol.asyncDispose]() {
      await Promise.all(audiences.map((one) => one[Symbol.asyncDispose]()));
    },
  };
}

async function sessionsAt(node: ClusterNode): Promise<number> {
  const { links } = await node.cluster();
  const { sessions } = await node.api<{ sessions: { id: number }[] }>("/api/v1/sessions");
  const peers = new Set(links.map(({ session }) => session));
  return sessions.filter(({ id }) => !peers.has(id)).length;
}

Deno.test("kill -9: viewers go on at another node and miss no group, over every transport, with a list or by /route", async () => {
  await inDirectory(async (dir) => {
    const flags = await meshed(dir);
    // On a busy machine viewers may need longer to come back than groups are kept by default.
    const patient = (i: number, urls: readonly string[]) => [
      ...flags(i, urls),
      ...["--relay.max_age", "20s"],
    ];
    await using cluster = await startCluster(3, patient);
    const { nodes } = cluster;
    const [a, , c] = nodes;
    await linked(nodes);
    await using source = await Source.start(c.url, { path: "match" });
    await using audience = await everyWay(source, nodes);
    await audience.goesOn(2);
    await a.kill();
    await audience.goesOn(6);
  });
});

Deno.test("kill -9: a publisher with a list goes on at another node, and no viewer misses a group", async () => {
  await inDirectory(async (dir) => {
    const flags = await meshed(dir);
    // On a busy machine the publisher may be away for longer than a broadcast lingers by default.
    const patient = (i: number, urls: readonly string[]) => [
      ...flags(i, urls),
      ...["--relay.linger", "30s"],
    ];
    await using cluster = await startCluster(3, patient);
    const { nodes } = cluster;
    const [a, b, c] = nodes;
    await linked(nodes);
    // Short groups: it keeps those of more than the time in which the loss is noticed.
    const connect = { groupCacheSize: 64 };
    await using source = await Source.start([a.url, b.url, c.url], { path: "match", connect });
    await using audience = await clients(source, [b, c], 4, connect);
    await audience.goesOn(2);
    await a.kill();
    await audience.goesOn(6);
  });
});

Deno.test("a full node sends newcomers to nodes with room, over every transport", async () => {
  await inDirectory(async (dir) => {
    const flags = await meshed(dir);
    const capacity = (i: number, urls: readonly string[]) => [
      ...flags(i, urls),
      ...["--server.capacity_sessions", ["2", "20", "20"][i]!],
    ];
    await using cluster = await startCluster(3, capacity);
    const { nodes } = cluster;
    const [a, , c] = nodes;
    await linked(nodes);
    await using source = await Source.start(c.url, { path: "match" });
    // The links of the other nodes are sessions too: they got in before, and fill this node.
    await using audience = await everyWay(source, nodes);
    await audience.goesOn(3);
    assert.ok(await sessionsAt(a) < WAYS.length);
    assert.ok(await a.metric("qumo_refused_total") > 0);
  });
});

Deno.test("SIGTERM: a node moves its viewers and its publisher to both other nodes, and no group is lost", async () => {
  await inDirectory(async (dir) => {
    const flags = await meshed(dir);
    const patient = (i: number, urls: readonly string[]) => [
      ...flags(i, urls),
      ...["--server.drain_timeout", "20s"],
    ];
    await using cluster = await startCluster(3, patient);
    const { nodes } = cluster;
    const [a, b, c] = nodes;
    await linked(nodes);
    await using source = await Source.start(a.url, { path: "match" });
    await using audience = await everyWay(source, nodes, 4);
    await audience.goesOn(2);
    const code = await a.end();
    assert.equal(code, 0);
    await until(
      async () => await sessionsAt(b) + await sessionsAt(c) >= 4 * WAYS.length + 1,
      "everybody to be elsewhere",
      LIMIT_MS,
    );
    await audience.goesOn(4);
    const shares = await Promise.all([b, c].map(sessionsAt));
    assert.ok(Math.min(...shares) >= 8, `${shares}`);
    assert.ok(audience.sessions.length >= 20, `${audience.sessions.length} were asked to move`);
  });
});
