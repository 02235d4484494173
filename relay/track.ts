/**
 * One track of one broadcast: the groups that are kept, those who read them, and the one feed that fills it.
 *
 * The feed runs while there are readers. A reader gets the groups it asked for that are here, then each new one as it
 * opens; what it does with them is its own affair, so a slow reader holds up nobody.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { FramePool } from "./group/frame_pool.ts";
import type { Archive } from "./archive.ts";
import { type Convert, copyOf } from "./group/copies.ts";
import type { Group, Subgroup } from "./group/group.ts";
import { GroupRing } from "./group/group_ring.ts";
import type { Layout } from "./group/subgroup_head.ts";
import {
  DEFAULT_TRACK_INFO,
  type TrackEnd,
  type TrackInfo,
  type TrackReader,
  type TrackRequest,
} from "./reading.ts";
import type { RelayStats } from "./stats.ts";

export interface TrackLimits {
  /** Groups kept per track. */
  readonly groupCacheSize: number;
  /** Age at which a group that is not the newest is forgotten, where the publisher wants it kept longer. */
  readonly maxAgeMs: number;
  readonly maxGroupBytes: number;
  /** Default: no limit of its own. */
  readonly maxFrameBytes?: number;
}

/** What the tracks of one relay share. */
export interface TrackContext {
  readonly pool: FramePool;
  readonly clock: Clock;
  readonly limits: TrackLimits;
  readonly stats: RelayStats;
  /** Asked for groups that the cache no longer has, before their source is. */
  readonly archive?: Archive;
  /** Tracks of one broadcast that may wait for its publisher's word. Default: no limit. */
  readonly maxAskedTracks?: number;
  /** Makes copies of groups for readers that take another layout. Default: such a reader gets none. */
  readonly convert?: Convert;
  /** Told of each group that opens, in milliseconds of the clock; may make room for it. */
  readonly onGroup?: (now: number) => void;
}

/** What makes groups come in while somebody reads. */
export interface TrackFeed {
  /** The first reader came. */
  start(): void;
  /** The last reader left. */
  stop(): void;
  /** The readers' wishes changed. */
  update(request: TrackRequest): void;
}

/** How many of a track's datagrams are remembered, to know them again. */
const DATAGRAMS_REMEMBERED = 64;

interface Reading {
  readonly reader: TrackReader;
  readonly layout: Layout | "kept";
  request: TrackRequest;
  /** No group below this one is for this reader; set by the first one it got. */
  floor: number | undefined;
  /** The lowest group it got: those below have never been for it. */
  lowest: number;
  /** The delivery during which it caught up, if any: it has got that group already. */
  since: number;
  /** Groups above its end or below its floor, to be handed out when that moves. */
  withheld: Set<number> | undefined;
}

export class Track {
  readonly ring: GroupRing;
  info: TrackInfo = DEFAULT_TRACK_INFO;
  groupsIn = 0;
  framesIn = 0;
  bytesIn = 0;
  /** Set once, by whoever fills the track. */
  feed: TrackFeed | undefined;
  /** Told when the first reader comes and when the last has left; for whoever keeps the track. */
  onReaders: ((any: boolean) => void) | undefined;
  #known = false;
  #readings = new Map<TrackReader, Reading>();
  /** The newest datagrams: each sequence plus 1, at its remainder. */
  #datagrams: Float64Array | undefined;
  /** Those who are being told of the end. */
  #leaving: Map<TrackReader, Reading> | undefined;
  #deliveries = 0;
  /** The first group of the feed that runs, where its source has told. */
  #first: number | undefined;
  /** How a track without a feed has ended: those who come later get what is kept, and this. */
  #ended: TrackEnd | undefined;

  constructor(readonly broadcast: string, readonly name: string, readonly context: TrackContext) {
    this.ring = new GroupRing(
      context.pool,
      context.limits.groupCacheSize,
      undefined,
      broadcast,
    );
  }

  /** Whether the track is there: its source says so, or something of it has come. */
  get known(): boolean {
    return this.#known || this.feed === undefined;
  }

