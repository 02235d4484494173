/**
 * One SUBSCRIBE of the peer, served from a track: groups go out on a stream each, the newest first when the peer gives
 * too little credit or the network too little room.
 *
 * @module
 */
import type { Subgroup } from "../../relay/group/group.ts";
import type { TrackEnd, TrackReader, TrackRequest } from "../../relay/ports.ts";
import type { Track } from "../../relay/track.ts";
import type { BidiStream, Connection, SendStream } from "../../transport/connection.ts";
import { STREAM_CODE } from "../../wire/lite/codes.ts";
import { encodeDatagram, MAX_DATAGRAM_BYTES } from "../../wire/lite/datagram.ts";
import type { Dialect } from "../../wire/lite/dialect.ts";
import type { Subscribe } from "../../wire/lite/subscribe.ts";
import type { Quota } from "../quota.ts";
import type { Served } from "../session.ts";
import { excerpt } from "./excerpt.ts";
import { groupHead, GroupSender, type SenderOwner } from "./group_sender.ts";
import { encodeEnd, encodeOk, encodeStart } from "./replies.ts";
import { type Ranked, sendOrder, Turns } from "../send/send_order.ts";
import type { RelayStats } from "../../relay/stats.ts";
import type { Clock } from "../../base/clock.ts";

/** Groups that may wait for a stream, where the ring does not keep more; older ones are skipped. */
const MIN_WAITING = 128;

/** A group that has waited this long for a stream, or to be taken, tells that the peer or the network gives too little. */
const STARVED_MS = 100;

/**
 * How long a superseded group may be stuck at a latency of 0 before it is cut. Newer groups go before it all the while; a
 * pause of the machine or the network costs a viewer on a sound link no group.
 */
const STUCK_MS = 1000;

/** Groups without a head that are remembered until the first that can be served has come. */
const MAX_HEADLESS = 64;

export interface ServedOptions {
  readonly connection: Connection;
  readonly dialect: Dialect;
  readonly stream: BidiStream;
  readonly subscribe: Subscribe;
  readonly track: Track;
  readonly clock: Clock;
  readonly stats: RelayStats;
  readonly quota: Quota;
  /** Called once, when nothing of it is left. */
  readonly onDone: () => void;
}

export class ServedSubscription implements Served, TrackReader, SenderOwner, Ranked {
  readonly dialect: Dialect;
  readonly id: number;
  readonly stats: RelayStats;
  readonly quota: Quota;
  request: TrackRequest;
  /** When one of its streams took bytes again after it had not. */
  progressedAtMs: number;
  readonly #o: ServedOptions;
  readonly #senders = new Set<GroupSender>();
  readonly #turns = new Turns(this.#senders, (sender) => this.#reorder(sender));
  #place = 0;
  /** Senders without a stream yet, oldest first. */
  readonly #waiting: GroupSender[] = [];
  #opening = 0;
  #stuckSinceMs = Infinity;
  #bounds: Bounds;
  #spare: SendStream | undefined;
  #agreed = false;
  #started = false;
  /** Groups that came before the first one served, and could not be: their beginning is gone. */
  #headless: Set<number> | undefined;
  #next = 0;
  #end: TrackEnd | undefined;
  #done = false;

  constructor(options: ServedOptions) {
    this.#o = options;
    this.dialect = options.dialect;
    this.id = options.subscribe.id;
    this.stats = options.stats;
    this.quota = options.quota;
    this.request = requestOf(options.subscribe, options.dialect);
    this.#bounds = options.subscribe;
    this.progressedAtMs = options.clock.now();
  }

  get track(): Track {
    return this.#o.track;
  }

  /** Begins to serve what is there. */
  start(): void {
    this.#o.track.add(this);
  }

