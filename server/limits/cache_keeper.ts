/**
 * Keeps the groups of a relay within their bytes: when there are too many, the oldest are forgotten, those that nobody reads
 * first. The newest group of a track stays, so everybody who joins still begins at once.
 *
 * @module
 */
import type { Group } from "../../relay/group.ts";
import type { Origin } from "../../relay/origin.ts";
import type { Track } from "../../relay/track.ts";
import type { LimitHits } from "../../session/limits.ts";
import type { Census } from "./census.ts";
import type { NodeLimits } from "./limits.ts";

/** Between two looks at what is kept, while there is too much. */
const PAUSE_MS = 100;
/** How far below its limit the cache is brought, so that not every group has to make room. */
const ENOUGH = 0.9;

interface Kept {
  readonly track: Track;
  readonly group: Group;
}

export class CacheKeeper {
  readonly #limits: Readonly<NodeLimits>;
  readonly #hits: LimitHits;
  readonly #census: Census;
  readonly #origin: Origin;
  #nextLookMs = -Infinity;

  constructor(limits: Readonly<NodeLimits>, hits: LimitHits, census: Census, origin: Origin) {
    this.#limits = limits;
    this.#hits = hits;
    this.#census = census;
    this.#origin = origin;
  }

  /** Called with each group that opens. */
  look(now: number): void {
    const { maxCacheBytes, maxBroadcastCacheBytes } = this.#limits;
    const used = this.#origin.context.pool.stats.bytesInUse;
    this.#census.setCacheBytes(used);
    const tooMany = maxCacheBytes > 0 && this.#census.cacheBytes > maxCacheBytes;
    // No broadcast has more than all of them.
    const maybe = maxBroadcastCacheBytes > 0 && used > maxBroadcastCacheBytes;
    if (!tooMany && !maybe || now < this.#nextLookMs) return;
    this.#nextLookMs = now + PAUSE_MS;
    const byBroadcast = this.#kept();
    if (maybe) {
      for (const kept of byBroadcast.values()) {
        const bytes = sizeOf(kept);
        if (bytes <= maxBroadcastCacheBytes) continue;
        this.#hits.broadcastCache += forget(kept, bytes - maxBroadcastCacheBytes * ENOUGH);
      }
    }
    const over = this.#census.cacheBytes - maxCacheBytes * ENOUGH;
    if (tooMany) this.#hits.cache += forget([...byBroadcast.values()].flat(), over);
    this.#census.setCacheBytes(this.#origin.context.pool.stats.bytesInUse);
  }

  /** What came in at this node, by broadcast. */
  #kept(): Map<string, Kept[]> {
    const found = new Map<string, Kept[]>();
    for (const [, publishers] of this.#origin.broadcasts()) {
      for (const broadcast of publishers) {
        for (const { track, feed } of broadcast.tracks()) {
          if (feed.route?.source.neighbour === true) continue; // these lie in the neighbour's memory
          const here = found.get(track.broadcast) ?? [];
          found.set(track.broadcast, here);
          for (const group of track.ring.since(0)) here.push({ track, group });
        }
      }
    }
    return found;
  }
}

const slabsOf = ({ group }: Kept) =>
  group.segments.reduce((sum, slab) => sum + slab.bytes.length, 0);
const sizeOf = (kept: readonly Kept[]) => kept.reduce((sum, one) => sum + slabsOf(one), 0);

/** Forgets the oldest until `bytes` are free, or only live edges are left. @returns How many groups that were. */
function forget(kept: readonly Kept[], bytes: number): number {
  const rank = ({ track, group }: Kept) => track.readers === 0 ? -Infinity : group.openedAtMs;
  const ordered = kept.toSorted((a, b) => {
    const [x, y] = [rank(a), rank(b)];
    return x === y ? a.group.openedAtMs - b.group.openedAtMs : x - y;
  });
  let groups = 0;
  let left = bytes;
  for (const one of ordered) {
    if (left <= 0) break;
    const size = slabsOf(one);
    if (!one.track.ring.drop(one.group)) continue;
    left -= size;
    groups++;
  }
  return groups;
}
