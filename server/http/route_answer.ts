/**
 * `GET /route`: the nodes that a viewer or publisher may connect to, best first. It needs no token: it names URLs that are
 * public, and says nothing of broadcasts.
 *
 * @module
 */
import type { Context } from "hono";
import { isPath, pathOfUrl } from "../../wire/path.ts";
import type { ServerView } from "../admin/server_view.ts";
import type { NodeInfo } from "../cluster/node_info.ts";
import { reachable } from "../cluster/moving.ts";
import { placed } from "../cluster/placement.ts";
import { remoteOf } from "./http_listener.ts";
import { peerOf } from "./routing.ts";

/** The answer. */
export interface RouteJson {
  /** Best first; empty where every node is full or leaving. */
  readonly nodes: readonly {
    /** What is dialed, without the path of a broadcast. */
    readonly url: string;
    readonly region: string | null;
  }[];
}

/** A client needs a few to choose from, not the whole cluster. */
const MAX_NODES = 16;
const MAX_REGION = 128;
/** Load is told once a second. */
const FRESH = "public, max-age=1";

/** Answers `GET /route?path=…&region=…`. */
export async function routeAnswer(c: Context, view: ServerView): Promise<Response> {
  const path = pathOfUrl(c.req.query("path") ?? "");
  const region = c.req.query("region") ?? view.loaded.config.cluster.region;
  if (path === undefined || !isPath(path)) {
    return c.text("bad request: path is no path of a broadcast\n", 400);
  }
  if (region.length > MAX_REGION) return c.text("bad request: no region has such a name\n", 400);
  const remoteAddress = remoteOf(peerOf(c));
  return await view.relay.answers.serve(remoteAddress, () => {
    const nodes = placed(nodesOf(c, view), { path, region }).slice(0, MAX_NODES)
      // A directory's URL may have the hash of a certificate, which is for the links.
      .map(({ url, region = null }) => ({ url: url.replace(/\?.*$/s, ""), region }));
    // Where the host that was asked for is in the answer, a cache must not give it to others.
    const named = view.cluster.self ?? view.loaded.config.cluster.url;
    const headers = { "cache-control": named === undefined ? "no-store" : FRESH };
    return Promise.resolve(
      nodes.length > 0
        ? c.json({ nodes } satisfies RouteJson, 200, headers)
        : c.json({ nodes } satisfies RouteJson, 503, { ...headers, "retry-after": "2" }),
    );
  });
}

/** All nodes, this one too as it is at this moment. */
function nodesOf(c: Context, { cluster, loaded, relay }: ServerView): NodeInfo[] {
  const { url, region } = loaded.config.cluster;
  const asked = new URL("/", c.req.url).href; // who asks by it reaches us by it
  const self = cluster.self ?? { url: url ?? asked, region };
  const draining = relay.draining || relay.doorkeeper.capacity.full();
  return [{ ...self, draining }, ...reachable(cluster)];
}
