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
}

/** Who publishes: the first hop, or `undefined` when it did not say. */
export function publisherOf(hops: readonly HopId[]): HopId | undefined {
  const first = hops[0];
  return first === undefined || first === 0n ? undefined : first;
}

/** Whether a route runs through this relay. 0 matches nothing. */
export function runsThrough(hops: readonly HopId[], hop: HopId): boolean {
  return hop !== 0n && hops.includes(hop);
}

/** Sorts the better route first: known publisher, lower warm cost, lower cold cost, fewer hops, newer. */
export function compareRoutes(a: Route, b: Route): number {
  const known = Number(publisherOf(b.hops) !== undefined) -
    Number(publisherOf(a.hops) !== undefined);
  if (known !== 0) return known;
  if (a.warm !== b.warm) return a.warm - b.warm;
  if (a.cold !== b.cold) return a.cold - b.cold;
  if (a.hops.length !== b.hops.length) return a.hops.length - b.hops.length;
  return b.order - a.order;
}
