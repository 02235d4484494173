/**
 * Fills a track from the best of its broadcast's routes, one subscription at a time.
 *
 * When the best route changes, a new subscription opens beside the old one and takes over with its first group. So readers
 * change over between two groups. When a source is lost inside a group, the group stays open for a while. Another source
 * with the same publisher can then continue it, and readers notice nothing.
 *
 * @module
 */
import type { Subgroup } from "./group/group.ts";
import { GroupWriter } from "./group/group_writer.ts";
import {
  type BroadcastSource,
  type DatagramObject,
  DEFAULT_TRACK_INFO,
  type TrackEnd,
  type TrackFacts,
  type TrackRequest,
  type TrackSink,
  UNTOLD_TRACK_INFO,
  type UpstreamSubscription,
} from "./ports.ts";
import { type SubgroupHead, WHOLE_GROUP } from "./group/subgroup_head.ts";
import type { Route } from "./route.ts";
import type { Track, TrackFeed } from "./track.ts";

/** The routes a feed may use. They may differ with each call. */
export interface FeedRoutes {
  /** The best route whose source is not among `except`. @param used The source in use: it is kept before one that is no better. */
  best(except: ReadonlySet<BroadcastSource>, used?: BroadcastSource): Route | undefined;
  /** Whether the publisher was lost and may come back soon. */
  readonly awaited: boolean;
  /** How long an interrupted group waits for a source that continues it, in milliseconds. */
  readonly resumeMs: number;
}

/** How long a replaced subscription may finish the groups it has begun. */
const DRAIN_MS = 10_000;

export class Feed implements TrackFeed {
  readonly #track: Track;
  readonly #routes: FeedRoutes;
  #running = false;
  #active: Inflow | undefined;
  #next: Inflow | undefined;
  readonly #draining = new Set<Inflow>();
  readonly #refused = new Set<BroadcastSource>();
  /** Subgroups that wait for a source that continues them, each with what ends the wait. */
  readonly #interrupted = new Map<Subgroup, () => void>();

  constructor(track: Track, routes: FeedRoutes) {
    this.#track = track;
    this.#routes = routes;
  }

  /** The route in use. */
  get route(): Route | undefined {
    return this.#active?.route;
  }

  start(): void {
    this.#running = true;
    this.#track.infoComes = true;
    this.#refused.clear();
    this.#tryNext({ kind: "failed", why: "unroutable", reason: "no route to the broadcast" });
  }

