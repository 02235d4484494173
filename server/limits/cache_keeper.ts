/**
 * Keeps the groups of a relay within their bytes: when there are too many, the oldest are forgotten, those that nobody reads
 * first. The newest group of a track stays, so everybody who joins still begins at once.
 *
 * Where that is not enough, because groups still grow or somebody is slow to read them, they are cut: those of the broadcast
 * that holds the most come first, so that who fills the memory pays for it.
 *
 * @module
 */
import { Group } from "../../relay/group/group.ts";
import type { Origin } from "../../relay/origin.ts";
import type { Track } from "../../relay/track.ts";
import type { LimitHits } from "../../session/limits.ts";
import type { Census } from "./census.ts";
import type { NodeLimits } from "./limits.ts";

/** Between two looks at the broadcasts one by one, while they have more in all than one may have. */
const PAUSE_MS = 100;
/** How far below its limit the cache is brought, so that not every group has to make room. */
const ENOUGH = 0.9;
/** What cannot be given back is looked at again when it has grown by this part of the limit. */
const STEP = 1 / 16;
/** Free memory that is held back for what comes: half as much as may be in use. */
const FREE = 0.5;
const MOST_FREE_BYTES = 256 << 20;

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
  #lookAwaited = false;

  constructor(limits: Readonly<NodeLimits>, hits: LimitHits, census: Census, origin: Origin) {
    this.#limits = limits;
    this.#hits = hits;
    this.#census = census;
    this.#origin = origin;
    const { clock, pool } = origin.context;
    pool.onAlarm = () => {
      // Not now: whoever takes this slab is about to write into it.
      if (this.#lookAwaited) return;
      this.#lookAwaited = true;
      queueMicrotask(() => this.look(clock.now()));
    };
    this.#setAlarm();
  }

  /** Called with each group that opens, when the pool has lent more than agreed, and now and then. */
  look(now: number): void {
    this.#lookAwaited = false;
    const { maxCacheBytes, maxBroadcastCacheBytes } = this.#limits;
    const used = this.#count();
    // No broadcast has more than all of them.
    const maybe = maxBroadcastCacheBytes > 0 && used > maxBroadcastCacheBytes;
    if (maybe && now >= this.#nextLookMs) {
      this.#nextLookMs = now + PAUSE_MS;
      this.#lookAtEach(maxBroadcastCacheBytes);
    }
    if (maxCacheBytes > 0 && this.#census.cacheBytes > maxCacheBytes) {
      this.#forgetOldest(maxCacheBytes);
      if (this.#census.cacheBytes > maxCacheBytes) this.#cutLargest(maxCacheBytes);
    }
    this.#setAlarm();
  }

  /** Tells the other threads how much this one holds. */
  #count(): number {
    const { bytesInUse } = this.#origin.context.pool.stats;
    this.#census.setCacheBytes(bytesInUse);
    return bytesInUse;
  }

  #setAlarm(): void {
    const { pool } = this.#origin.context;
    const { maxCacheBytes } = this.#limits;
    const limit = maxCacheBytes > 0 ? maxCacheBytes : Infinity;
    const used = this.#count();
    const left = limit - (this.#census.cacheBytes - used);
    pool.alarmBytes = used > left ? used + limit * STEP : left;
    pool.maxFreeBytes = Math.min(MOST_FREE_BYTES, limit * FREE);
  }

  #lookAtEach(limit: number): void {
    for (const kept of this.#kept().values()) {
      const bytes = sizeOf(kept.map(({ group }) => group));
      if (bytes <= limit) continue;
      const enough = bytes - limit * ENOUGH;
      this.#hits.broadcastCache += forget(kept, enough);
      const left = kept.map(({ group }) => group).sort(newestFirst);
      for (let over = sizeOf(left) - limit; over > 0 && left.length > 0;) {
        const group = left.pop()!;
        over -= group.heldBytes;
        group.evict();
        this.#hits.broadcastCache++;
      }
    }
  }

  #forgetOldest(limit: number): void {
    const over = this.#census.cacheBytes - limit * ENOUGH;
    this.#hits.cache += forget([...this.#kept().values()].flat(), over);
    this.#count();
  }

  /** Of several threads each brings itself down to its share at most; what is too much is then with another. */
  #cutLargest(limit: number): void {
    const used = this.#count();
    const others = this.#census.cacheBytes - used;
    const enough = Math.max(limit - others, limit / this.#census.threads) * ENOUGH;
    const byOwner = new Map<string, Group[]>();
    let over = used - enough;
    for (const holder of this.#origin.context.pool.holders) {
      if (!(holder instanceof Group)) continue;
      if (holder.isEvicted) { // the transport has yet to let go of it
        over -= holder.heldBytes;
        continue;
      }
      const owner = holder.keeper?.owner ?? "";
      const owned = byOwner.get(owner) ?? [];
      byOwner.set(owner, owned);
      owned.push(holder);
    }
    const owned = [...byOwner.values()].map((groups) => ({
      groups: groups.sort(newestFirst), // the oldest is taken from the end
      bytes: sizeOf(groups),
    }));
    while (over > 0 && owned.length > 0) {
      const largest = owned.reduce((a, b) => b.bytes > a.bytes ? b : a);
      const group = largest.groups.pop();
      if (group === undefined) break;
      largest.bytes -= group.heldBytes;
      over -= group.heldBytes;
      group.evict();
      this.#hits.cache++;
    }
    this.#count();
  }

  /** What is held at this node, by broadcast. */
  #kept(): Map<string, Kept[]> {
    const found = new Map<string, Kept[]>();
    for (const [, publishers] of this.#origin.broadcasts()) {
      for (const broadcast of publishers) {
        for (const { track } of broadcast.tracks()) {
          const here = found.get(track.broadcast) ?? [];
          found.set(track.broadcast, here);
          for (const group of track.ring.since(0)) here.push({ track, group });
          for (const group of track.ring.growing()) here.push({ track, group });
        }
      }
    }
    return found;
  }
}

const sizeOf = (groups: readonly Group[]) =>
  groups.reduce((sum, group) => sum + group.heldBytes, 0);

/** Live edges in front, the one that gave way first at the end. */
function newestFirst(a: Group, b: Group): number {
  return a.supersededAtMs === b.supersededAtMs
    ? b.openedAtMs - a.openedAtMs
    : b.supersededAtMs - a.supersededAtMs;
}

/** Forgets the oldest until `bytes` are free, or only live edges are left. @returns How many groups that were. */
function forget(kept: readonly Kept[], bytes: number): number {
  const rank = ({ track, group }: Kept) => track.readers === 0 ? -Infinity : group.openedAtMs;
  const ordered = kept.toSorted((a, b) => {
    const [x, y] = [rank(a), rank(b)];
    return x === y ? a.group.openedAtMs - b.group.openedAtMs : x - y;
  });
  let groups = 0;
  let left = bytes;
  for (const { track, group } of ordered) {
    if (left <= 0) break;
    const size = group.heldBytes;
    if (!track.ring.drop(group)) continue;
    left -= size;
    groups++;
  }
  return groups;
}