  /** The source has the track: everybody who waits for that is told. */
  confirm(): void {
    if (this.#known) return;
    this.#known = true;
    for (const reader of this.#readings.keys()) reader.onKnown?.();
  }

  /** Subscriptions served now. */
  get readers(): number {
    return this.#readings.size;
  }

  /** Of these, those that are not another thread's. */
  get viewers(): number {
    let viewers = 0;
    for (const reader of this.#readings.keys()) if (reader.neighbour !== true) viewers++;
    return viewers;
  }

  /** Starts serving a reader. What is here already is handed to it before this returns. Harmless when it is served. */
  add(reader: TrackReader): void {
    if (this.#readings.has(reader)) return;
    const reading: Reading = {
      reader,
      layout: reader.layout ?? "frames",
      request: reader.request,
      floor: undefined,
      lowest: Infinity,
      since: this.#deliveries,
      withheld: undefined,
    };
    this.#readings.set(reader, reading);
    if (reader.neighbour !== true) this.context.stats.subscriptions++;
    if (this.#readings.size === 1) this.onReaders?.(true);
    if (this.feed === undefined) {
      // Written by a publisher in this process: it is live without readers too.
    } else if (this.#readings.size === 1) {
      this.ring.clear(); // what an earlier feed left is stale, and its numbers may begin anew
      this.#datagrams = undefined;
      this.#first = undefined;
      this.#known = false;
      this.feed.start();
    } else {
      this.feed.update(this.request());
    }
    if (this.#readings.get(reader) === reading) {
      if (this.known) reader.onKnown?.();
      this.#catchUp(reading);
    }
    if (this.#ended !== undefined && this.#readings.delete(reader)) reader.onEnd(this.#ended);
  }

  /** Stops serving a reader. Harmless when it is not served. */
  remove(reader: TrackReader): void {
    this.#leaving?.delete(reader);
    if (!this.#readings.delete(reader)) return;
    if (this.#readings.size > 0) return void this.feed?.update(this.request());
    this.feed?.stop();
    this.onReaders?.(false);
  }

  /** A reader wants something else from now on; groups that a raised end or a lowered start has uncovered are handed to it. */
  change(reader: TrackReader, request: TrackRequest): void {
    const reading = this.#readings.get(reader);
    if (reading === undefined) return;
    const { request: before, floor, lowest } = reading;
    reading.request = request;
    if (floor !== undefined) {
      const cleared = request.startIsFloor === true && before.startGroup !== undefined;
      reading.floor = request.startGroup ?? (cleared ? 0 : floor);
    }
    this.feed?.update(this.request());
    if (floor === undefined) return this.#catchUp(reading);
    this.#uncover(reading);
    if (reading.floor! < floor) this.#widen(reading, lowest);
  }

  /** What all readers want together: asked of the source as one subscription. */
  request(): TrackRequest {
    let priority = 0;
    let maxLatencyMs = 0;
    let start: number | undefined = Infinity;
    let end: number | undefined = -1;
    let startIsFloor = true;
    for (const { request } of this.#readings.values()) {
      priority = Math.max(priority, request.priority);
      maxLatencyMs = Math.max(maxLatencyMs, request.maxLatencyMs);
      if (request.startGroup !== undefined) {
        start = Math.min(start, request.startGroup);
        startIsFloor &&= request.startIsFloor === true;
      }
      if (request.endGroup === undefined) end = undefined;
      else if (end !== undefined) end = Math.max(end, request.endGroup);
    }
    if (start === Infinity) start = undefined;
    if (end === -1) end = undefined;
    startIsFloor &&= start !== undefined;
    return { priority, maxLatencyMs, startGroup: start, endGroup: end, startIsFloor };
  }

  /** The feed's source has told its first group: higher ones may overtake it. */
  begin(group: number): void {
    this.#first = group;
  }

  /**
   * A subgroup has opened: everybody who wants its group gets it.
   * @param counted Whether it came from outside.
   */
  deliver(subgroup: Subgroup, counted = true): void {
    const { group } = subgroup;
    const isNew = subgroup === group.first;
    if (isNew) {
      this.groupsIn++;
      if (!this.#known) this.confirm();
      if (counted) this.context.stats.groupsIn++;
    }
    const delivery = ++this.#deliveries;
    group.retain(); // a reader in this process may publish the next one from its callback
    for (const reading of this.#readings.values()) {
      if (reading.since < delivery) this.#offer(reading, subgroup, this.#first);
    }
    group.release();
    if (!isNew) return;
    const maxAgeMs = Math.min(this.info.maxAgeMs, this.context.limits.maxAgeMs);
    this.ring.expire(group.openedAtMs - maxAgeMs);
    this.context.onGroup?.(group.openedAtMs);
  }

  /** Whether a group has come as a datagram, a moment ago. */
  cameAsDatagram(sequence: number): boolean {
    return this.#datagrams?.[sequence % DATAGRAMS_REMEMBERED] === sequence + 1;
  }

  /**
   * A datagram goes straight through: nothing of it is kept but that it came.
   * @returns Whether it was news; a group that has come is not handed on a second time.
   */
  deliverDatagram(
    sequence: number,
    timestamp: number,
    payload: Uint8Array,
    counted = true,
  ): boolean {
    if (this.cameAsDatagram(sequence) || this.ring.get(sequence) !== undefined) {
      if (counted) this.context.stats.groupsRefused++;
      return false;
    }
    this.#datagrams ??= new Float64Array(DATAGRAMS_REMEMBERED);
    this.#datagrams[sequence % DATAGRAMS_REMEMBERED] = sequence + 1;
    if (!this.#known) this.confirm();
    if (counted) this.context.stats.datagramsIn++;
    for (const { reader, request } of this.#readings.values()) {
      if (request.endGroup !== undefined && sequence > request.endGroup) continue;
      if (request.startGroup !== undefined && sequence < request.startGroup) continue;
      reader.onDatagram?.(sequence, timestamp, payload);
    }
    return true;
  }

  /** Nothing more will come. Every reader is told and let go. */
  end(end: TrackEnd): void {
    if (this.feed === undefined) this.#ended = end;
    const leaving = this.#readings;
    this.#leaving = leaving;
    this.#readings = new Map();
    for (const group of this.ring.since(0)) group.settle();
    for (const reader of leaving.keys()) reader.onEnd(end);
    if (this.#leaving === leaving) this.#leaving = undefined;
    if (this.#readings.size === 0) this.onReaders?.(false);
  }

  /** Gives all memory back. */
  clear(): void {
    this.ring.clear();
  }

  /** @param first Groups from this one on may still come. */
  #offer(reading: Reading, subgroup: Subgroup, first = subgroup.sequence): void {
    const { startGroup, endGroup } = reading.request;
    const { sequence } = subgroup;
    const lowest = reading.floor ?? startGroup;
    if (lowest !== undefined && sequence < lowest) {
      if (sequence > reading.lowest) this.#withhold(reading, sequence);
      return;
    }
    if (endGroup !== undefined && sequence > endGroup) {
      this.#withhold(reading, sequence);
      return;
    }
    const begin = first < sequence ? first : sequence;
    const start = startGroup !== undefined && startGroup > begin ? startGroup : begin;
    if (reading.floor === undefined) reading.floor = startGroup ?? start;
    if (sequence < reading.lowest) reading.lowest = sequence;
    if (reading.layout === subgroup.head.layout) reading.reader.onGroup(subgroup, start);
    else this.#offerOther(reading, subgroup, start);
  }

  /** To a reader that takes any layout, or another one than the subgroup's. */
  #offerOther({ reader, layout }: Reading, subgroup: Subgroup, start: number): void {
    if (layout === "kept") return reader.onGroup(subgroup, start);
    const copy = copyOf(subgroup, layout, this.context.convert);
    if (copy === "none" && subgroup === subgroup.group.first) {
      this.context.stats.groupsUnconverted++;
    }
    if (typeof copy === "string") return;
    reader.onGroup(copy, start);
    copy.release(); // the reader holds it now
  }

  /** Offers a group with all the subgroups that it has by now. */
  #offerAll(reading: Reading, group: Group, first?: number): void {
    for (const subgroup of group.subgroups) {
      if (this.#readings.get(reading.reader) !== reading) return;
      this.#offer(reading, subgroup, first);
    }
  }

  /** Hands a reader that has had nothing yet what is kept and wanted. */
  #catchUp(reading: Reading): void {
    const newest = this.ring.newest;
    if (newest === undefined) return;
    const { request } = reading;
    const from = this.#start(request, newest.sequence);
    reading.withheld = undefined;
    reading.since = this.#deliveries;
    // Who takes what is older takes it also when newer groups have overtaken it.
    const first = request.startIsFloor && request.maxLatencyMs > 0 ? this.#first : undefined;
    for (const group of this.ring.since(from)) {
      if (this.#readings.get(reading.reader) !== reading) return;
      if (this.ring.get(group.sequence) === group) this.#offerAll(reading, group, first);
    }
  }

  #withhold(reading: Reading, sequence: number): void {
    const withheld = reading.withheld ??= new Set();
    withheld.add(sequence);
    if (withheld.size <= 2 * this.ring.capacity) return;
    for (const old of withheld) if (this.ring.get(old) === undefined) withheld.delete(old);
  }

  /** Where to begin for these wishes, among what is kept. */
  #start(request: TrackRequest, newest: number): number {
    return request.startIsFloor
      ? Math.max(request.startGroup ?? 0, this.#oldestWithin(request.maxLatencyMs))
      : request.startGroup ?? newest;
  }

  /** Hands out what a lowered start takes in, as far as it is kept. @param below What begins here has been offered. */
  #widen(reading: Reading, below: number): void {
    const newest = this.ring.newest;
    if (newest === undefined) return;
    for (const group of this.ring.since(this.#start(reading.request, newest.sequence))) {
      if (group.sequence >= below || this.#readings.get(reading.reader) !== reading) return;
      if (this.ring.get(group.sequence) === group) this.#offerAll(reading, group);
    }
  }

  /** Hands out what a moved bound no longer holds back, as far as it is kept. */
  #uncover(reading: Reading): void {
    const withheld = reading.withheld;
    if (withheld === undefined) return;
    const end = reading.request.endGroup ?? Infinity;
    for (const sequence of [...withheld].sort((a, b) => a - b)) {
      if (sequence > end || sequence < reading.floor! || !withheld.delete(sequence)) continue;
      const group = this.ring.get(sequence);
      if (group !== undefined) this.#offerAll(reading, group);
    }
  }

  /** The lowest kept sequence that is at most `ageMs` older than the newest. */
  #oldestWithin(ageMs: number): number {
    const newest = this.ring.newest!;
    let from = newest.sequence;
    if (ageMs === 0) return from;
    for (const group of this.ring.since(0)) {
      if (newest.openedAtMs - group.openedAtMs <= ageMs) from = Math.min(from, group.sequence);
    }
    return from;
  }
}
