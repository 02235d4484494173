/**
 * One track of one broadcast: its groups, its readers, and the feed that fills it.
 *
 * The feed runs while the track has readers. A reader gets the kept groups that it asked for, then each new one when it opens.
 * It reads them at its own pace, so a slow reader delays no other.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { FramePool } from "./group/frame_pool.ts";
import type { Archive } from "./archive.ts";
import type { CopyOf } from "./group/copies.ts";
import type { Group, Subgroup } from "./group/group.ts";
import { GroupRing, later } from "./group/group_ring.ts";
import type { Layout } from "./group/subgroup_head.ts";
import { mergedRequest } from "./merged_request.ts";
import {
  type DatagramObject,
  DEFAULT_TRACK_INFO,
  type Location,
  type TrackEnd,
  type TrackFacts,
  type TrackInfo,
  type TrackReader,
  type TrackRequest,
} from "./reading.ts";
import { SeenDatagrams } from "./group/seen_datagrams.ts";
import type { RelayStats } from "./stats.ts";

export interface TrackLimits {
  /** Groups kept per track. */
  readonly groupCacheSize: number;
  /** Age at which a group is forgotten, even if its publisher wants it kept longer. The newest group stays. */
  readonly maxAgeMs: number;
  readonly maxGroupBytes: number;
  /** Default: no limit of its own. */
  readonly maxFrameBytes?: number;
}

/** What all tracks of one relay share. */
export interface TrackContext {
  readonly pool: FramePool;
  readonly clock: Clock;
  readonly limits: TrackLimits;
  readonly stats: RelayStats;
  /** Keeps groups for longer than the cache. It is asked before the source. */
  readonly archive?: Archive;
  /** Tracks of one broadcast that may wait for its publisher to confirm them. Default: no limit. */
  readonly maxAskedTracks?: number;
  /** Copies groups for readers of another layout. Default: those readers get no groups. */
  readonly copyOf?: CopyOf;
  /** Called with each new group and the time of the clock. May evict other groups. */
  readonly onGroup?: (now: number) => void;
}

/** Fills a track while it has readers. */
export interface TrackFeed {
  /** The first reader came. */
  start(): void;
  /** The last reader left. */
  stop(): void;
  /** The readers' wishes changed. */
  update(request: TrackRequest): void;
}

/** How long after the first group of a feed groups before it are taken too: the network may have changed their order. */
const OVERTAKEN_MS = 100;

interface Reading {
  readonly reader: TrackReader;
  readonly layout: Layout | "kept";
  request: TrackRequest;
  /** The reader gets no group below this one. Its first group sets it. */
  floor: number | undefined;
  /** The lowest group it got. It was never offered those below. */
  lowest: number;
  /** The delivery in which it caught up: it has the group of that one already. Infinity while it wants no groups. */
  since: number;
  /** Groups above its end or below its floor. It gets them if that bound moves. */
  withheld: Set<number> | undefined;
}

export class Track {
  readonly ring: GroupRing;
  info: TrackInfo = DEFAULT_TRACK_INFO;
  /** Whether the source of the running feed has told the info when it accepted the subscription. */
  infoTold = false;
  #infoComes = false;
  groupsIn = 0;
  framesIn = 0;
  bytesIn = 0;
  /** Set once, by whoever fills the track. */
  feed: TrackFeed | undefined;
  /** Called when the first reader comes and when the last has left. */
  onReaders: ((any: boolean) => void) | undefined;
  /** Called when the first reader of a hop comes and when its last one has left, while there are others. */
  onHop: ((any: boolean) => void) | undefined;
  #known = false;
  #readings = new Map<TrackReader, Reading>();
  /** How many readers each hop has. Made when the first one comes that has a hop. */
  #hops: Map<bigint, number> | undefined;
  readonly #datagrams = new SeenDatagrams();
  /** Readers that are being told of the end. */
  #leaving: Map<TrackReader, Reading> | undefined;
  #deliveries = 0;
  /** What the source has told. */
  #largestTold: Location | undefined;
  /** The delivery of the running feed's first group, and until when groups before it are taken too; -1 before it. */
  #begunAt = -1;
  #unorderedUntilMs = -1;
  /** When its last reader left. -Infinity while it has ended: then its groups are stale. */
  #unreadSinceMs = -Infinity;
  /** The first group of the running feed, if its source has told it. */
  #first: number | undefined;
  /** How a track without a feed has ended. Later readers get the kept groups and this. */
  #ended: TrackEnd | undefined;

