/**
 * Fills a track from the best of its broadcast's routes, one subscription at a time.
 *
 * When the best route changes, a new subscription opens beside the old one and takes over with its first group. So readers
 * change over between two groups. When a source is lost inside a group, the group stays open for a while. Another source
 * with the same publisher can then continue it, and readers notice nothing.
 *
 * @module
 */
import type { Subgroup } from "../group/group.ts";
import { GroupWriter } from "../group/group_writer.ts";
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
} from "../ports.ts";
import { type SubgroupHead, WHOLE_GROUP } from "../group/subgroup_head.ts";
import type { Route } from "../route.ts";
import type { Track, TrackFeed } from "../track.ts";
import type { GenerationCheck } from "./generation_check.ts";
import type { Renewals } from "./renewals.ts";

/** The routes a feed may use. They may differ with each call. */
export interface FeedRoutes {
  /** The best route whose source is not among `except`. @param used The source in use: it is kept before one that is no better. */
  best(except: ReadonlySet<BroadcastSource>, used?: BroadcastSource): Route | undefined;
  /** Whether the publisher was lost and may come back soon. */
  readonly awaited: boolean;
  /** How long an interrupted group waits for a source that continues it, in milliseconds. */
  readonly resumeMs: number;
  /** Whether a source still offers the broadcast, has not lost its own source, and does not leave. */
  isSound(source: BroadcastSource): boolean;
  /** Notices a source that has begun anew. */
  readonly renewals: Renewals | undefined;
  /** The publisher has begun anew, and counts its groups from the start again. */
  renew(): void;
  /** The track has ended in order for its readers. */
  ended(): void;
}

/** How long a replaced subscription may finish the groups it has begun. */
const DRAIN_MS = 10_000;

/** How long a group may be missing that newer ones have overtaken. Later it counts as one that never was. */
const OVERTAKEN_MS = 1000;

/** How long nothing has to come before a source is asked for its newest group. */
const SILENT_MS = 500;

/** How long a source is not asked again that has lost its own source. */
const LOST_MS = 1000;

