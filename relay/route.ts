/**
 * A route to a broadcast: which source offers it, through which relays it came, what it costs.
 *
 * @module
 */
import type { BroadcastSource } from "./ports.ts";

/** Identifies a relay or publisher: a random number below 2^62. 0 is "unknown" and not equal to another 0. */
export type HopId = bigint;

/**
 * How long a watcher with `merged` waits for an update of a broadcast that stays announced. It hears of several updates in
 * that time as one. As moq-net does (`update_hold`). A feed waits as long before it takes a better route of another node.
 */
export const UPDATE_HOLD_MS = 300;

export interface Route {
  readonly source: BroadcastSource;
  /** Every relay the broadcast came through: its publisher first, the peer that announced it to us last. */
  readonly hops: readonly HopId[];
  /** Its cost with the subscriptions that run now, and with none. Infinity is "unknown". */
  readonly warm: number;
  readonly cold: number;
  /** Order of arrival, to break ties. Newer routes have higher numbers. */
  readonly order: number;
  /** Whether its publisher may serve a path below the announced one. Absent: it may serve all of them. */
  readonly mayServe?: (path: string) => boolean;
  /** The tracks that its publisher has offered one by one (PUBLISH of moq-transport). The set may grow and shrink. */
  readonly tracks?: ReadonlySet<string>;
  /** It serves the announced path and `tracks`, and nothing else. */
  readonly onlyTracks?: boolean;
  /** Another node of the cluster told it, here or at a sibling: it entered the cluster there. */
  readonly peer?: boolean;
  /** For these: chooses between equal ones, the lower first, so that all nodes choose alike. Default 0. */
  readonly tie?: bigint;
}

/** The publisher: the first hop, or `undefined` when it is unknown. */
export function publisherOf(hops: readonly HopId[]): HopId | undefined {
  const first = hops[0];
  return first === undefined || first === 0n ? undefined : first;
}

/** Whether a hop of the chain is unknown. A publisher in this process has no chain, and counts as unknown. */
export function isAnonymous(hops: readonly HopId[]): boolean {
  return hops.length === 0 || hops.includes(0n);
}

/** Whether a chain is a loop: this relay is in it, or another one twice. 0 may repeat. */
export function isLoop(hops: readonly HopId[], self: HopId): boolean {
  return runsThrough(hops, self) || hops.some((hop, i) => hop !== 0n && hops.indexOf(hop) < i);
}

/**
 * Whether a route may serve this path: the announced one, or one below it that its publisher may serve.
 * @param at The announced path.
 * @param track Whether it may serve this track. Default: any.
 */
export function serves(route: Route, at: string, path: string, track?: string): boolean {
  if (route.onlyTracks === true) {
    if (path !== at || (track !== undefined && !offers(route, track))) return false;
  }
  return route.mayServe === undefined || route.mayServe(path);
}

/** Whether the publisher has offered this very track. */
export function offers(route: Route, track: string): boolean {
  return route.tracks?.has(track) === true;
}

/** Whether a route goes before those that serve whatever is asked for: it has offered the track, and is not about to end. */
export function preferred(route: Route, track: string): boolean {
  return offers(route, track) && route.warm !== Infinity;
}

/** Whether a route runs through this relay. 0 matches nothing. */
export function runsThrough(hops: readonly HopId[], hop: HopId): boolean {
  return hop !== 0n && hops.includes(hop);
}

/** Means the other threads of this relay where routes through a hop are to be left out. No hop has this id. */
export const SIBLINGS: HopId = -1n;

/** Whether a route must not serve a reader: it runs through the reader, or both are siblings. */
export function isExcluded(route: Route, asker: HopId): boolean {
  return asker === SIBLINGS ? route.source.sibling === true : runsThrough(route.hops, asker);
}

/**
 * Compares two routes to one publisher; the better one comes first. In this order: serves all tracks, known hops, lower warm
 * cost, lower cold cost, fewer hops, our own before a sibling's, lower tie, newer.
 */
export function compareRoutes(a: Route, b: Route): number {
  return compareCosts(a, b) ||
    Number(a.source.sibling ?? false) - Number(b.source.sibling ?? false) ||
    compareTies(a, b) || b.order - a.order;
}

/**
 * Whether a feed goes on with its route although another one comes before it: that one is no cheaper and no shorter. Of two
 * sessions with the same publisher or relay the newer one is taken, because the older one may be dead. Another node of the
 * cluster is different: the loss of a link to it shows at once.
 */
export function isKept(used: Route, best: Route): boolean {
  if (compareCosts(used, best) !== 0) return false;
  if ((used.source.sibling ?? false) !== (best.source.sibling ?? false)) return false;
  return used.peer === true || !sameChain(used.hops, best.hops);
}

/** Whether two routes lead through the same relays. */
export function sameChain(a: readonly HopId[], b: readonly HopId[]): boolean {
  return a.length === b.length && a.every((hop, i) => hop === b[i]);
}

/**
 * Compares routes to different publishers: as {@link compareRoutes}, but a sibling's is no worse than our own. Of those that
 * serve only some tracks the older one comes first: a publisher of one more track takes nobody's place.
 */
export function comparePublishers(a: Route, b: Route): number {
  return compareCosts(a, b) || compareTies(a, b) ||
    (a.onlyTracks === true && b.onlyTracks === true ? a.order - b.order : b.order - a.order);
}

/** Compares routes to different publishers that have all offered the same track. Whether they serve others is no matter. */
export function compareOffers(a: Route, b: Route): number {
  return compareChains(a, b) || compareTies(a, b) || b.order - a.order;
}

function compareTies({ tie: a = 0n }: Route, { tie: b = 0n }: Route): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function compareCosts(a: Route, b: Route): number {
  return Number(a.onlyTracks ?? false) - Number(b.onlyTracks ?? false) || compareChains(a, b);
}

function compareChains(a: Route, b: Route): number {
  const anonymous = Number(isAnonymous(a.hops)) - Number(isAnonymous(b.hops));
  if (anonymous !== 0) return anonymous;
  if (a.warm !== b.warm) return a.warm - b.warm;
  if (a.cold !== b.cold) return a.cold - b.cold;
  return a.hops.length - b.hops.length;
}