  constructor(readonly broadcast: string, readonly name: string, readonly context: TrackContext) {
    this.ring = new GroupRing(
      context.pool,
      context.limits.groupCacheSize,
      undefined,
      broadcast,
    );
  }

  /** Whether the track exists: its source has confirmed it, or something of it has come. */
  get known(): boolean {
    return this.#known || this.feed === undefined;
  }

  /** The source has the track. Readers that wait for this are told. */
  confirm(): void {
    if (this.#known) return;
    this.#known = true;
    for (const reader of this.#readings.keys()) reader.onKnown?.();
  }

  /** Its source has told of it, before it confirms it. */
  learn({ info, largest }: TrackFacts): void {
    if (info !== undefined) {
      this.info = info;
      this.infoTold = true;
      this.infoComes = false;
    }
    this.#largestTold = later(this.#largestTold, largest);
  }

  /** Whether the info has been asked for and may still change. Copies that need it wait. */
  get infoComes(): boolean {
    return this.#infoComes;
  }

  set infoComes(comes: boolean) {
    if (comes === this.#infoComes) return;
    this.#infoComes = comes;
    for (const group of comes ? [] : this.ring.since(0)) group.resumeCopies();
  }

  /** The largest object that is known of it: of those that came, and what its source has told. Frames count as objects. */
  get largest(): Location | undefined {
    const { group, object } = this.#datagrams;
    const told = group < 0 ? this.#largestTold : later(this.#largestTold, { group, object });
    return later(this.ring.largest, told);
  }

  /** How many readers it has. */
  get readers(): number {
    return this.#readings.size;
  }

  /** The hops of its readers. */
  get hops(): Iterable<bigint> {
    return this.#hops?.keys() ?? [];
  }

  /** @returns Whether it is the first reader of its hop, or was the last one. */
  #countHop({ hop = 0n }: TrackReader, more: 1 | -1): boolean {
    if (hop === 0n) return false;
    this.#hops ??= new Map();
    const before = this.#hops.get(hop) ?? 0;
    if (before + more > 0) this.#hops.set(hop, before + more);
    else this.#hops.delete(hop);
    return before === 0 || before + more === 0;
  }

  /** How many of them do not read for another thread. */
  get viewers(): number {
    let viewers = 0;
    for (const reader of this.#readings.keys()) if (reader.sibling !== true) viewers++;
    return viewers;
  }

  /** Adds a reader. It gets the kept groups before this returns. Harmless when it is a reader already. */
  add(reader: TrackReader): void {
    if (this.#readings.has(reader)) return;
    const reading: Reading = {
      reader,
      layout: reader.layout ?? "frames",
      request: reader.request,
      floor: undefined,
      lowest: Infinity,
      since: reader.request.forward === false ? Infinity : this.#deliveries,
      withheld: undefined,
    };
    this.#readings.set(reader, reading);
    const isNewHop = this.#countHop(reader, 1);
    if (reader.sibling !== true) this.context.stats.subscriptions++;
    if (this.#readings.size === 1) this.onReaders?.(true);
    if (this.feed === undefined) {
      // A publisher in this process writes it, also without readers.
    } else if (this.#readings.size === 1) {
      this.#first = undefined;
      this.#begunAt = -1;
      if (!this.#resumes(reader.request)) {
        this.ring.clear(); // groups of an earlier feed are stale, and group numbers may start again
        this.#datagrams.clear();
        this.#largestTold = undefined;
        this.infoTold = false;
        this.#known = false;
      }
      this.feed.start();
    } else {
      this.feed.update(this.request());
      if (isNewHop) this.onHop?.(true);
    }
    if (this.#readings.get(reader) === reading) {
      if (this.known) reader.onKnown?.();
      if (reading.floor === undefined) this.#catchUp(reading); // it may have changed its request when it heard that
    }
    if (this.#ended !== undefined && this.#readings.delete(reader)) reader.onEnd(this.#ended);
  }

  /**
   * Whether the first reader goes on where the last one left a moment ago: with a group that is kept, or the one after them. It
   * may be a node whose link was lost, and nobody else has kept these groups.
   */
  #resumes({ startGroup, maxLatencyMs }: TrackRequest): boolean {
    const { newest } = this.ring;
    if (startGroup === undefined || newest === undefined || maxLatencyMs === 0) return false;
    const { clock, limits } = this.context;
    const keptMs = Math.min(this.info.maxAgeMs, limits.maxAgeMs);
    if (clock.now() - this.#unreadSinceMs > keptMs) return false;
    return startGroup === newest.sequence + 1 || this.ring.get(startGroup) !== undefined;
  }

  /** Removes a reader. Harmless when it is none. */
  remove(reader: TrackReader): void {
    this.#leaving?.delete(reader);
    if (!this.#readings.delete(reader)) return;
    const hadHop = this.#countHop(reader, -1);
    if (this.#readings.size > 0) {
      this.feed?.update(this.request());
      if (hadHop) this.onHop?.(false);
      return;
    }
    this.#unreadSinceMs = this.context.clock.now();
    this.feed?.stop();
    this.onReaders?.(false);
  }

  /** Changes what a reader wants. It gets kept groups that a raised end or a lowered start takes in. */
  change(reader: TrackReader, request: TrackRequest): void {
    const reading = this.#readings.get(reader);
    if (reading === undefined) return;
    const { request: before, floor, lowest } = reading;
    reading.request = request;
    if (request.forward === false || reading.since === Infinity) {
      this.feed?.update(this.request());
      return this.#pause(reading);
    }
    if (floor !== undefined) {
      const cleared = request.startIsFloor === true && before.startGroup !== undefined;
      reading.floor = request.startGroup ?? (cleared ? 0 : floor);
    }
    this.feed?.update(this.request());
    if (floor === undefined) return this.#catchUp(reading);
    this.#uncover(reading);
    if (reading.floor! < floor) this.#widen(reading, lowest);
  }

  /** A reader wants no groups for now. When it wants them again, it gets what a new one gets. */
  #pause(reading: Reading): void {
    reading.floor = reading.withheld = undefined;
    reading.lowest = Infinity;
    reading.since = Infinity;
    this.#catchUp(reading);
  }

  /** What all readers want together: the request of the one subscription at the source. */
  request(): TrackRequest {
    return mergedRequest(this.#readings);
  }

  /** Whether a reader wants the newest group, whatever its number is. */
  get wantsNewest(): boolean {
    for (const { request: { forward, startGroup } } of this.#readings.values()) {
      if (forward !== false && startGroup === undefined) return true;
    }
    return false;
  }

  /** The feed's source has told its first group. Higher ones may come before it. */
  begin(group: number): void {
    this.#first = group;
  }

  /**
   * A subgroup has opened. Every reader that wants its group gets it.
   * @param counted Whether it counts as come in. That of a sibling is counted there.
   */
  deliver(subgroup: Subgroup, counted = true): void {
    const { group } = subgroup;
    const isNew = subgroup === group.first;
    // Readers that come when the track is confirmed catch up with this group: they do not get it twice.
    const delivery = ++this.#deliveries;
    if (isNew) {
      this.groupsIn++;
      if (this.#begunAt < 0) this.#begins(delivery, group.openedAtMs);
      if (!this.#known) this.confirm();
      if (counted) this.context.stats.groupsIn++;
    }
    group.retain(); // a callback of a reader in this process may publish the next group
    for (const reading of this.#readings.values()) {
      if (reading.since < delivery) this.#offer(reading, subgroup, this.#first);
    }
    group.release();
    if (!isNew) return;
    const maxAgeMs = Math.min(this.info.maxAgeMs, this.context.limits.maxAgeMs);
    this.ring.expire(group.openedAtMs - maxAgeMs);
    this.context.onGroup?.(group.openedAtMs);
  }

  /** Whether the group has come as one frame in a datagram a moment ago. */
  cameAsDatagram(sequence: number): boolean {
    return this.#datagrams.has(sequence, 0);
  }

  /**
   * Passes a datagram on. Only its location is kept. Readers of frames get those that are a group of one frame: of objects,
   * the first one of a group that has no streams.
   * @param object What it says of its object. Absent: it is a group of moq-lite.
   * @returns Whether it was new. Readers do not get a group twice.
   */
  deliverDatagram(
    sequence: number,
    timestamp: number,
    payload: Uint8Array,
    counted = true,
    object?: DatagramObject,
  ): boolean {
    const id = object?.object ?? 0;
    const hasStreams = this.ring.get(sequence) !== undefined;
    if (this.#datagrams.has(sequence, id) || (object === undefined && hasStreams)) {
      if (counted) this.context.stats.groupsRefused++;
      return false;
    }
    this.#datagrams.add(sequence, id);
    if (!this.#known) this.confirm();
    if (counted) this.context.stats.datagramsIn++;
    const isFrame = id === 0 && !hasStreams && (object === undefined || object.status === 0);
    for (const { reader, layout, request } of this.#readings.values()) {
      if (request.forward === false || (!isFrame && layout === "frames")) continue;
      if (request.endGroup !== undefined && sequence > request.endGroup) continue;
      if (request.startGroup !== undefined && sequence < request.startGroup) continue;
      reader.onDatagram?.(sequence, timestamp, payload, object);
    }
    return true;
  }

  /** The track has ended. Tells every reader and removes it. */
  end(end: TrackEnd): void {
    if (this.feed === undefined) this.#ended = end;
    this.#unreadSinceMs = -Infinity;
    const leaving = this.#readings;
    this.#leaving = leaving;
    this.#readings = new Map();
    this.#hops = undefined;
    for (const group of this.ring.since(0)) group.settle();
    for (const reader of leaving.keys()) reader.onEnd(end);
    if (this.#leaving === leaving) this.#leaving = undefined;
    if (this.#readings.size === 0) this.onReaders?.(false);
  }

  /** Forgets all groups. */
  clear(): void {
    this.ring.clear();
  }

  /** @param first Groups from this one on may still come. */
  #offer(reading: Reading, subgroup: Subgroup, first = subgroup.sequence): void {
    const { startGroup, endGroup } = reading.request;
    const { sequence } = subgroup;
    const lowest = reading.floor ?? startGroup;
    if (lowest !== undefined && sequence < lowest && !this.#sinks(subgroup, reading)) {
      if (sequence > reading.lowest) this.#withhold(reading, sequence);
      return;
    }
    if (endGroup !== undefined && sequence > endGroup) {
      this.#withhold(reading, sequence);
      return;
    }
    const begin = first < sequence ? first : sequence;
    const start = startGroup !== undefined && startGroup > begin ? startGroup : begin;
    if (reading.floor === undefined || sequence < reading.floor) {
      reading.floor = startGroup ?? start;
    }
    if (sequence < reading.lowest) reading.lowest = sequence;
    if (reading.layout === subgroup.head.layout) reading.reader.onGroup(subgroup, start);
    else this.#offerOther(reading, subgroup, start);
  }

  #begins(delivery: number, now: number): void {
    this.#begunAt = this.feed === undefined ? 0 : delivery; // one in this process sends in order
    this.#unorderedUntilMs = now + OVERTAKEN_MS;
  }

  /** Lets a reader's floor sink to a group that the network has brought after a later one. @returns Whether it does. */
  #sinks({ group, sequence }: Subgroup, reading: Reading): boolean {
    const sinks = reading.request.startGroup === undefined && this.#first === undefined &&
      reading.since < this.#begunAt && group.openedAtMs < this.#unorderedUntilMs;
    if (sinks) reading.floor = sequence;
    return sinks;
  }

  /** Offers a subgroup to a reader that takes any layout, or another one. */
  #offerOther({ reader, layout }: Reading, subgroup: Subgroup, start: number): void {
    if (layout === "kept") return reader.onGroup(subgroup, start);
    if (layout === "frames" && this.cameAsDatagram(subgroup.sequence)) return;
    const copy = this.context.copyOf?.(subgroup, layout, this) ?? "none";
    if (copy === "none" && subgroup === subgroup.group.first) {
      this.context.stats.groupsUnconverted++;
    }
    if (typeof copy === "string") return;
    reader.onGroup(copy, start);
    copy.release(); // the reader holds it now
  }

  /** Offers all subgroups that a group has now. */
  #offerAll(reading: Reading, group: Group, first?: number): void {
    for (const subgroup of group.subgroups) {
      if (this.#readings.get(reading.reader) !== reading) return;
      this.#offer(reading, subgroup, first);
    }
  }

  /** Offers a new reader the kept groups that it wants. */
  #catchUp(reading: Reading): void {
    const newest = this.ring.newest;
    const { request } = reading;
    if (request.forward === false) return;
    reading.withheld = undefined;
    reading.since = this.#deliveries;
    if (newest === undefined) return;
    const from = this.#start(request, newest.sequence);
    // A reader that takes older groups also takes those that newer ones have overtaken.
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

  /** With which group to begin for this request, among the kept ones. */
  #start(request: TrackRequest, newest: number): number {
    return request.startIsFloor
      ? Math.max(request.startGroup ?? 0, this.#oldestWithin(request.maxLatencyMs))
      : request.startGroup ?? newest;
  }

  /** Offers kept groups that a lowered start takes in. @param below Groups from this one on were offered before. */
  #widen(reading: Reading, below: number): void {
    const newest = this.ring.newest;
    if (newest === undefined) return;
    for (const group of this.ring.since(this.#start(reading.request, newest.sequence))) {
      if (group.sequence >= below || this.#readings.get(reading.reader) !== reading) return;
      if (this.ring.get(group.sequence) === group) this.#offerAll(reading, group);
    }
  }

  /** Offers kept groups that a moved bound no longer withholds. */
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