  /** Answers, where the version does: before that nobody knows whether there is such a track. */
  onKnown(): void {
    const { dialect, subscribe, stream } = this.#o;
    if (this.#agreed || this.#done || dialect.subscribeOk === undefined) return;
    this.#agreed = true;
    stream.send.write(encodeOk(dialect, subscribe));
  }

  /** Its place among the subscriptions of the session has changed. */
  placed(place: number): void {
    this.#place = place;
    for (const sender of this.#senders) this.#reorder(sender);
  }

  now(): number {
    return this.#o.clock.now();
  }

  progressed(): void {
    this.progressedAtMs = this.now();
  }

  onGroup(group: Subgroup, start: number): void {
    if (this.#done || this.#end !== undefined) return;
    if (group.sequence >= this.#next) this.#next = group.sequence + 1;
    if (group.startFrame > 0 && group.startFrame > this.#firstFrame(group)) {
      return this.#skipHeadless(group);
    }
    if (!this.#started) {
      this.#started = true;
      this.#start(start);
    }
    // At a latency of 0 what sticks gives way now; with more the next sweep is soon enough.
    if (this.request.maxLatencyMs === 0 && this.#senders.size > 0) this.cutStale(this.now());
    const sender = this.dialect.frameBounds ? this.#bounded(group) : new GroupSender(group, this);
    this.#senders.add(sender);
    if (this.#spare !== undefined) {
      const stream = this.#spare;
      this.#spare = undefined;
      this.#begin(sender, stream);
      return;
    }
    this.#skipStale(group.group.openedAtMs);
    sender.queuedAtMs = this.now();
    this.#waiting.push(sender);
    this.#opening++;
    this.#o.connection.openUni().then(
      this.#onOpened,
      this.#onOpenFailed,
    );
  }

  onDatagram(sequence: number, timestamp: number, payload: Uint8Array): void {
    if (!this.dialect.timestamps) return;
    const bytes = encodeDatagram({ subscribe: this.id, sequence, timestamp }, payload);
    if (bytes.length > Math.min(MAX_DATAGRAM_BYTES, this.#o.connection.maxDatagramBytes)) return;
    if (!this.quota.maySend || !this.#o.connection.sendDatagram(bytes)) return;
    this.quota.sent(bytes.length);
    this.stats.datagramsOut++;
  }

  onEnd(end: TrackEnd): void {
    if (this.#done || this.#end !== undefined) return;
    this.#end = end;
    const refused = end.kind === "failed" && end.why !== "lost" && !this.#started;
    if (end.kind === "ended") this.onKnown();
    if (this.dialect.replies === "start" && !refused) {
      const known = end.kind === "ended" ? end.nextGroup : undefined;
      this.#o.stream.send.write(encodeEnd(known ?? this.#next));
    }
    this.#finishWhenSent();
  }

  /** The peer changed its wishes. Frame bounds count for groups that have not begun. */
  update(asked: Bounds & Asked): void {
    this.#bounds = asked;
    const { priority } = this.request;
    this.request = requestOf(asked, this.dialect);
    if (asked.priority !== priority) {
      for (const sender of this.#senders) this.#reorder(sender);
    }
    this.#o.track.change(this, this.request);
  }

  /** The peer has left, or the session ends: nothing more goes out. */
  cancel(code: number = STREAM_CODE.cancel): void {
    if (this.#done) return;
    this.#o.track.remove(this);
    for (const sender of [...this.#senders]) sender.cut(code);
    if (this.#end === undefined && this.dialect.replies === "start") {
      this.#o.stream.send.write(encodeEnd(this.#next));
    }
    this.#close();
  }

  /** Ends in order: no new groups, those that have begun go out to their end. */
  drain(): void {
    // It stays a reader until the last group is out: what has begun still needs its source.
    this.onEnd({ kind: "ended", nextGroup: this.#next });
  }

  /** Since when some stream of it has been taking nothing, or Infinity. That of groups cut in the meantime counts. */
  stuckSinceMs(): number {
    let since = Infinity;
    for (const { blockedSinceMs } of this.#senders) {
      if (blockedSinceMs >= 0) since = Math.min(since, blockedSinceMs);
    }
    this.#stuckSinceMs = since === Infinity ? since : Math.min(since, this.#stuckSinceMs);
    return this.#stuckSinceMs;
  }

  /** Since when some stream of it has been keeping memory that is needed elsewhere, or Infinity. */
  pinnedSinceMs(): number {
    let since = Infinity;
    for (const sender of this.#senders) since = Math.min(since, sender.pinnedSinceMs);
    return since;
  }

  /** Cuts groups that have begun, stick, and are older than anybody wants. */
  cutStale(now: number): void {
    const newest = this.#o.track.ring.newest?.sequence;
    for (const sender of this.#senders) {
      if (sender.blockedSinceMs < 0 || sender.sequence === newest) continue;
      if (this.#isStale(sender, now, sender.blockedSinceMs)) {
        sender.cut(STREAM_CODE.deliveryTimeout);
      }
    }
  }

  senderDone(sender: GroupSender): void {
    this.#senders.delete(sender);
    if (this.#end !== undefined) this.#finishWhenSent();
  }

  readonly #onOpened = (stream: SendStream): void => {
    this.#opening--;
    const sender = this.#nextWaiting();
    if (sender !== undefined) {
      this.#begin(sender, stream);
    } else if (this.#done || this.#spare !== undefined) stream.reset(STREAM_CODE.cancel);
    else this.#spare = stream;
  };

  #begin(sender: GroupSender, stream: SendStream): void {
    this.#turns.take(sender);
    stream.setSendOrder(sendOrder(this.request.priority, this.#place, sender.turn));
    sender.begin(stream, groupHead(this.dialect, this.id, sender.group));
  }

  /** Who gets a stream: in turn as long as streams come at once; the newest when there are too few of them. */
  #nextWaiting(): GroupSender | undefined {
    for (;;) {
      const oldest = this.#waiting[0];
      const starved = oldest !== undefined && this.now() - oldest.queuedAtMs > STARVED_MS;
      const sender = starved ? this.#waiting.pop() : this.#waiting.shift();
      if (sender === undefined || !sender.done) return sender;
    }
  }

  /** Sends a group within the frame bounds asked for. */
  #bounded(group: Subgroup): GroupSender {
    const { endGroup, endFrame } = this.#bounds;
    const first = this.#firstFrame(group);
    const last = group.sequence === endGroup ? endFrame : undefined;
    if (first === 0 && last === undefined) return new GroupSender(group, this);
    const { pool } = this.#o.track.context;
    const part = excerpt(group, { startFrame: first, endFrame: last }, pool);
    const sender = new GroupSender(part, this);
    part.release(); // the sender holds it now
    return sender;
  }

  readonly #onOpenFailed = (): void => {
    this.#opening--;
    if (!this.#done) this.cancel(STREAM_CODE.sessionClosed);
  };

  /** Drops groups that never got a stream and are too old by now. */
  #skipStale(now: number): void {
    while (this.#waiting.length > 0) {
      const oldest = this.#waiting[0]!;
      const stale = this.#isStale(oldest, now, oldest.queuedAtMs) ||
        this.#waiting.length >= this.#maxWaiting;
      if (!stale) return;
      this.#waiting.shift();
      this.stats.groupsSkipped++;
      oldest.cut(STREAM_CODE.old);
    }
  }

  get #maxWaiting(): number {
    return Math.max(MIN_WAITING, this.#o.track.ring.capacity);
  }

  /**
   * Whether nobody wants a group any more that cannot get out. At a latency of 0 that is as soon as there is a newer one; but
   * on a sound network a write takes a moment too.
   * @param sinceMs Since when it has been waiting.
   */
  #isStale({ group }: GroupSender, now: number, sinceMs: number): boolean {
    const ageMs = now - group.group.supersededAtMs;
    const { maxLatencyMs } = this.request;
    if (maxLatencyMs > 0) return ageMs > maxLatencyMs;
    if (!this.dialect.maxLatency) return ageMs > this.#o.track.info.maxAgeMs;
    return ageMs >= 0 && now - sinceMs >= STUCK_MS;
  }

  #reorder(sender: GroupSender): void {
    if (sender.turn === 0) return;
    sender.order(sendOrder(this.request.priority, this.#place, sender.turn));
  }

  /** The frame that the peer wants a group to begin with. */
  #firstFrame({ sequence }: Subgroup): number {
    const { startGroup = 0, startFrame } = this.#bounds;
    return this.dialect.frameBounds && sequence === startGroup ? startFrame : 0;
  }

  /** The rest of a group is of no use to whoever did not ask for it: its frames build on those that are missing. */
  #skipHeadless({ sequence }: Subgroup): void {
    if (this.#started || this.dialect.replies !== "start") return;
    const headless = this.#headless ??= new Set();
    if (headless.size < MAX_HEADLESS) headless.add(sequence);
  }

  /** Tells the first group that will come; one that was skipped does not. */
  #start(group: number): void {
    if (this.dialect.replies !== "start") return;
    let first = group;
    while (this.#headless?.has(first)) first++;
    this.#headless = undefined;
    this.#o.stream.send.write(encodeStart(first));
  }

  #finishWhenSent(): void {
    if (this.#senders.size === 0) this.#close();
  }

  #close(): void {
    if (this.#done) return;
    this.#done = true;
    this.#o.track.remove(this);
    this.#waiting.length = 0;
    this.#spare?.reset(STREAM_CODE.cancel);
    this.#spare = undefined;
    const { send } = this.#o.stream;
    if (this.#end?.kind === "failed" && send.canReset) send.reset(codeOf(this.#end.why));
    else send.finish();
    this.#o.onDone();
  }
}

type Asked = Pick<Subscribe, "priority" | "maxLatencyMs" | "startGroup" | "endGroup">;
type Bounds = Pick<Subscribe, "startGroup" | "endGroup" | "startFrame" | "endFrame">;

/** What a SUBSCRIBE or SUBSCRIBE_UPDATE asks of a track. */
function requestOf(asked: Asked, dialect: Dialect): TrackRequest {
  const { priority, maxLatencyMs, startGroup, endGroup } = asked;
  return { priority, maxLatencyMs, startGroup, endGroup, startIsFloor: dialect.startIsFloor };
}

/** The stream code that tells why a track is not to be had. */
function codeOf(why: "not-found" | "unroutable" | "lost" | "refused"): number {
  if (why === "unroutable") return STREAM_CODE.unroutable;
  if (why === "lost") return STREAM_CODE.sessionClosed;
  return STREAM_CODE.notFound;
}
