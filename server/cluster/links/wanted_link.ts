/**
 * What the cluster wants of its links, and what it hears of them.
 *
 * @module
 */
import type { LinkView } from "../cluster_view.ts";

/** One link that there should be. Two of them never have the same URL. */
export interface WantedLink {
  /** What is dialed: without `cost` and `region`, and without a token. */
  readonly url: string;
  readonly role: "parent" | "peer";
  /** What a route over this link costs more. */
  readonly cost: number;
  /** Hop id of the node in decimal digits, where a directory knows it. */
  readonly hop?: string;
  readonly region?: string;
  /** The name that its certificate has, where `url` has an address: a node that was found by DNS. */
  readonly serverName?: string;
}

/**
 * Keeps the links that are wanted. Links of which a new set says the same stay as they are; those it does not have are closed,
 * those that are new are dialed. A directory may have a node twice, or this node itself, under URLs that do not tell: the
 * hop id of the SETUP does. Such a link is closed and its view keeps the `hop`, so that the cluster wants it no longer.
 */
export interface LinkSet {
  /** Takes the whole set of peers anew. It does not touch parents. */
  want(links: readonly WantedLink[]): void;
  /** All links, parents too. */
  readonly views: readonly LinkView[];
}
