/**
 * One track on its way to the peer, whoever has begun it: which objects go out, and how it ends.
 * Spec: draft-ietf-moq-transport-18, "Subscriptions".
 *
 * @module
 */
import type { Subgroup } from "../../../relay/group/group.ts";
import type { Layout } from "../../../relay/group/subgroup_head.ts";
import type {
  DatagramObject,
  Location,
  TrackEnd,
  TrackReader,
  TrackRequest,
} from "../../../relay/reading.ts";
import type { Track } from "../../../relay/track.ts";
import { doneCode, type DoneWord } from "../../../wire/ietf/codes.ts";
import type { Parameters } from "../../../wire/ietf/parameters.ts";
import type { StreamReason } from "../../reasons.ts";
import { Outgoing } from "../../send/outgoing.ts";
import { SUBGROUP_ORDER } from "../../send/subgroup_order.ts";
import type { Served } from "../../session.ts";
import type { Sending } from "../../sweep.ts";
import { type IetfContext, layoutOf } from "../context.ts";
import type { Exchange } from "../exchange.ts";
import type { Granted } from "../request_rights.ts";
import { sendDatagram } from "./objects/datagrams.ts";
import { ObjectEncoder, type ObjectPart } from "./objects/object_encoder.ts";
import { timeoutMs } from "./objects/properties.ts";
import { EVERYTHING, includes, isPast, isReached, type Range, rangeOf } from "./range.ts";
import { Seeker } from "./objects/seeker.ts";

export interface ServedOptions {
  readonly context: IetfContext;
  readonly track: Track;
  readonly alias: number;
  readonly exchange: Exchange;
  /** What the subscriber asks for. */
  readonly wishes: Parameters;
  /** The rights that it is served by; absent where those of the session are enough. */
  readonly by: Granted | undefined;
  /** Called once, when nothing of it is left. */
  readonly onDone: () => void;
}

export class ServedTrack implements Served, TrackReader, Sending {
  readonly id: number;
  readonly layout: Layout;
  readonly hop: bigint;
  readonly outgoing: Outgoing;
  stuckSinceMs = Infinity;
  readonly #o: ServedOptions;
  readonly #encoder: ObjectEncoder;
  #wishes: Parameters;
  #range: Range = EVERYTHING;
  readonly #seekers = new Set<Seeker>();
  #begun = false;
  /** Why no group begins any more. */
  #ending: { readonly word: DoneWord; readonly reason: string } | undefined;
  #done = false;
  readonly #unhear: (() => void) | undefined;
  /** Answers on streams of their own that belong to it. */
  #held = 0;
  /** The largest location when the peer was last told one, for fetches that join. */
  joining: Location | undefined;

