/**
 * The cluster as the admin interface shows it.
 *
 * @module
 */
import type { ClusterJson, ClusterNodeJson, LinkJson } from "../../../admin/shapes.ts";
import type { ClusterView, LinkView } from "../../cluster/cluster_view.ts";
import type { NodeInfo } from "../../cluster/node_info.ts";

/** @param view `undefined` where the server has no cluster. */
export function clusterJson(view: ClusterView | undefined): ClusterJson {
  return {
    ...(view?.self === undefined ? {} : { self: nodeJson(view.self) }),
    nodes: view?.nodes.map(nodeJson) ?? [],
    links: view?.links.map(linkJson) ?? [],
    directories: view?.directories.map(({ kind, reachable, lastError }) => ({
      kind,
      reachable,
      lastError: lastError ?? null,
    })) ?? [],
  };
}

function nodeJson(
  { url, hop, region, version, load, capacity, draining }: NodeInfo,
): ClusterNodeJson {
  return {
    url,
    hop: hop ?? null,
    region: region ?? null,
    version: version ?? null,
    load: load === undefined ? null : { sessions: load.sessions, mbps: load.mbps, cpu: load.cpu },
    capacity: {
      ...(capacity?.sessions === undefined ? {} : { sessions: capacity.sessions }),
      ...(capacity?.mbps === undefined ? {} : { mbps: capacity.mbps }),
      ...(capacity?.cpu === undefined ? {} : { cpu: capacity.cpu }),
    },
    draining: draining ?? false,
  };
}

function linkJson(link: LinkView): LinkJson {
  return {
    url: link.url,
    role: link.role,
    dialed: link.dialed,
    state: link.state,
    cost: link.cost,
    hop: link.hop ?? null,
    region: link.region ?? null,
    version: link.version ?? null,
    session: link.session ?? null,
    attempts: link.attempts,
    links: link.links,
    lastError: link.lastError ?? null,
    since: new Date(link.sinceMs).toISOString(),
  };
}
