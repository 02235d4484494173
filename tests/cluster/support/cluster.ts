/**
 * Several relays as processes of their own, on 127.0.0.1, that know each other.
 *
 * @module
 */
import { freePort } from "../../support/borrowed.ts";
import { until } from "../../support/server.ts";
import { ClusterNode, LIMIT_MS } from "./node.ts";

/** Running nodes. They are killed when it goes out of scope. */
export interface Cluster<Nodes extends readonly ClusterNode[]> extends AsyncDisposable {
  readonly nodes: Nodes;
}

type N = ClusterNode;
interface Sizes {
  1: readonly [N];
  2: readonly [N, N];
  3: readonly [N, N, N];
  5: readonly [N, N, N, N, N];
}

/**
 * Starts nodes side by side: `a`, `b`, `c`, …
 * @param flags Flags of each, by its place and by the URLs of all.
 * @param runFlags Flags of `deno run`.
 */
export async function startCluster<Count extends keyof Sizes>(
  count: Count,
  flags: (index: number, urls: readonly string[]) => readonly string[],
  runFlags: readonly string[] = [],
): Promise<Cluster<Sizes[Count]>> {
  const ports = freePorts(count);
  const urls = ports.map((port) => `http://127.0.0.1:${port}/`);
  const started = await Promise.allSettled(
    ports.map((port, i) =>
      ClusterNode.start({ name: "abcdefgh"[i]!, port, flags: flags(i, urls), runFlags })
    ),
  );
  const nodes = started.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
  const dispose = async () => {
    await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
  };
  const failed = started.find((one) => one.status === "rejected");
  if (failed !== undefined) {
    await dispose();
    throw failed.reason;
  }
  return { nodes: nodes as readonly ClusterNode[] as Sizes[Count], [Symbol.asyncDispose]: dispose };
}

/** Each has the next as its upstream relay; the last has none. */
export const chained = (i: number, urls: readonly string[]): string[] =>
  i + 1 < urls.length ? ["--relay.upstream_url", urls[i + 1]!] : [];

/** Each has the next as its upstream relay, the last the first. */
export const inARing = (i: number, urls: readonly string[]): string[] => [
  "--relay.upstream_url",
  urls[(i + 1) % urls.length]!,
];

export interface MeshOptions {
  /** Of each node; all are in one if absent. */
  readonly regions?: readonly string[];
  /** How they find each other. Default: each has the list of all. */
  readonly directory?: readonly string[];
  /** Without a secret, as relays of others need it: who is dialed takes a node for a stranger. */
  readonly open?: boolean;
}

/** All are nodes of one cluster, by a shared secret. @param dir Where its file is written. */
export async function meshed(
  dir: string,
  { regions, directory, open = false }: MeshOptions = {},
): Promise<(i: number, urls: readonly string[]) => string[]> {
  const secret = `${dir}/cluster.secret`;
  await Deno.writeTextFile(secret, "a secret of the tests, long enough", { mode: 0o600 });
  return (i, urls) => [
    ...["--cluster.url", urls[i]!, "--auth.anonymous", "true"],
    ...(open ? [] : ["--cluster.secret_file", secret]),
    ...(regions === undefined ? [] : ["--cluster.region", regions[i]!]),
    ...(directory ?? ["--cluster.nodes", urls.join(",")]),
  ];
}

/** Waits until each of these nodes has an open link to each other one. */
export async function linked(nodes: readonly ClusterNode[]): Promise<void> {
  for (const node of nodes) {
    await until(
      async () => {
        const { links } = await node.cluster();
        const open = new Set(
          links.filter(({ state }) => state === "connected").map(({ hop }) => hop),
        );
        return open.size >= nodes.length - 1;
      },
      `${node.name} to have links to all others`,
      LIMIT_MS,
    );
  }
}

/** Waits until none of these nodes has an open link to one. */
export async function unlinked(nodes: readonly ClusterNode[], gone: ClusterNode): Promise<void> {
  for (const node of nodes) {
    await until(
      async () =>
        (await node.cluster()).links.every(({ url, state }) =>
          url !== gone.url || state !== "connected"
        ),
      `${node.name} to lose its link to ${gone.name}`,
      LIMIT_MS,
    );
  }
}

/** Ports that are free for UDP and TCP, all different. */
function freePorts(count: number): number[] {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = freePort();
    try {
      Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port }).close();
      ports.add(port);
    } catch { // Taken.
    }
  }
  return [...ports];
}
