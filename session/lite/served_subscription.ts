/**
 * One SUBSCRIBE of the peer, served from a track: groups go out on a stream each, the newest first when the peer gives
 * too little credit or the network too little room.
 *
 * @module
 */
import type { Group } from "../../relay/group.ts";
import type { TrackEnd, TrackReader, TrackRequest } from "../../relay/ports.ts";
import type { Track } from "../../relay/track.ts";
import type { BidiStream, Connection, SendStream } from "../../transport/connection.ts";
import { STREAM_CODE } from "../../wire/lite/codes.ts";
import { encodeDatagram, MAX_DATAGRAM_BYTES } from "../../wire/lite/datagram.ts";
import type { Dialect } from "../../wire/lite/dialect.ts";
import type { Subscribe } from "../../wire/lite/subscribe.ts";
import type { Quota } from "../quota.ts";
import { excerpt } from "./excerpt.ts";
import { groupHead, GroupSender, type SenderOwner } from "./group_sender.ts";
import { encodeEnd, encodeOk, encodeStart } from "./replies.ts";
import type { RelayStats } from "../../relay/stats.ts";
import type { Clock } from "../../base/clock.ts";

/** Groups that may wait for a stream, where the ring does not keep more; older ones are skipped. */
const MIN_WAITING = 128;

/** A group that has waited this long for a stream tells that the peer gives too few. */
const STARVED_MS = 100;

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

export class ServedSubscription implements TrackReader, SenderOwner {
  readonly dialect: Dialect;
  readonly id: number;
  readonly stats: RelayStats;
  readonly quota: Quota;
  request: TrackRequest;
  /** When one of its streams took bytes again after it had not. */
  progressedAtMs: number;
  readonly #o: ServedOptions;
  readonly #senders = new Set<GroupSender>();
  /** Senders without a stream yet, oldest first. */
  readonly #waiting: GroupSender[] = [];
  #opening = 0;
  #stuckSinceMs = Infinity;
  #bounds: Bounds;
  #spare: SendStream | undefined;
  #started = false;
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

  /** Answers and begins to serve what is there. */
  start(): void {
    const { dialect, subscribe, stream, track } = this.#o;
    if (dialect.subscribeOk !== undefined) stream.send.write(encodeOk(dialect, subscribe));
    track.add(this);
  }

  now(): number {
    return this.#o.clock.now();
  }

  progressed(): void {
    this.progressedAtMs = this.now();
  }

  onGroup(group: Group, start: number): void {
    if (this.#done || this.#end !== undefined) return;
    if (!this.#started) {
      this.#started = true;
      if (this.dialect.replies === "start") this.#o.stream.send.write(encodeStart(start));
    }
    if (group.sequence >= this.#next) this.#next = group.sequence + 1;
    const sender = this.dialect.frameBounds ? this.#bounded(group) : new GroupSender(group, this);
    this.#senders.add(sender);
    if (this.#spare !== undefined) {
      const stream = this.#spare;
      this.#spare = undefined;
      this.#begin(sender, stream);
      return;
    }
    this.#skipStale(group.openedAtMs);
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
    if (this.dialect.replies === "start" && !refused) {
      const known = end.kind === "ended" ? end.nextGroup : undefined;
      this.#o.stream.send.write(encodeEnd(known ?? this.#next));
    }
    this.#finishWhenSent();
  }

  /** The peer changed its wishes. Frame bounds count for groups that have not begun. */
  update(asked: Bounds & Asked): void {
    this.#bounds = asked;
    this.request = requestOf(asked, this.dialect);
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

  /** Cuts groups that have begun, stick, and are older than anybody wants. */
  cutStale(now: number): void {
    const newest = this.#o.track.ring.newest?.sequence;
    const staleMs = this.#staleMs();
    for (const sender of [...this.#senders]) {
      if (sender.blockedSinceMs < 0 || sender.group.sequence === newest) continue;
      if (now - sender.kept.supersededAtMs > staleMs) sender.cut(STREAM_CODE.deliveryTimeout);
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
    stream.setSendOrder(this.#order(sender.group));
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
  #bounded(group: Group): GroupSender {
    const { startGroup, endGroup, startFrame, endFrame } = this.#bounds;
    const first = group.sequence === (startGroup ?? 0) ? startFrame : 0;
    const last = group.sequence === endGroup ? endFrame : undefined;
    if (first === 0 && last === undefined) return new GroupSender(group, this);
    const { pool } = this.#o.track.context;
    const part = excerpt(group, { startFrame: first, endFrame: last }, pool);
    const sender = new GroupSender(part, this, group);
    part.release(); // the sender holds it now
    return sender;
  }

  readonly #onOpenFailed = (): void => {
    this.#opening--;
    if (!this.#done) this.cancel(STREAM_CODE.sessionClosed);
  };

  /** Drops groups that never got a stream and are too old by now. */
  #skipStale(now: number): void {
    const staleMs = this.#staleMs();
    while (this.#waiting.length > 0) {
      const oldest = this.#waiting[0]!;
      const stale = now - oldest.kept.supersededAtMs > staleMs ||
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

  #staleMs(): number {
    return this.request.maxLatencyMs > 0 ? this.request.maxLatencyMs : this.#o.track.info.maxAgeMs;
  }

  /** Priority first, then the newest group: congestion starves what is old. */
  #order(group: Group): number {
    return (this.request.priority << 22) + (group.sequence % (1 << 22));
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
