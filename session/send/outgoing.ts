/**
 * The groups of one subscription on their way to the peer, each on a stream of its own. When credit or bandwidth is short, the
 * newest group goes first, and groups that are too old are dropped.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Group, Subgroup } from "../../relay/group/group.ts";
import type { TrackRequest } from "../../relay/ports.ts";
import type { RelayStats } from "../../relay/stats.ts";
import type { Track } from "../../relay/track.ts";
import type { Connection, SendStream } from "../../transport/connection.ts";
import type { Quota } from "../quota.ts";
import type { StreamReason } from "../reasons.ts";
import type { GroupEncoder, Part } from "./encoder.ts";
import { GroupSender, type SenderOwner } from "./group_sender.ts";
import { GROUP_ORDER, type Ranked, type SendOrder, Turns } from "./send_order.ts";
import type { Sending } from "../sweep.ts";

/** Groups that may wait for a stream, unless the ring keeps more. Older ones are skipped. */
const MIN_WAITING = 128;
/** The same for subgroups, of which a group may have many. */
const MAX_WAITING = 4096;

/** If a group has waited this long for a stream, the peer gives too little credit. */
const STARVED_MS = 100;

/**
 * How long a superseded group may be stuck at a latency of 0 before it is cut. Newer groups go before it anyway. A short pause
 * of the machine or the network costs a viewer no group.
 */
const STUCK_MS = 1000;

export interface OutgoingOptions {
  readonly connection: Connection;
  readonly encoder: GroupEncoder;
  readonly track: Track;
  readonly request: TrackRequest;
  /** How its streams are ordered with those of the session's other subscriptions. Default: each group is one stream. */
  readonly order?: SendOrder;
  /** Whether the version has a maximum latency. */
  readonly saysLatency: boolean;
  readonly clock: Clock;
  readonly stats: RelayStats;
  readonly quota: Quota;
  /** The last group has been sent or cut. */
  readonly onEmpty: () => void;
  /** Streams cannot be opened any more. */
  readonly onFailed: () => void;
}

export class Outgoing implements SenderOwner, Sending, Ranked {
  readonly encoder: GroupEncoder;
  readonly stats: RelayStats;
  readonly quota: Quota;
  progressedAtMs: number;
  stuckSinceMs = Infinity;
  /** Streams that were opened for it. */
  opened = 0;
  /** Whether the oldest group goes first. Default: the newest. Set it before the first group. */
  ascending = false;
  readonly #o: OutgoingOptions;
  #request: TrackRequest;
  readonly senders = new Set<GroupSender>();
  readonly #order: SendOrder;
  readonly #turns: Turns<GroupSender>;
  #place = 0;
  /** Senders without a stream yet, oldest first. */
  readonly #waiting: GroupSender[] = [];
  #spare: SendStream | undefined;
  #closed = false;

  constructor(options: OutgoingOptions) {
    this.#o = options;
    this.encoder = options.encoder;
    this.stats = options.stats;
    this.quota = options.quota;
    this.#request = options.request;
    this.#order = options.order ?? GROUP_ORDER;
    const { maxTurn } = this.#order;
    this.#turns = new Turns(this.senders, (sender) => this.#reorder(sender), maxTurn);
    this.progressedAtMs = options.clock.now();
  }

  /** Whether no group is on its way. */
  get empty(): boolean {
    return this.senders.size === 0;
  }

  /** The peer's current request. */
  get request(): TrackRequest {
    return this.#request;
  }

  set request(request: TrackRequest) {
    const { priority } = this.#request;
    this.#request = request;
    if (request.priority !== priority) this.#reorderAll();
  }

  /** Sends a group, or a part of it: the bytes that are here, then each as it comes in. */
  send(group: Subgroup, part?: Part): void {
    // At a latency of 0 a stuck group gives way now. Otherwise the next sweep is soon enough.
    if (this.#request.maxLatencyMs === 0 && this.senders.size > 0) this.cutStale(this.now());
    const sender = new GroupSender(group, this, part);
    this.senders.add(sender);
    if (this.#spare !== undefined) {
      const stream = this.#spare;
      this.#spare = undefined;
      return this.#begin(sender, stream);
    }
    this.#skipStale(group.group);
    sender.queuedAtMs = this.now();
    this.#waiting.push(sender);
    this.#o.connection.openUni().then(this.#onOpened, this.#onOpenFailed);
  }

  /** Cuts every group that is on its way. */
  cut(why: StreamReason): void {
    for (const sender of [...this.senders]) sender.cut(why);
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
    this.senders.delete(sender);
    if (this.senders.size === 0) this.#o.onEmpty();
  }

  cutStale(now: number): void {
    const newest = this.#o.track.ring.newest?.sequence;
    for (const sender of this.senders) {
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
    stream.setSendOrder(this.#orderOf(sender));
    if (sender.begin(stream)) this.opened++;
  }

  /** The sender that gets the next stream: the oldest, or the newest if streams are short. */
  #nextWaiting(): GroupSender | undefined {
    for (;;) {
      const oldest = this.#waiting[0];
      const starved = oldest !== undefined && !this.ascending &&
        this.now() - oldest.queuedAtMs > STARVED_MS;
      const sender = starved ? this.#waiting.pop() : this.#waiting.shift();
      if (sender === undefined || !sender.done) return sender;
    }
  }

  /** Drops groups that never got a stream and are too old by now. */
  #skipStale({ openedAtMs: now, others }: Group): void {
    const { capacity } = this.#o.track.ring;
    const kept = others.length === 0 ? capacity : capacity * (others.length + 1); // subgroups
    const maxWaiting = Math.max(MIN_WAITING, Math.min(kept, MAX_WAITING));
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
   * Whether a waiting group is too old. At a latency of 0 it is as soon as a newer group exists and it has been stuck for a
   * moment: a write takes some time on every network.
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
    for (const sender of this.senders) this.#reorder(sender);
  }

  #reorder(sender: GroupSender): void {
    if (sender.turn === 0) return;
    sender.order(this.#orderOf(sender));
  }

  #orderOf({ turn, group }: GroupSender): number {
    const order = this.#order;
    const rank = this.ascending ? order.maxTurn - turn : turn;
    const { priority } = this.#o.track.info;
    return order.of(this.#request.priority, this.#place, rank, group, priority);
  }
}
