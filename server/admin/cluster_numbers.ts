/**
 * The links to other relays as the metrics tell them.
 *
 * @module
 */
import type {
  ClusterNumbers,
  LinkedSession,
  LinkNumbers,
  LinkTraffic,
} from "../../metrics/snapshot.ts";
import type { ClusterView, LinkView } from "../cluster/cluster_view.ts";

/** In place of the address of a relay that has dialed us and that no directory knows. */
const OTHER = "other";

/** Nothing goes over a link without a session. */
const IDLE: LinkTraffic = { announcements: 0, served: 0, upstream: 0 };

/**
 * Two nodes that dial each other have two links for a while; here they are one.
 * @param linked The sessions of links, of all threads.
 */
export function clusterNumbers(
  { nodes, links, directories }: ClusterView,
  linked: readonly LinkedSession[],
): ClusterNumbers {
  const traffic = new Map<number | undefined, LinkTraffic>(
    linked.map((one) => [one.session, one]),
  );
  const merged = new Map<string, LinkNumbers>();
  for (const view of links) {
    const link = nameOf(view);
    const key = `${view.role} ${link}`;
    const before = merged.get(key);
    const { announcements, served, upstream } = traffic.get(view.session) ?? IDLE;
    const connected = view.state === "connected" ? 1 : 0;
    merged.set(key, {
      link,
      role: view.role,
      connected: Math.max(before?.connected ?? 0, connected),
      attempts: (before?.attempts ?? 0) + view.attempts,
      connects: (before?.connects ?? 0) + view.links,
      cost: Math.min(before?.cost ?? Infinity, view.cost),
      announcements: (before?.announcements ?? 0) + announcements,
      served: (before?.served ?? 0) + served,
      upstream: (before?.upstream ?? 0) + upstream,
    });
  }
  return {
    nodes: nodes.length,
    links: [...merged.values()],
    directories: directories.map(({ kind, reachable }) => ({ kind, reachable: reachable ? 1 : 0 })),
  };
}

/** What others have chosen, such as their address, is no label: there would be no end of them. */
const nameOf = ({ url }: LinkView) => /^[a-z]+:\/\//.test(url) ? url : OTHER;
