/**
 * The groups of one subscription on their way to the peer, each on a stream of its own: the newest first when the peer gives
 * too little credit or the network too little room, and without those that nobody wants any more.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Subgroup } from "../../relay/group/group.ts";
import type { TrackRequest } from "../../relay/ports.ts";
import type { RelayStats } from "../../relay/stats.ts";
import type { Track } from "../../relay/track.ts";
import type { Connection, SendStream } from "../../transport/connection.ts";
import type { Quota } from "../quota.ts";
import type { StreamReason } from "../reasons.ts";
import type { GroupEncoder } from "./encoder.ts";
import { GroupSender, type SenderOwner } from "./group_sender.ts";
import { type Ranked, sendOrder, Turns } from "./send_order.ts";
import type { Sending } from "./watchdog.ts";

/** Groups that may wait for a stream, where the ring does not keep more; older ones are skipped. */
const MIN_WAITING = 128;

/** A group that has waited this long for a stream, or to be taken, tells that the peer or the network gives too little. */
const STARVED_MS = 100;

/**
 * How long a superseded group may be stuck at a latency of 0 before it is cut. Newer groups go before it all the while; a
 * pause of the machine or the network costs a viewer on a sound link no group.
 */
const STUCK_MS = 1000;

export interface OutgoingOptions {
  readonly connection: Connection;
  readonly encoder: GroupEncoder;
  readonly track: Track;
  readonly request: TrackRequest;
  /** Whether the peer can say how old a group may get. */
  readonly saysLatency: boolean;
  readonly clock: Clock;
  readonly stats: RelayStats;
  readonly quota: Quota;
  /** A group is out, one way or another, and none is left. */
  readonly onEmpty: () => void;
  /** No stream can be opened any more. */
  readonly onFailed: () => void;
}

export class Outgoing implements SenderOwner, Sending, Ranked {
  readonly encoder: GroupEncoder;
  readonly stats: RelayStats;
  readonly quota: Quota;
  progressedAtMs: number;
  readonly #o: OutgoingOptions;
  #request: TrackRequest;
  readonly #senders = new Set<GroupSender>();
  readonly #turns = new Turns(this.#senders, (sender) => this.#reorder(sender));
  #place = 0;
  /** Senders without a stream yet, oldest first. */
  readonly #waiting: GroupSender[] = [];
  #stuckSinceMs = Infinity;
  #spare: SendStream | undefined;
  #closed = false;

  constructor(options: OutgoingOptions) {
    this.#o = options;
    this.encoder = options.encoder;
    this.stats = options.stats;
    this.quota = options.quota;
    this.#request = options.request;
    this.progressedAtMs = options.clock.now();
  }

  /** Whether no group is on its way. */
  get empty(): boolean {
    return this.#senders.size === 0;
  }

  /** What the peer wants. */
  get request(): TrackRequest {
    return this.#request;
  }

  set request(request: TrackRequest) {
    const { priority } = this.#request;
    this.#request = request;
    if (request.priority !== priority) this.#reorderAll();
  }

  /** Sends a group, as far as it is here and as it comes in. */
  send(group: Subgroup): void {
    // At a latency of 0 what sticks gives way now; with more the next sweep is soon enough.
    if (this.#request.maxLatencyMs === 0 && this.#senders.size > 0) this.cutStale(this.now());
    const sender = new GroupSender(group, this);
    this.#senders.add(sender);
    if (this.#spare !== undefined) {
      const stream = this.#spare;
      this.#spare = undefined;
      return this.#begin(sender, stream);
    }
    this.#skipStale(group.group.openedAtMs);
    sender.queuedAtMs = this.now();
    this.#waiting.push(sender);
    this.#o.connection.openUni().then(this.#onOpened, this.#onOpenFailed);
  }

  /** Cuts every group that is on its way. */
  cut(why: StreamReason): void {
    for (const sender of [...this.#senders]) sender.cut(why);
  }

  /** Nothing more goes out. Call it when it is {@link Outgoing.empty}, or after {@link Outgoing.cut}. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    this.#spare?.reset(this.encoder.codes.cancel);
    this.#spare = undefined;
  }

  /** Its place among the subscriptions of the session has changed. */
  placed(place: number): void {
    this.#place = place;
    this.#reorderAll();
  }

  now(): number {
    return this.#o.clock.now();
  }

  progressed(): void {
    this.progressedAtMs = this.now();
  }

  senderDone(sender: GroupSender): void {
    this.#senders.delete(sender);
    if (this.#senders.size === 0) this.#o.onEmpty();
  }

  /** That of groups cut in the meantime counts. */
  stuckSinceMs(): number {
    let since = Infinity;
    for (const { blockedSinceMs } of this.#senders) {
      if (blockedSinceMs >= 0) since = Math.min(since, blockedSinceMs);
    }
    this.#stuckSinceMs = since === Infinity ? since : Math.min(since, this.#stuckSinceMs);
    return this.#stuckSinceMs;
  }

  pinnedSinceMs(): number {
    let since = Infinity;
    for (const sender of this.#senders) since = Math.min(since, sender.pinnedSinceMs);
    return since;
  }

  cutStale(now: number): void {
    const newest = this.#o.track.ring.newest?.sequence;
    for (const sender of this.#senders) {
      if (sender.blockedSinceMs < 0 || sender.sequence === newest) continue;
      if (this.#isStale(sender, now, sender.blockedSinceMs)) sender.cut("deliveryTimeout");
    }
  }

  readonly #onOpened = (stream: SendStream): void => {
    const sender = this.#nextWaiting();
    if (sender !== undefined) this.#begin(sender, stream);
    else if (this.#closed || this.#spare !== undefined) stream.reset(this.encoder.codes.cancel);
    else this.#spare = stream;
  };

  readonly #onOpenFailed = (): void => {
    if (!this.#closed) this.#o.onFailed();
  };

  #begin(sender: GroupSender, stream: SendStream): void {
    this.#turns.take(sender);
    stream.setSendOrder(sendOrder(this.#request.priority, this.#place, sender.turn));
    sender.begin(stream, this.encoder.head(sender.group));
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

  /** Drops groups that never got a stream and are too old by now. */
  #skipStale(now: number): void {
    const maxWaiting = Math.max(MIN_WAITING, this.#o.track.ring.capacity);
    while (this.#waiting.length > 0) {
      const oldest = this.#waiting[0]!;
      const stale = this.#isStale(oldest, now, oldest.queuedAtMs) ||
        this.#waiting.length >= maxWaiting;
      if (!stale) return;
      this.#waiting.shift();
      this.stats.groupsSkipped++;
      oldest.cut("old");
    }
  }

  /**
   * Whether nobody wants a group any more that cannot get out. At a latency of 0 that is as soon as there is a newer one; but
   * on a sound network a write takes a moment too.
   * @param sinceMs Since when it has been waiting.
   */
  #isStale({ group }: GroupSender, now: number, sinceMs: number): boolean {
    const ageMs = now - group.group.supersededAtMs;
    const { maxLatencyMs } = this.#request;
    if (maxLatencyMs > 0) return ageMs > maxLatencyMs;
    if (!this.#o.saysLatency) return ageMs > this.#o.track.info.maxAgeMs;
    return ageMs >= 0 && now - sinceMs >= STUCK_MS;
  }

  #reorderAll(): void {
    for (const sender of this.#senders) this.#reorder(sender);
  }

  #reorder(sender: GroupSender): void {
    if (sender.turn === 0) return;
    sender.order(sendOrder(this.#request.priority, this.#place, sender.turn));
  }
}
