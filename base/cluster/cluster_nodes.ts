/**
 * The nodes of a cluster as people see them: in which order, how their links stand, how full they are.
 *
 * @module
 */

interface NodeLike {
  readonly url: string;
  /** In decimal digits; `null` while it is not known. */
  readonly hop: string | null;
  readonly region: string | null;
}

interface LinkLike {
  readonly url: string;
  readonly hop: string | null;
  readonly state: string;
}

/** A node, and how it stands: "this node", the state of its link, or "no link". */
export type Standing<N> = N & { readonly stands: string };

/** This node first, then the others by region and URL. */
export function nodesInOrder<N extends NodeLike>(
  self: N | undefined,
  nodes: readonly N[],
  links: readonly LinkLike[],
): Standing<N>[] {
  const others = nodes.map((node) => ({ ...node, stands: standOf(node, links) }))
    .sort((a, b) => compare(a.region ?? "", b.region ?? "") || compare(a.url, b.url));
  return self === undefined ? others : [{ ...self, stands: "this node" }, ...others];
}

/** Two nodes may have dialed each other: the link that is in use tells. */
function standOf(node: NodeLike, links: readonly LinkLike[]): string {
  const its = links.filter((link) => isLinkTo(node, link));
  return (its.find(({ state }) => state === "connected") ?? its[0])?.state ?? "no link";
}

/** Whether a link leads to a node. A link that the other side has dialed may have its address in place of its URL. */
export const isLinkTo = (node: Omit<NodeLike, "region">, link: Omit<LinkLike, "state">): boolean =>
  link.url === node.url || (node.hop !== null && link.hop === node.hop);

/** "12 of 1000"; "12" where there is no bound, and "–" where nobody says how much it is. */
export function ofMost(
  now: number | undefined,
  most: number | undefined,
  text: (value: number) => string,
): string {
  const known = now === undefined ? "–" : text(now);
  return most === undefined ? known : `${known} of ${text(most)}`;
}

/** By code units, the same on every machine. */
const compare = (a: string, b: string) => a < b ? -1 : a > b ? 1 : 0;
