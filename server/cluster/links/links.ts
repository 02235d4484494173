/**
 * All links of this node to other relays: those that it dials, one for each wanted one, and those of peers that have dialed it.
 * Two nodes that dial each other keep one link.
 *
 * @module
 */
import { type Clock, systemClock } from "../../../base/clock.ts";
import type { Logger } from "../../../base/logger.ts";
import type { Relay } from "../../relay.ts";
import type { LinkView } from "../cluster_view.ts";
import { DialTurns } from "./dial_turns.ts";
import type { IncomingPeer } from "./incoming.ts";
import { Link, type LinkOptions, type LinkRole } from "./link.ts";
import type { LinkSet, WantedLink } from "./wanted_link.ts";

export interface LinksOptions {
  readonly relay: Relay;
  readonly log: Logger;
  /** How the relays of a role are dialed. */
  readonly dialing: (wanted: WantedLink) => Pick<LinkOptions, "backoff" | "dial">;
  readonly random?: () => number;
  readonly clock?: Clock;
}

interface Entry {
  readonly link: Link;
  wanted: WantedLink;
}

/** Its owner stops it. */
export class Links implements LinkSet {
  readonly #options: LinksOptions;
  /** By role and URL, in the order in which they were wanted. */
  readonly #links = new Map<string, Entry>();
  /** By thread. */
  readonly #incoming = new Map<number, readonly IncomingPeer[]>();
  readonly #turns: DialTurns;
  #stopped = false;
  #settling = false;
  #unsettled = false;

  constructor(options: LinksOptions) {
    this.#options = options;
    this.#turns = new DialTurns(options.clock);
  }

  want(links: readonly WantedLink[]): void {
    this.#want("peer", links);
  }

  /** The same for upstream relays. It does not touch peers. */
  wantParents(links: readonly WantedLink[]): void {
    this.#want("parent", links);
  }

  /**
   * Has exactly these links of a role from now on. A link whose cost has changed is replaced without a gap, one that is to be
   * dialed in another way anew.
   */
  #want(role: LinkRole, links: readonly WantedLink[]): void {
    if (this.#stopped) return;
    const keep = new Map(links.map((one) => [keyOf(one), one]));
    for (const [key, { link }] of this.#links) {
      if (link.role !== role || keep.has(key)) continue;
      this.#links.delete(key);
      link.stop();
    }
    for (const [key, one] of keep) {
      const entry = this.#links.get(key);
      if (entry === undefined) this.#links.set(key, this.#dial(one));
      else {
        entry.wanted = one;
        entry.link.setCost(one.cost);
      }
    }
    this.#settle();
  }

  /** The peers that have dialed a thread of this node. @param thread 0 is the one that dials. */
  incoming(thread: number, peers: readonly IncomingPeer[]): void {
    if (peers.length === 0) this.#incoming.delete(thread);
    else this.#incoming.set(thread, peers);
    this.#settle();
  }

  /** All links: those to parents, those that we dial, those of peers that have dialed us. */
  get views(): readonly LinkView[] {
    const dialed = [...this.#links.values()].map(viewOf);
    const known = new Map(dialed.map((view) => [view.hop, view]));
    const ofRole = (role: LinkRole) => dialed.filter((view) => view.role === role);
    const incoming = [...this.#incoming.values()].flat().map((peer): LinkView => {
      const { url = peer.remote, region, cost = 1 } = known.get(peer.hop.toString()) ?? {};
      return {
        ...{ url, role: "peer", dialed: false, state: "connected", cost },
        ...(peer.hop === 0n ? {} : { hop: peer.hop.toString() }),
        ...(region === undefined ? {} : { region }),
        ...{ version: peer.version, session: peer.session, sinceMs: peer.sinceMs },
        ...{ attempts: 0, links: 0 },
      };
    });
    return [...ofRole("parent"), ...ofRole("peer"), ...incoming];
  }

  /** Closes all links and dials no more. */
  stop(): void {
    this.#stopped = true;
    for (const { link } of this.#links.values()) link.stop();
  }

  #dial(wanted: WantedLink): Entry {
    const { relay, log, dialing, random, clock = systemClock } = this.#options;
    const { url, role, cost } = wanted;
    const { backoff, dial } = dialing(wanted);
    const inTurn: LinkOptions["dial"] = (to, signal) =>
      this.#turns.take(link.connected > 0, () => dial(to, signal), signal);
    const link: Link = new Link({
      ...{ url, role, cost, relay, log, clock, backoff },
      dial: role === "peer" ? inTurn : dial,
      ...(random === undefined ? {} : { random }),
      onChange: () => this.#settle(),
    });
    // The first dial waits until all of the set is known, and which links stand by.
    queueMicrotask(() => void link.run());
    return { link, wanted };
  }

  /**
   * Decides which links to peers stand by. Of two nodes that dial each other, the link stays that the one with the lower hop id
   * has dialed. Of two URLs of one node, the link stays that came up first. A node needs no link to itself.
   */
  #settle(): void {
    if (this.#settling) return void (this.#unsettled = true);
    this.#settling = true;
    do {
      this.#unsettled = false;
      this.#settleOnce();
    } while (this.#unsettled);
    this.#settling = false;
  }

  #settleOnce(): void {
    const { hop: own } = this.#options.relay;
    const dialers = new Set([...this.#incoming.values()].flat().map(({ hop }) => hop));
    const peers = [...this.#links.values()].filter(({ link }) => link.role === "peer");
    const open = peers.filter(({ link }) => link.session !== undefined)
      .sort((a, b) => a.link.sinceMs - b.link.sinceMs);
    const openBy = Map.groupBy(open, hopOf);
    for (const entry of [...open, ...peers]) {
      const { link } = entry;
      const hop = hopOf(entry);
      const twin = hop !== undefined &&
        openBy.get(hop)?.find((other) => other.link.session !== undefined);
      if (hop === undefined) link.goOn();
      else if (hop === own) link.standBy("this is the same node");
      else if (own > hop && dialers.has(hop)) link.standBy("the other side has dialed too");
      else if (twin && twin !== entry) link.standBy("another URL of the same node is linked");
      else link.goOn();
    }
  }
}

/** A change of these makes it another link. */
const keyOf = ({ role, url, serverName = "" }: WantedLink) => `${role} ${url} ${serverName}`;

/** What the other side has told, or what a directory says of it. */
function hopOf({ link, wanted: { hop } }: Entry): bigint | undefined {
  return link.hop ?? (hop !== undefined && /^\d{1,19}$/.test(hop) ? BigInt(hop) : undefined);
}

function viewOf(entry: Entry): LinkView {
  const { link, wanted: { region } } = entry;
  const { url, role, state, cost, session, lastError, sinceMs } = link;
  const hop = hopOf(entry)?.toString();
  return {
    ...{ url, role, dialed: true, state, cost },
    ...(hop === undefined ? {} : { hop }),
    ...(region === undefined ? {} : { region }),
    ...(session === undefined ? {} : { version: session.session.version, session: session.id }),
    ...{ attempts: link.attempts, links: link.connected },
    ...(lastError === undefined ? {} : { lastError }),
    sinceMs,
  };
}
