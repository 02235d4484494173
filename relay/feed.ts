/**
 * Fills a track from the best of its broadcast's routes, one subscription at a time.
 *
 * When the route changes, the new subscription is opened beside the old one and takes over with its first group, so
 * readers move at a group boundary. When a source is lost in the middle of a group, the group stays open for a while: the
 * same publisher's copy from elsewhere goes on where it broke off, and readers notice nothing.
 *
 * @module
 */
import type { Group } from "./group/group.ts";
import { GroupWriter } from "./group/group_writer.ts";
import {
  type BroadcastSource,
  DEFAULT_TRACK_INFO,
  type TrackEnd,
  type TrackRequest,
  type TrackSink,
  type UpstreamSubscription,
} from "./ports.ts";
import type { Route } from "./route.ts";
import type { Track, TrackFeed } from "./track.ts";

/** The routes a feed may use; asked anew each time. */
export interface FeedRoutes {
  /** The best route whose source is not among `except`. */
  best(except: ReadonlySet<BroadcastSource>): Route | undefined;
  /** Whether the publisher is only away for a moment: worth waiting for. */
  readonly awaited: boolean;
  /** How long an interrupted group waits for somebody to go on with it. */
  readonly resumeMs: number;
}

/** How long a subscription that was taken over may go on with the groups it has begun. */
const DRAIN_MS = 10_000;

export class Feed implements TrackFeed {
  readonly #track: Track;
  readonly #routes: FeedRoutes;
  #running = false;
  #active: Inflow | undefined;
  #next: Inflow | undefined;
  readonly #draining = new Set<Inflow>();
  readonly #refused = new Set<BroadcastSource>();
  readonly #interrupted = new Map<number, { group: Group; cancel: () => void }>();

  constructor(track: Track, routes: FeedRoutes) {
    this.#track = track;
    this.#routes = routes;
  }

  /** The route that is used now. */
  get route(): Route | undefined {
    return this.#active?.route;
  }

  start(): void {
    this.#running = true;
    this.#refused.clear();
    this.#tryNext({ kind: "failed", why: "unroutable", reason: "no route to the broadcast" });
  }

