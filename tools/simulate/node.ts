/**
 * One node of the simulation. With sessions it is the whole relay of the program, without them only its origin.
 *
 * @module
 */
import { FramePool } from "../../relay/group/frame_pool.ts";
import { type OriginNodes, originNodes } from "../../relay/cluster/origin_nodes.ts";
import { renewals } from "../../relay/feed/renewals.ts";
import { Origin } from "../../relay/origin.ts";
import { newRelayStats } from "../../relay/stats.ts";
import { Relay } from "../../server/relay.ts";
import type { Counted } from "./counted.ts";
import type { SimulatedTime } from "./simulated_time.ts";

/** As `relay.max_age` and `relay.linger`, and as many groups as the cache keeps by default. */
export const MAX_AGE_MS = 5000;
const LINGER_MS = 5000;
const GROUPS_KEPT = 100;

export interface NodeOptions {
  readonly index: number;
  readonly region: string;
  readonly hop: bigint;
  readonly time: SimulatedTime;
  readonly counted: Counted;
  /** For nodes without sessions: the memory of their frames. */
  readonly pool?: FramePool;
}

export class Node {
  readonly index: number;
  readonly region: string;
  readonly hop: bigint;
  readonly origin: Origin;
  /** The part of its origin for other nodes. */
  readonly nodes: OriginNodes;
  /** Absent without sessions. */
  readonly relay: Relay | undefined;
  /** Whether it runs. One that has been stopped does not come back: a new one takes its place. */
  up = true;

  constructor({ index, region, hop, time, counted, pool }: NodeOptions) {
    this.index = index;
    this.region = region;
    this.hop = hop;
    if (pool !== undefined) {
      this.origin = originOf(hop, time, pool);
      this.nodes = this.origin.allowNodes(originNodes);
    } else {
      this.relay = new Relay({
        ...{ hop, clock: time, versions: ["moq-lite-06"], lingerMs: LINGER_MS },
        ...{ groupCacheSize: GROUPS_KEPT, maxAgeMs: MAX_AGE_MS },
      });
      this.origin = this.relay.origin;
      this.nodes = this.relay.nodes;
      counted.follow(this.origin);
    }
  }

  /** Stops it. Nobody hears of it but those who are still linked. */
  async stop(): Promise<void> {
    this.up = false;
    await this.relay?.close();
  }
}

/** An origin without sessions: of a node, or of a publisher. */
export function originOf(hop: bigint, clock: SimulatedTime, pool = new FramePool()): Origin {
  const limits = { groupCacheSize: GROUPS_KEPT, maxAgeMs: MAX_AGE_MS, maxGroupBytes: 1 << 20 };
  const context = { pool, clock, limits, stats: newRelayStats() };
  return new Origin({ context, hop, lingerMs: LINGER_MS, renewals });
}
