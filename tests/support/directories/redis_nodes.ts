/**
 * Nodes that find each other in a Redis, without relays.
 *
 * @module
 */
import { type Logger, silent } from "../../../base/logger.ts";
import { RedisDirectory } from "../../../server/cluster/directories/redis.ts";
import type { NodeInfo } from "../../../server/cluster/node_info.ts";
import { parseRedisPlace } from "../../../storage/redis_place.ts";
import { until } from "../server.ts";

/** Short leases, so that the tests are short. */
export const LEASE = { leaseMs: 1500, beatMs: 200 };

export interface RedisNode extends AsyncDisposable {
  readonly directory: RedisDirectory;
  /** What it tells of itself; a test may change it. */
  self: NodeInfo;
  /** Every set it was told, as the first labels of the hosts. */
  readonly told: string[];
  /** The last set. */
  nodes: readonly NodeInfo[];
  /** Waits until it was told this set. */
  sees(hosts: string): Promise<void>;
}

/** A node `https://NAME.example/`. */
export function redisNode(
  url: string,
  name: string,
  hop: number | undefined,
  options: { readonly prefix?: string; readonly log?: Logger; readonly caFile?: string } = {},
): RedisNode {
  const { prefix = "test:", log = silent, caFile } = options;
  const place = parseRedisPlace(url)!;
  const directory = new RedisDirectory({ place, prefix, log, caFile, ...LEASE });
  const node: RedisNode = {
    directory,
    self: { url: `https://${name}.example/`, hop: String(hop) },
    told: [],
    nodes: [],
    sees: (hosts) =>
      until(
        () => node.told.at(-1) === hosts,
        `"${hosts}" at ${name}, it has "${node.told.at(-1)}"`,
      ),
    [Symbol.asyncDispose]: () => directory.close(),
  };
  directory.start(() => hop === undefined ? undefined : node.self, (nodes) => {
    node.nodes = nodes;
    node.told.push(nodes.map(({ url }) => new URL(url).hostname.split(".")[0]).join(" "));
  });
  return node;
}