  stop(): void {
    this.#halt();
    // Nobody writes these groups any more. A reader that fetched one must not wait for its end.
    for (const group of this.#track.ring.since(0)) this.#cut(group.subgroups);
  }

  #halt(): void {
    this.#running = false;
    for (const inflow of [this.#active, this.#next, ...this.#draining]) inflow?.close();
    this.#active = this.#next = undefined;
    this.#draining.clear();
    this.#cutInterrupted();
  }

  update(request: TrackRequest): void {
    this.#active?.subscription?.update(request);
    this.#next?.subscription?.update(request);
  }

  /**
   * The routes have changed: changes over to a better one.
   * @param fresh A source that has announced the broadcast again. It may be asked again although it refused before.
   */
  reroute(fresh?: BroadcastSource): void {
    if (!this.#running) return;
    if (fresh !== undefined) this.#refused.delete(fresh);
    const best = this.#routes.best(this.#refused, this.#active?.route.source);
    if (best === undefined || best.source === this.#next?.route.source) return;
    this.#next?.close();
    this.#next = undefined;
    if (best.source === this.#active?.route.source) return;
    if (this.#active === undefined) this.#active = this.#open(best);
    else this.#next = this.#open(best);
  }

  /** The broadcast has ended. Readers that still wait for a source are told. */
  abandon(): void {
    if (!this.#running || this.#active !== undefined || this.#next !== undefined) return;
    this.#finish({ kind: "failed", why: "lost", reason: "the publisher did not come back" });
  }

  /** Opens a subgroup of the track for an inflow. */
  admit(
    from: Inflow,
    sequence: number,
    startFrame: number,
    head?: SubgroupHead,
  ): GroupWriter | undefined {
    if (from === this.#next) this.#takeOver(from);
    if (from !== this.#active && !this.#completes(from, sequence, head)) return undefined;
    const track = this.#track;
    const { stats, clock, limits } = track.context;
    const { counted } = from;
    const counters = counted ? [track, stats] : [track];
    const waiting = this.#waiting(sequence, head);
    if (waiting !== undefined) {
      if (!goesOn(waiting, startFrame, head)) return undefined;
      this.#interrupted.get(waiting)!();
      this.#interrupted.delete(waiting);
      return new GroupWriter(waiting, limits, counters, startFrame);
    }
    const isFrames = (head?.layout ?? "frames") === "frames";
    const subgroup = isFrames && track.cameAsDatagram(sequence)
      ? undefined
      : track.ring.add(sequence, clock.now(), startFrame, head);
    if (subgroup === undefined) {
      if (counted) stats.groupsRefused++;
      return undefined;
    }
    track.deliver(subgroup, counted);
    return new GroupWriter(subgroup, limits, counters);
  }

  /** Whether a replaced inflow opens one more subgroup of a group that it has begun. */
  #completes(from: Inflow, sequence: number, head: SubgroupHead = WHOLE_GROUP): boolean {
    if (!this.#draining.has(from)) return false;
    const begun = this.#track.ring.get(sequence)?.subgroups ?? [];
    return begun.length > 0 && begun.every((known) => known.head.id !== head.id);
  }

  /** The interrupted subgroup that this stream may continue. */
  #waiting(sequence: number, head: SubgroupHead = WHOLE_GROUP): Subgroup | undefined {
    for (const subgroup of this.#interrupted.keys()) {
      const same = subgroup.sequence === sequence && subgroup.head.id === head.id;
      if (same && subgroup.state === "open") return subgroup;
    }
    return undefined;
  }

  /** An inflow lost its source inside a subgroup. */
  interrupt(writer: GroupWriter): void {
    const { subgroup } = writer;
    if (!writer.open) return;
    subgroup.commit();
    writer.leave();
    const cut = () => {
      this.#interrupted.delete(subgroup);
      this.#cut([subgroup]);
    };
    if (!this.#running || this.#routes.resumeMs === 0) return cut();
    this.#interrupted.set(subgroup, this.#track.context.clock.after(this.#routes.resumeMs, cut));
  }

  /** An inflow's source has the track. */
  accepted(from: Inflow, facts?: TrackFacts): void {
    if (facts !== undefined && (from === this.#active || from === this.#next)) {
      from.toldInfo ||= facts.info !== undefined;
      this.#track.learn(facts);
    }
    if (from === this.#active) this.#track.confirm();
  }

  /** An inflow has told its first group. Does not count for an inflow that took over. */
  started(from: Inflow, group: number): void {
    if (from === this.#active && this.#track.ring.newest === undefined) this.#track.begin(group);
  }

  datagram(
    from: Inflow,
    sequence: number,
    timestamp: number,
    payload: Uint8Array,
    object?: DatagramObject,
  ): boolean {
    if (from === this.#next) this.#takeOver(from);
    if (from !== this.#active) return false;
    return this.#track.deliverDatagram(sequence, timestamp, payload, from.counted, object);
  }

  /** An inflow has ended. */
  ended(from: Inflow, end: TrackEnd): void {
    this.#draining.delete(from);
    if (from !== this.#active && from !== this.#next) return;
    const moves = end.kind === "ended" && end.leaving === true && this.#routes.resumeMs > 0;
    if (end.kind === "ended" && from === this.#active && !moves) return this.#finish(end);
    this.#refused.add(from.route.source);
    if (from === this.#next) {
      this.#next = undefined;
      return;
    }
    const next = this.#next;
    this.#next = undefined;
    this.#active = next;
    if (next === undefined) return moves ? this.#awaitMove(end) : this.#tryNext(end);
    if (this.#interrupted.size === 0) return;
    // It was asked for the groups behind the one that is interrupted now. Ask again, from that one on.
    next.close();
    this.#active = this.#open(next.route);
  }

  /** The source leaves, and another one may offer its broadcast: waits for that as for a lost publisher. */
  #awaitMove(end: TrackEnd): void {
    const route = this.#routes.best(this.#refused);
    if (route !== undefined) {
      this.#active = this.#open(route);
      return;
    }
    this.#track.context.clock.after(this.#routes.resumeMs, () => {
      if (this.#running && this.#active === undefined) this.#finish(end);
    });
  }

  #tryNext(end: TrackEnd): void {
    const route = this.#routes.best(this.#refused);
    if (route !== undefined) this.#active = this.#open(route);
    else if (!this.#routes.awaited) this.#finish(end);
  }

  #open(route: Route): Inflow {
    const inflow = new Inflow(this, route);
    const { broadcast, name, context } = this.#track;
    if (inflow.counted) context.stats.upstreamSubscriptions++;
    const isCurrent = () => inflow === this.#active || inflow === this.#next;
    route.source.trackInfo(broadcast, name).then(
      (info) => {
        if (inflow.toldInfo || !isCurrent()) return;
        this.#track.info = info;
        this.#track.infoComes = false;
        // A source whose version has no TRACK_INFO answers with a default. Another thread confirms by itself.
        const isDefault = info === DEFAULT_TRACK_INFO || info === UNTOLD_TRACK_INFO;
        if (!isDefault && inflow.counted) this.accepted(inflow);
      },
      // The subscription is refused for the same reason, and says so.
      () => {
        if (isCurrent()) this.#track.infoComes = false;
      },
    );
    inflow.begin(route.source.subscribe(broadcast, name, this.#request(), inflow));
    return inflow;
  }

  /** What the readers want. A source that takes over starts where the last one stopped. */
  #request(): TrackRequest {
    const request = this.#track.request();
    const newest = this.#track.ring.newest;
    if (newest === undefined) return request;
    // No subgroup of it is open, but more may come.
    const unfinished = newest.state !== "open" && !newest.isOver;
    let startGroup = unfinished ? newest.sequence : newest.sequence + 1;
    for (const { state, sequence } of this.#interrupted.keys()) {
      if (state === "open") startGroup = Math.min(startGroup, sequence);
    }
    const maxLatencyMs = Math.max(request.maxLatencyMs, this.#track.info.maxAgeMs);
    const { startObject: _, ...rest } = request; // it belongs to the group that was asked for first
    return { ...rest, startGroup, startIsFloor: false, maxLatencyMs };
  }

  #takeOver(next: Inflow): void {
    const old = this.#active;
    this.#active = next;
    this.#next = undefined;
    if (old === undefined) return;
    this.#draining.add(old);
    const newest = this.#track.ring.newest;
    if (newest !== undefined) {
      old.subscription?.update({ ...this.#track.request(), endGroup: newest.sequence });
    }
    this.#track.context.clock.after(DRAIN_MS, () => {
      if (this.#draining.delete(old)) old.close();
    });
  }

  #finish(end: TrackEnd): void {
    this.#halt();
    this.#track.end(end);
  }

  #cutInterrupted(): void {
    for (const cancel of this.#interrupted.values()) cancel();
    this.#cut(this.#interrupted.keys());
    this.#interrupted.clear();
  }

  #cut(subgroups: Iterable<Subgroup>): void {
    for (const subgroup of subgroups) {
      if (subgroup.state !== "open") continue;
      this.#track.context.stats.groupsCut++;
      subgroup.end("cut");
    }
  }
}

/** Whether a stream that starts at `startFrame` can continue a subgroup. Frames are counted; ids of objects have gaps. */
function goesOn(subgroup: Subgroup, startFrame: number, head: SubgroupHead = WHOLE_GROUP): boolean {
  if (head.layout !== subgroup.head.layout) return false;
  return head.layout === "frames"
    ? startFrame <= subgroup.startFrame + subgroup.frames
    : startFrame === subgroup.startFrame;
}

/** One subscription at a source. */
class Inflow implements TrackSink {
  subscription: UpstreamSubscription | undefined;
  /** Whether its groups are counted here. A sibling's are counted at the sibling. */
  readonly counted: boolean;
  /** Its source has told the track's info when it accepted the subscription. */
  toldInfo = false;
  #over = false;

  constructor(readonly feed: Feed, readonly route: Route) {
    this.counted = route.source.sibling !== true;
  }

  begin(subscription: UpstreamSubscription): void {
    this.subscription = subscription;
    if (this.#over) subscription.close();
  }

  openGroup(sequence: number, startFrame = 0, head?: SubgroupHead): GroupWriter | undefined {
    return this.#over ? undefined : this.feed.admit(this, sequence, startFrame, head);
  }

  accepted(facts?: TrackFacts): void {
    if (!this.#over) this.feed.accepted(this, facts);
  }

  started(group: number): void {
    if (!this.#over) this.feed.started(this, group);
  }

  interrupt(writer: GroupWriter): void {
    this.feed.interrupt(writer);
  }

  datagram(
    sequence: number,
    timestamp: number,
    payload: Uint8Array,
    object?: DatagramObject,
  ): boolean {
    return !this.#over && this.feed.datagram(this, sequence, timestamp, payload, object);
  }

  ended(end: TrackEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.feed.ended(this, end);
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.subscription?.close();
  }
}