/** How long nothing has to come of a broadcast that is forgotten, before its readers are told. */
const FORSAKEN_MS = 5000;

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

  /** What is open waits for a source like after a loss: a reader may come in a moment that goes on where the last one left. */
  stop(): void {
    for (const group of this.#track.ring.since(0)) {
      for (const subgroup of group.subgroups) if (subgroup.state === "open") this.#keep(subgroup);
    }
    this.#halt();
  }

  #halt(): void {
    this.#running = false;
    for (const inflow of [this.#active, this.#next, ...this.#draining]) inflow?.close();
    this.#active = this.#next = undefined;
    this.#draining.clear();
  }

  update(request: TrackRequest): void {
    this.#active?.subscription?.update(request);
    this.#next?.subscription?.update(request);
    if (this.#active !== undefined) this.#seekNewest(this.#active);
  }

  /**
   * The source was asked from a group on that it may not have for a long time. If nothing comes and a reader wants the newest
   * group, whatever its number is, the source is asked for that one too.
   */
  #seekNewest(inflow: Inflow): void {
    const { ring, context: { clock } } = this.#track;
    if (inflow.asked?.startGroup === undefined || inflow.sought) return;
    if (ring.newest !== undefined || !this.#track.wantsNewest) return;
    inflow.sought = true;
    clock.after(SILENT_MS, () => {
      const isSilent = inflow === this.#active && ring.newest === undefined;
      if (!isSilent || this.#next !== undefined || !this.#track.wantsNewest) return;
      const { startGroup: _, startIsFloor: __, ...newest } = this.#request();
      this.#next = this.#open(inflow.route, newest);
    });
  }

  /** A source has announced the broadcast again. It may be asked again although it refused before. */
  welcome(source: BroadcastSource): void {
    this.#refused.delete(source);
  }

  /** The routes have changed: changes over to a better one. */
  reroute(): void {
    if (!this.#running) return;
    const best = this.#routes.best(this.#refused, this.#active?.route.source);
    if (best === undefined || best.source === this.#next?.route.source) return;
    this.#next?.close();
    this.#next = undefined;
    if (best.source === this.#active?.route.source) return;
    if (this.#active === undefined) this.#active = this.#open(best);
    else this.#next = this.#open(best);
  }

  /** The publisher has begun anew: what comes from now on belongs to another track. Readers get the end of this one. */
  renew(): void {
    if (this.#running) this.#finish({ kind: "ended" });
  }

  /** The broadcast has ended. Readers that still wait for a source are told. */
  abandon(): void {
    if (!this.#running || this.#active !== undefined || this.#next !== undefined) return;
    this.#finish({ kind: "failed", why: "lost", reason: "the publisher did not come back" });
  }

  /**
   * The broadcast is forgotten. What still comes is taken to its end, but for a source that is silent: relays that have lost
   * the publisher may have asked each other, in a ring, and would wait for ever.
   */
  forsake(): void {
    this.abandon();
    const { framesIn, context: { clock } } = this.#track;
    if (!this.#running) return;
    clock.after(FORSAKEN_MS, () => {
      if (!this.#running) return;
      if (this.#track.framesIn > framesIn) return this.forsake();
      this.#finish({
        kind: "failed",
        why: "lost",
        reason: "nothing comes of a withdrawn broadcast",
      });
    });
  }

  /** Opens a subgroup of the track for an inflow. */
  admit(
    from: Inflow,
    sequence: number,
    startFrame: number,
    head?: SubgroupHead,
  ): GroupWriter | undefined {
    if (!this.#continues(from, sequence)) return undefined;
    if (from === this.#next) this.#takeOver(from);
    if (from !== this.#active && !this.#completes(from, sequence, head)) return undefined;
    const track = this.#track;
    const { stats, clock, limits } = track.context;
    const { counted } = from;
    const counters = counted ? [track, stats] : [track];
    const waiting = this.#waiting(sequence, head) ?? this.#begunBefore(from, sequence, head);
    if (waiting !== undefined) {
      if (!goesOn(waiting, startFrame, head)) return undefined;
      this.#interrupted.get(waiting)?.();
      this.#interrupted.delete(waiting);
      waiting.commit();
      waiting.writer?.leave();
      return written(new GroupWriter(waiting, limits, counters, startFrame), from);
    }
    const isFrames = (head?.layout ?? "frames") === "frames";
    const subgroup = isFrames && track.cameAsDatagram(sequence)
      ? undefined
      : track.ring.add(sequence, clock.now(), startFrame, head);
    if (subgroup === undefined) {
      if (counted) stats.groupsRefused++;
      return undefined;
    }
    const writer = written(new GroupWriter(subgroup, limits, counters), from);
    track.deliver(subgroup, counted);
    return writer;
  }

  /** Whether what comes belongs to the track as it was before, as far as one can tell. */
  #continues(from: Inflow, sequence: number): boolean {
    const { check } = from;
    if (check === undefined) return true;
    if (sequence >= from.asked!.startGroup!) check.close();
    else check.see(sequence);
    if (check.over) from.check = undefined;
    // Nothing takes over with a group that was not asked for.
    return !from.over && (check.over || from !== this.#next);
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

  /** The subgroup that a replaced inflow has begun and not ended. Its source may have lost its own source. */
  #begunBefore(
    from: Inflow,
    sequence: number,
    head: SubgroupHead = WHOLE_GROUP,
  ): Subgroup | undefined {
    for (const subgroup of this.#track.ring.get(sequence)?.subgroups ?? []) {
      const { state, writer } = subgroup;
      const isOpen = state === "open" && subgroup.head.id === head.id;
      if (isOpen && writer !== undefined && writer.from !== from) return subgroup;
    }
    return undefined;
  }

  /** An inflow lost its source inside a subgroup. */
  interrupt(writer: GroupWriter): void {
    if (!writer.open) return;
    this.#keep(writer.subgroup);
    writer.leave();
  }

  /** Nobody writes a subgroup for now. It is cut if nobody goes on with it in time. */
  #keep(subgroup: Subgroup): void {
    subgroup.commit();
    subgroup.writer?.leave();
    const cut = () => {
      this.#interrupted.delete(subgroup);
      this.#cut([subgroup]);
    };
    if (!this.#running || this.#routes.resumeMs === 0) return cut();
    this.#interrupted.get(subgroup)?.();
    this.#interrupted.set(subgroup, this.#track.context.clock.after(this.#routes.resumeMs, cut));
  }

  /** An inflow's source has the track. */
  accepted(from: Inflow, facts?: TrackFacts): void {
    if (facts !== undefined && (from === this.#active || from === this.#next)) {
      from.toldInfo ||= facts.info !== undefined;
      if (facts.largest !== undefined) from.check?.see(facts.largest.group);
      if (from.over) return;
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
    if (!this.#continues(from, sequence)) return false;
    if (from === this.#next) this.#takeOver(from);
    if (from !== this.#active) return false;
    return this.#track.deliverDatagram(sequence, timestamp, payload, from.counted, object);
  }

  /** An inflow has ended. */
  ended(from: Inflow, end: TrackEnd): void {
    if (this.#draining.delete(from)) return this.#askAgain(from);
    if (from !== this.#active && from !== this.#next) return;
    const moves = end.kind === "ended" && end.leaving === true && this.#routes.resumeMs > 0;
    if (end.kind === "ended" && from === this.#active && !moves) {
      this.#finish(end);
      return this.#routes.ended();
    }
    this.#refuse(from.route.source, end);
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

  /** A replaced source was lost inside a group: the one in use is asked again, from that group on. */
  #askAgain(lost: Inflow): void {
    const left = [...this.#interrupted.keys()].some(({ writer }) => writer?.from === lost);
    if (!left || this.#active === undefined) return;
    const { route } = this.#next ?? this.#active;
    this.#next?.close();
    this.#next = this.#open(route);
  }

  /** A source is not asked again until it announces the broadcast anew. One that was lost may be back sooner. */
  #refuse(source: BroadcastSource, end: TrackEnd): void {
    this.#refused.add(source);
    if (end.kind !== "failed" || end.why !== "lost") return;
    this.#track.context.clock.after(LOST_MS, () => this.#refused.delete(source));
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

  #open(route: Route, request = this.#request()): Inflow {
    const inflow = new Inflow(this, route);
    inflow.asked = request;
    this.#doubt(inflow);
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
    inflow.begin(route.source.subscribe(broadcast, name, request, inflow));
    this.#seekNewest(inflow);
    return inflow;
  }

  /** It is to continue the track. It may have begun anew. */
  #doubt(inflow: Inflow): void {
    const { newest } = this.#track.ring;
    const { source } = inflow.route;
    if (newest === undefined || inflow.asked?.startGroup === undefined) return;
    if (source.sibling === true) return; // it notices by itself
    inflow.check = this.#routes.renewals?.check(newest.sequence, {
      track: this.#track,
      route: inflow.route,
      tellsLargest: () => inflow.toldInfo,
      isSound: () => this.#routes.isSound(source),
      onAnew: () => this.#routes.renew(),
    });
  }

  /** What the readers want. A source that takes over starts where the last one stopped. */
  #request(): TrackRequest {
    const request = this.#track.request();
    const newest = this.#track.ring.newest;
    if (newest === undefined) return request;
    // No subgroup of it is open, but more may come.
    const unfinished = newest.state !== "open" && !newest.isOver;
    let startGroup = Math.min(unfinished ? newest.sequence : newest.sequence + 1, this.#gap());
    for (const { state, sequence } of this.#interrupted.keys()) {
      if (state === "open") startGroup = Math.min(startGroup, sequence);
    }
    const maxLatencyMs = Math.max(request.maxLatencyMs, this.#track.info.maxAgeMs);
    const { startObject: _, ...rest } = request; // it belongs to the group that was asked for first
    return { ...rest, startGroup, startIsFloor: false, maxLatencyMs };
  }

  /**
   * The first group that is missing, or that a source has begun which has lost its own source or leaves: it may stop in the
   * middle. Infinity when there is none.
   */
  #gap(): number {
    const { ring } = this.#track;
    const sound = this.#active === undefined || this.#routes.isSound(this.#active.route.source);
    const sinceMs = ring.newest!.openedAtMs - OVERTAKEN_MS;
    let before: number | undefined;
    for (const { sequence, state, openedAtMs } of ring.since(0)) {
      if (!sound && state === "open") return sequence;
      const overtakes = before !== undefined && sequence > before + 1;
      if (overtakes && openedAtMs >= sinceMs) return before! + 1;
      before = sequence;
    }
    return Infinity;
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
    this.#cutInterrupted(end.kind === "failed" && end.why === "lost");
    this.#track.end(end);
  }

  /** @param lost Whether another source may go on with them. This one does not come back. */
  #cutInterrupted(lost: boolean): void {
    for (const cancel of this.#interrupted.values()) cancel();
    for (const subgroup of this.#interrupted.keys()) subgroup.isLost = lost;
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

/** Notes for whom it writes. */
function written(writer: GroupWriter, from: Inflow): GroupWriter {
  writer.from = from;
  writer.subgroup.writer = writer;
  return writer;
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
  /** As long as it is not certain that it continues what came before. */
  check: GenerationCheck | undefined;
  /** What its source was asked for, and whether the newest group was looked for where that may not come for long. */
  asked: TrackRequest | undefined;
  sought = false;
  #over = false;

  constructor(readonly feed: Feed, readonly route: Route) {
    this.counted = route.source.sibling !== true;
  }

  /** Whether nothing of it counts any more. */
  get over(): boolean {
    return this.#over;
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
    this.check?.close();
    this.feed.ended(this, end);
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.check?.close();
    this.subscription?.close();
  }
}
