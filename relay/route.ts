/**
 * A way to a broadcast: who offers it, through which relays it came, what it costs.
 *
 * @module
 */
import type { BroadcastSource } from "./ports.ts";

/** Identifies a relay or publisher: random, below 2^62; 0 is "unknown" and never equal to another 0. */
export type HopId = bigint;

export interface Route {
  readonly source: BroadcastSource;
  /** Every relay the broadcast came through, its publisher first, the peer that told us last. */
  readonly hops: readonly HopId[];
  /** What it costs as the mesh stands, and what it would cost with nothing running. Infinity is "unknown". */
  readonly warm: number;
  readonly cold: number;
  /** Order of arrival, to break ties: newer is higher. */
  readonly order: number;
  /** Whether its publisher may serve a path below the announced one. Absent: it may serve all of them. */
  readonly mayServe?: (path: string) => boolean;
}

/** Who publishes: the first hop, or `undefined` when it did not say. */
export function publisherOf(hops: readonly HopId[]): HopId | undefined {
  const first = hops[0];
  return first === undefined || first === 0n ? undefined : first;
}

/** Whether somebody in the chain did not say who it is. What is published in this process has no chain, and no name. */
export function isAnonymous(hops: readonly HopId[]): boolean {
  return hops.length === 0 || hops.includes(0n);
}

/** Whether a chain runs in a circle: it comes through this relay, or through another one twice. 0 may repeat. */
export function isLoop(hops: readonly HopId[], self: HopId): boolean {
  return runsThrough(hops, self) || hops.some((hop, i) => hop !== 0n && hops.indexOf(hop) < i);
}

/** Whether a route may be asked for this path: the announced one, or one below it that its publisher has a right to. */
export function serves(route: Route, path: string): boolean {
  return route.mayServe === undefined || route.mayServe(path);
}

/** Whether a route runs through this relay. 0 matches nothing. */
export function runsThrough(hops: readonly HopId[], hop: HopId): boolean {
  return hop !== 0n && hops.includes(hop);
}

/** Stands for the other threads of this relay where a hop is asked for that routes must not run through. No hop has it. */
export const NEIGHBOURS: HopId = -1n;

/** Whether a route must not serve who asks: it runs through that hop, or a neighbour is offered what is a neighbour's. */
export function isExcluded(route: Route, asker: HopId): boolean {
  return asker === NEIGHBOURS ? route.source.neighbour === true : runsThrough(route.hops, asker);
}

/**
 * Sorts the better route to one publisher first: lower warm cost, lower cold cost, fewer hops, our own before a
 * neighbour's, newer.
 */
export function compareRoutes(a: Route, b: Route): number {
  return compareCosts(a, b) ||
    Number(a.source.neighbour ?? false) - Number(b.source.neighbour ?? false) ||
    b.order - a.order;
}

/** Sorts the routes to different publishers: known ones first, then as {@link compareRoutes}, but newer wherever it came in. */
export function comparePublishers(a: Route, b: Route): number {
  return compareCosts(a, b) || b.order - a.order;
}

function compareCosts(a: Route, b: Route): number {
  const anonymous = Number(isAnonymous(a.hops)) - Number(isAnonymous(b.hops));
  if (anonymous !== 0) return anonymous;
  if (a.warm !== b.warm) return a.warm - b.warm;
  if (a.cold !== b.cold) return a.cold - b.cold;
  return a.hops.length - b.hops.length;
}