  constructor(options: ServedOptions) {
    const { context, track, alias, exchange, wishes } = options;
    const { connection, clock, stats, quota, profile } = context;
    this.#o = options;
    this.id = exchange.id;
    this.layout = layoutOf(profile);
    this.hop = context.peerHop;
    this.#wishes = wishes;
    this.#encoder = new ObjectEncoder(context, alias);
    this.#unhear = options.by?.onLost((why) => this.#giveUp("unauthorized", why));
    this.outgoing = new Outgoing({
      ...{ connection, track, clock, stats, quota, encoder: this.#encoder },
      order: SUBGROUP_ORDER,
      request: requestOf(wishes, EVERYTHING, track),
      saysLatency: false,
      onEmpty: () => this.#closeIfOver(),
      onFailed: () => this.cancel("sessionClosed"),
    });
  }

  get track(): Track {
    return this.#o.track;
  }

  get request(): TrackRequest {
    return this.outgoing.request;
  }

  get alias(): number {
    return this.#encoder.alias;
  }

  /** Whether objects go out now, not only changes of the track's state. */
  get forwards(): boolean {
    return this.#wishes.forward !== false;
  }

  get by(): Granted | undefined {
    return this.#o.by;
  }

  get isOver(): boolean {
    return this.#done;
  }

  /** What the peer is told when it changes its wishes. */
  get state(): Parameters {
    const { largest } = this.track;
    return largest === undefined ? {} : { largest };
  }

  get progressedAtMs(): number {
    return this.outgoing.progressedAtMs;
  }

  get senders(): Outgoing["senders"] {
    return this.outgoing.senders;
  }

  /**
   * Begins to serve. The track is known, so that the filter has a meaning.
   * @param told The largest location that the peer was told before. Then nothing behind it is left out.
   */
  begin(told?: Location): void {
    const { track, context: { profile } } = this.#o;
    const { info } = track;
    const largest = told ?? track.largest;
    this.joining = largest !== undefined && largest.object >= 0 ? largest : undefined;
    if (!profile.trackProperties || info.properties === undefined) {
      this.#encoder.priority = 255 - info.priority;
    }
    this.#begun = true;
    this.#range = rangeOf(this.#wishes.filter, largest);
    if (told !== undefined && this.#range.start === undefined) {
      this.#range = { ...this.#range, start: { group: told.group, object: 0 } };
    }
    this.outgoing.ascending = this.#wishes.groupOrder !== "descending";
    this.outgoing.request = requestOf(this.#wishes, this.#range, track);
    track.add(this);
  }

  /** Whether nothing that the peer asks for can come any more. */
  get asksInVain(): boolean {
    const { largest } = this.track;
    return isPast(rangeOf(this.#wishes.filter, largest), largest);
  }

  onGroup(subgroup: Subgroup): void {
    if (this.#done || this.#ending !== undefined || !this.forwards) return;
    const { start, end } = this.#range;
    const { sequence, startFrame } = subgroup;
    const first = sequence === start?.group ? start.object : 0;
    const last = sequence === end?.group ? end.object ?? Infinity : Infinity;
    if (startFrame > last) return;
    if (first > startFrame) return this.#seek(subgroup, first, last);
    if (last === Infinity) return this.outgoing.send(subgroup);
    this.#send(subgroup, { position: 0, first: undefined, last });
  }

  onDatagram(
    group: number,
    timestamp: number,
    payload: Uint8Array,
    object?: DatagramObject,
  ): void {
    if (this.#done || this.#ending !== undefined || !this.forwards) return;
    if (!includes(this.#range, group, object?.object ?? 0)) return;
    const { context, track } = this.#o;
    const { alias, priority } = this.#encoder;
    sendDatagram(context, { alias, priority, group, timestamp, info: track.info }, payload, object);
  }

  onEnd(end: TrackEnd): void {
    if (end.kind === "ended") return this.#end(end.leaving ? "goingAway" : "trackEnded");
    this.#end("internal", end.reason);
  }

  /** The peer has changed its wishes. What is absent stays. */
  update(changes: Parameters): void {
    if (this.#done) return;
    const paused = !this.forwards;
    this.#wishes = { ...this.#wishes, ...changes };
    if (!this.#begun || this.#ending !== undefined) return;
    const { track } = this;
    const { largest } = track;
    if (changes.filter !== undefined) this.#narrow(rangeOf(changes.filter, largest));
    if (!this.forwards) this.#pause();
    else if (paused) this.#resume();
    this.outgoing.request = requestOf(this.#wishes, this.#range, track);
    track.change(this, this.request);
    if (isPast(this.#range, largest)) this.#end("subscriptionEnded");
  }

  /** The peer has left, or the session ends: nothing more goes out, and nothing is said. */
  cancel(why: StreamReason = "cancel"): void {
    if (this.#done) return;
    this.#done = true;
    this.#leave(why);
    this.#o.exchange.finish();
    this.#o.onDone();
  }

  /** Ends in order: no group begins any more, and those that have begun are sent to their end. */
  drain(): void {
    // It stays a reader until the last group is sent: groups that have begun still need their source.
    this.#end("goingAway");
  }

  /** Gives up what is on its way. */
  updateFailed(reason: string): void {
    this.#giveUp("updateFailed", reason);
  }

  #giveUp(word: DoneWord, reason: string): void {
    if (this.#done) return;
    this.#ending = { word, reason };
    for (const seeker of [...this.#seekers]) seeker.stop();
    this.outgoing.cut("cancel");
    this.#closeIfOver();
  }

  /** It is not done before what this returns is called. */
  hold(): () => void {
    this.#held++;
    return () => {
      this.#held--;
      this.#closeIfOver();
    };
  }

  cutStale(now: number): void {
    this.outgoing.cutStale(now);
    if (this.#ending !== undefined || !this.#begun || this.#range.end === undefined) return;
    if (!isReached(this.#range, this.track.largest)) return;
    const last = this.track.ring.get(this.#range.end!.group);
    if (this.#isIdle && last?.state !== "open") this.#end("subscriptionEnded");
  }

  get #isIdle(): boolean {
    return this.outgoing.empty && this.#seekers.size === 0 && this.#held === 0;
  }

  #send(subgroup: Subgroup, part: ObjectPart): void {
    this.outgoing.send(subgroup, part);
  }

  /** Sends a subgroup from an object on that may not have come yet. */
  #seek(subgroup: Subgroup, first: number, last: number): void {
    const { profile } = this.#o.context;
    const seeker = new Seeker(subgroup, first, profile, ({ id, idEnd }) => {
      if (id <= last) this.#send(subgroup, { position: idEnd, first: { id }, last });
    }, (one) => {
      this.#seekers.delete(one);
      this.#closeIfOver();
    });
    this.#seekers.add(seeker);
    seeker.start();
  }

  /** What lies before its start is fetched. Up to draft 16 a start may not go back; many peers say 0 and mean "as it is". */
  #narrow(range: Range): void {
    const before = this.#range.start;
    const { group, object } = before ?? { group: this.joining?.group ?? 0, object: 0 };
    const back = range.start !== undefined &&
      (range.start.group < group || (range.start.group === group && range.start.object < object));
    this.#range = back ? { ...range, start: before } : range;
  }

  #pause(): void {
    for (const seeker of [...this.#seekers]) seeker.stop();
    this.outgoing.cut("cancel");
  }

  /** Objects go out again, from the next one on. */
  #resume(): void {
    const largest = this.joining = this.track.largest;
    const next = rangeOf({ kind: "next-object" }, largest).start;
    if (next !== undefined && includes(this.#range, next.group, next.object)) {
      this.#range = { ...this.#range, start: next };
    }
  }

  #end(word: DoneWord, reason = ""): void {
    if (this.#done || this.#ending !== undefined) return;
    this.#ending = { word, reason };
    this.#closeIfOver();
  }

  #closeIfOver(): void {
    if (this.#done || this.#ending === undefined || !this.#isIdle) return;
    this.#done = true;
    this.#leave("cancel");
    const { word, reason } = this.#ending;
    const { exchange, context: { profile } } = this.#o;
    exchange.send("publishDone", {
      code: doneCode(profile, word),
      streams: this.outgoing.opened,
      reason,
    });
    exchange.finish();
    this.#o.onDone();
  }

  #leave(why: StreamReason): void {
    this.#unhear?.();
    this.track.remove(this);
    for (const seeker of [...this.#seekers]) seeker.stop();
    this.outgoing.cut(why);
    this.outgoing.close();
  }
}

/** What a subscriber's wishes are to the core. */
export function requestOf(wishes: Parameters, { start, end }: Range, track: Track): TrackRequest {
  return {
    priority: 255 - (wishes.priority ?? 128),
    // Without a timeout a group is sent as long as it is kept.
    maxLatencyMs: timeoutMs(wishes, track.info) ?? track.context.limits.maxAgeMs,
    startGroup: start?.group,
    startObject: start?.object,
    endGroup: end?.group,
    endObject: end?.object,
    forward: wishes.forward !== false,
  };
}

/**
 * What is asked of a source before it is known what the filter means: only a range says it by itself. For anything else the
 * newest group is enough: a larger latency would bring older ones (moq-lite-06).
 */
export function firstRequest(track: Track, wishes: Parameters = {}): TrackRequest {
  const { filter } = wishes;
  const range = filter?.kind === "range" ? { start: filter.start, end: filter.end } : EVERYTHING;
  const request = { ...requestOf(wishes, range, track), forward: true };
  return range.start === undefined ? { ...request, maxLatencyMs: 0 } : request;
}