  stop(): void {
    this.#halt();
    // Nobody writes these any more: who fetched one is not left waiting for its end.
    for (const group of this.#track.ring.since(0)) {
      if (group.state === "open") this.#cut(group);
    }
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
   * The routes have changed: go over to a better one.
   * @param fresh A source that offers the broadcast anew: what it refused before counts no longer.
   */
  reroute(fresh?: BroadcastSource): void {
    if (!this.#running) return;
    if (fresh !== undefined) this.#refused.delete(fresh);
    const best = this.#routes.best(this.#refused);
    if (best === undefined || best.source === this.#next?.route.source) return;
    this.#next?.close();
    this.#next = undefined;
    if (best.source === this.#active?.route.source) return;
    if (this.#active === undefined) this.#active = this.#open(best);
    else this.#next = this.#open(best);
  }

  /** The broadcast is over for good: whoever still waits for a source is told. */
  abandon(): void {
    if (!this.#running || this.#active !== undefined || this.#next !== undefined) return;
    this.#finish({ kind: "failed", why: "lost", reason: "the publisher did not come back" });
  }

  /** A group for the track, from one of the inflows. */
  admit(from: Inflow, sequence: number, startFrame: number): GroupWriter | undefined {
    if (from === this.#next) this.#takeOver(from);
    if (from !== this.#active) return undefined;
    const track = this.#track;
    const { stats, clock, limits } = track.context;
    const waiting = this.#interrupted.get(sequence);
    if (waiting !== undefined && waiting.group.state === "open") {
      const { group } = waiting;
      if (startFrame > group.startFrame + group.frames) return undefined;
      waiting.cancel();
      this.#interrupted.delete(sequence);
      return new GroupWriter(group, limits, from.counted ? [track, stats] : [track], startFrame);
    }
    const group = track.cameAsDatagram(sequence)
      ? undefined
      : track.ring.add(sequence, clock.now(), startFrame);
    const { counted } = from;
    if (group === undefined) {
      if (counted) stats.groupsRefused++;
      return undefined;
    }
    track.deliver(group, counted);
    return new GroupWriter(group, limits, counted ? [track, stats] : [track]);
  }

  /** An inflow lost its source in the middle of a group. */
  interrupt(writer: GroupWriter): void {
    const { group } = writer;
    if (!writer.open) return;
    group.commit();
    writer.leave();
    const cut = () => {
      this.#interrupted.delete(group.sequence);
      this.#cut(group);
    };
    if (!this.#running || this.#routes.resumeMs === 0) return cut();
    const cancel = this.#track.context.clock.after(this.#routes.resumeMs, cut);
    this.#interrupted.set(group.sequence, { group, cancel });
  }

  /** An inflow's source has the track. */
  accepted(from: Inflow): void {
    if (from === this.#active) this.#track.confirm();
  }

  /** An inflow has told its first group; what takes over from another goes on where that was. */
  started(from: Inflow, group: number): void {
    if (from === this.#active && this.#track.ring.newest === undefined) this.#track.begin(group);
  }

  datagram(from: Inflow, sequence: number, timestamp: number, payload: Uint8Array): boolean {
    if (from === this.#next) this.#takeOver(from);
    if (from !== this.#active) return false;
    return this.#track.deliverDatagram(sequence, timestamp, payload, from.counted);
  }

  /** An inflow is over. */
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
    // It was asked for what comes after the group that is broken off now: ask again, from there.
    next.close();
    this.#active = this.#open(next.route);
  }

  /** The source leaves and its broadcast may come back by another: waits for that as for a lost one. */
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
    route.source.trackInfo(broadcast, name).then(
      (info) => {
        if (inflow !== this.#active && inflow !== this.#next) return;
        this.#track.info = info;
        // A source that cannot ask its peer answers with the default; another thread says it by itself.
        if (info !== DEFAULT_TRACK_INFO && inflow.counted) this.accepted(inflow);
      },
      () => {}, // the subscription is refused for the same reason, and says so
    );
    inflow.begin(route.source.subscribe(broadcast, name, this.#request(), inflow));
    return inflow;
  }

  /** What the readers want; for a source that takes over, from where the last one broke off. */
  #request(): TrackRequest {
    const request = this.#track.request();
    const newest = this.#track.ring.newest;
    if (newest === undefined) return request;
    let startGroup = newest.sequence + 1;
    for (const { group } of this.#interrupted.values()) {
      if (group.state === "open") startGroup = Math.min(startGroup, group.sequence);
    }
    const maxLatencyMs = Math.max(request.maxLatencyMs, this.#track.info.maxAgeMs);
    return { ...request, startGroup, startIsFloor: false, maxLatencyMs };
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
    for (const { group, cancel } of this.#interrupted.values()) {
      cancel();
      this.#cut(group);
    }
    this.#interrupted.clear();
  }

  #cut(group: Group): void {
    if (group.state !== "open") return;
    this.#track.context.stats.groupsCut++;
    group.end("cut");
  }
}

/** One subscription at a source, and what comes in by it. */
class Inflow implements TrackSink {
  subscription: UpstreamSubscription | undefined;
  /** Whether what it brings comes from outside: what a neighbour took in is counted there. */
  readonly counted: boolean;
  #over = false;

  constructor(readonly feed: Feed, readonly route: Route) {
    this.counted = route.source.neighbour !== true;
  }

  begin(subscription: UpstreamSubscription): void {
    this.subscription = subscription;
    if (this.#over) subscription.close();
  }

  openGroup(sequence: number, startFrame = 0): GroupWriter | undefined {
    return this.#over ? undefined : this.feed.admit(this, sequence, startFrame);
  }

  accepted(): void {
    if (!this.#over) this.feed.accepted(this);
  }

  started(group: number): void {
    if (!this.#over) this.feed.started(this, group);
  }

  interrupt(writer: GroupWriter): void {
    this.feed.interrupt(writer);
  }

  datagram(sequence: number, timestamp: number, payload: Uint8Array): boolean {
    return !this.#over && this.feed.datagram(this, sequence, timestamp, payload);
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
