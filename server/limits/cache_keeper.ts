/**
 * Keeps the groups of a relay within its limits of bytes. The oldest groups are forgotten, groups without a reader first.
 * The newest group of a track stays, so that a new viewer can start at once.
 *
 * If that is not enough, because groups still grow or are read slowly, groups are cut. Those of the largest broadcast come
 * first: the publisher that fills the memory pays for it.
 *
 * @module
 */
import { costBytes, evict, heldBytes } from "../../relay/group/eviction.ts";
import { Group } from "../../relay/group/group.ts";
import type { Origin } from "../../relay/origin.ts";
import type { Track } from "../../relay/track.ts";
import type { LimitHits } from "../../metrics/limit_keys.ts";
import type { Census } from "./census.ts";
import type { NodeLimits } from "./limits.ts";

/** Pause between two checks of each broadcast, while all together have more than one may have. */
const PAUSE_MS = 100;
/** The cache shrinks to this part of its limit, so that not every new group has to make room. */
const ENOUGH = 0.9;
/** If nothing can be freed, the next check comes after growth by this part of the limit. */
const STEP = 1 / 16;
/** Free memory that is kept for later: at most this part of the limit. */
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
      // Not now: the caller is about to write into this slab.
      if (this.#lookAwaited) return;
      this.#lookAwaited = true;
      queueMicrotask(() => this.look(clock.now()));
    };
    this.#setAlarm();
  }

  /** Called with each new group, when the pool raises its alarm, and once a second. */
  look(now: number): void {
    this.#lookAwaited = false;
    const { maxCacheBytes, maxBroadcastCacheBytes } = this.#limits;
    const used = this.#count();
    // One broadcast has at most the bytes of all.
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

  /** Tells the other threads how many bytes this one has. */
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
      const bytes = costOf(kept.map(({ group }) => group));
      if (bytes <= limit) continue;
      const enough = bytes - limit * ENOUGH;
      this.#hits.broadcastCache += forget(kept, enough);
      const left = kept.map(({ group }) => group).sort(newestFirst);
      for (let over = costOf(left) - limit; over > 0 && left.length > 0;) {
        const group = left.pop()!;
        over -= costBytes(group);
        evict(group);
        this.#hits.broadcastCache++;
      }
    }
  }

  #forgetOldest(limit: number): void {
    const over = this.#census.cacheBytes - limit * ENOUGH;
    this.#hits.cache += forget([...this.#kept().values()].flat(), over);
    this.#count();
  }

  /** With several threads each one shrinks to its share at most: the rest is in another thread. */
  #cutLargest(limit: number): void {
    const used = this.#count();
    const others = this.#census.cacheBytes - used;
    const enough = Math.max(limit - others, limit / this.#census.threads) * ENOUGH;
    const byOwner = new Map<string, Group[]>();
    let over = used - enough;
    for (const holder of this.#origin.context.pool.holders) {
      if (!(holder instanceof Group)) continue;
      if (holder.isEvicted) { // the transport still holds it
        over -= heldBytes(holder);
        continue;
      }
      const owned = byOwner.get(holder.owner) ?? [];
      byOwner.set(holder.owner, owned);
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
      largest.bytes -= heldBytes(group);
      over -= heldBytes(group);
      evict(group);
      this.#hits.cache++;
    }
    this.#count();
  }

  /** The groups of this node, by broadcast. */
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
  groups.reduce((sum, group) => sum + heldBytes(group), 0);

const costOf = (groups: readonly Group[]) =>
  groups.reduce((sum, group) => sum + costBytes(group), 0);

/** Live edges first; the group that was superseded first is the last one. */
function newestFirst(a: Group, b: Group): number {
  return a.supersededAtMs === b.supersededAtMs
    ? b.openedAtMs - a.openedAtMs
    : b.supersededAtMs - a.supersededAtMs;
}

/** Forgets the oldest groups until `bytes` are free or only live edges are left. @returns How many it forgot. */
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
    const size = costBytes(group);
    if (!track.ring.drop(group)) continue;
    left -= size;
    groups++;
  }
  return groups;
}
