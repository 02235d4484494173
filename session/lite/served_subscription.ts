/**
 * One SUBSCRIBE of the peer, served from a track: its replies, and which groups go out.
 *
 * @module
 */
import type { Subgroup } from "../../relay/group/group.ts";
import type { TrackEnd, TrackReader, TrackRequest } from "../../relay/ports.ts";
import type { Track } from "../../relay/track.ts";
import type { BidiStream } from "../../transport/connection.ts";
import { datagramHeadSize, encodeDatagram, MAX_DATAGRAM_BYTES } from "../../wire/lite/datagram.ts";
import type { Dialect } from "../../wire/lite/dialect.ts";
import type { Subscribe } from "../../wire/lite/subscribe.ts";
import type { StreamReason } from "../reasons.ts";
import { Outgoing } from "../send/outgoing.ts";
import type { Served } from "../session.ts";
import type { LiteContext } from "./context.ts";
import { excerpt } from "./excerpt.ts";
import { LiteEncoder } from "./group_encoder.ts";
import { encodeEnd, encodeOk, encodeStart } from "./replies.ts";

/** Most groups without a beginning that are remembered until the first complete one has come. */
const MAX_HEADLESS = 64;

export interface ServedOptions {
  readonly context: LiteContext;
  readonly stream: BidiStream;
  readonly subscribe: Subscribe;
  readonly track: Track;
  /** The peer's; 0n is unknown. */
  readonly hop: bigint;
  /** Called once, when nothing of it is left. */
  readonly onDone: () => void;
}

export class ServedSubscription implements Served, TrackReader {
  readonly id: number;
  readonly outgoing: Outgoing;
  readonly #o: ServedOptions;
  readonly #dialect: Dialect;
  #bounds: Bounds;
  #agreed = false;
  #started = false;
  /** Groups that came before the first served one and have lost their beginning. */
  #headless: Set<number> | undefined;
  #next = 0;
  #end: TrackEnd | undefined;
  #done = false;

  constructor(options: ServedOptions) {
    const { context, subscribe, track } = options;
    const { connection, dialect, clock, stats, quota } = context;
    this.#o = options;
    this.#dialect = dialect;
    this.id = subscribe.id;
    this.#bounds = subscribe;
    this.outgoing = new Outgoing({
      ...{ connection, track, clock, stats, quota },
      encoder: new LiteEncoder(dialect, subscribe.id),
      request: requestOf(subscribe, dialect),
      saysLatency: dialect.maxLatency,
      onEmpty: () => this.#end !== undefined && this.#close(),
      onFailed: () => this.cancel("sessionClosed"),
    });
  }

  get track(): Track {
    return this.#o.track;
  }

  get hop(): bigint {
    return this.#o.hop;
  }

  /** Whether its track has ended, or is drained. */
  get ended(): boolean {
    return this.#end !== undefined;
  }

  get request(): TrackRequest {
    return this.outgoing.request;
  }

  /** Begins to serve what is there. */
  start(): void {
    this.track.add(this);
  }

  /** The track exists: sends SUBSCRIBE_OK, if the version has it. */
  onKnown(): void {
    if (this.#agreed || this.#done || this.#dialect.subscribeOk === undefined) return;
    this.#agreed = true;
    this.#answer(encodeOk(this.#dialect, this.#o.subscribe));
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
    if (this.#dialect.frameBounds) this.#sendBounded(group);
    else this.outgoing.send(group);
  }

  onDatagram(sequence: number, timestamp: number, payload: Uint8Array): void {
    if (!this.#dialect.timestamps) return;
    const { connection, quota, stats } = this.#o.context;
    const head = { subscribe: this.id, sequence, timestamp };
    const bytes = datagramHeadSize(head) + payload.length;
    if (bytes > Math.min(MAX_DATAGRAM_BYTES, connection.maxDatagramBytes)) return;
    if (!quota.maySend || !connection.sendDatagram(encodeDatagram(head, payload))) return;
    quota.sent(bytes);
    stats.datagramsOut++;
  }

  onEnd(end: TrackEnd): void {
    if (this.#done || this.#end !== undefined) return;
    this.#end = end;
    const refused = end.kind === "failed" && end.why !== "lost" && !this.#started;
    if (end.kind === "ended") this.onKnown();
    if (this.#dialect.replies === "start" && !refused) {
      const known = end.kind === "ended" ? end.nextGroup : undefined;
      this.#answer(encodeEnd(known ?? this.#next));
    }
    if (this.outgoing.empty) this.#close();
  }

  /** The peer has changed its request. Frame bounds count for groups that have not begun. */
  update(asked: Bounds & Asked): void {
    this.#bounds = asked;
    this.outgoing.request = requestOf(asked, this.#dialect);
    this.track.change(this, this.request);
  }

  /** The peer has left, or the session ends: nothing more goes out. */
  cancel(why: StreamReason = "cancel"): void {
    if (this.#done) return;
    this.track.remove(this);
    this.outgoing.cut(why);
    if (this.#end === undefined && this.#dialect.replies === "start") {
      this.#answer(encodeEnd(this.#next));
    }
    this.#close();
  }

  /** Ends in order: no group begins any more, and those that have begun are sent to their end. */
  drain(): void {
    // It stays a reader until the last group is sent: groups that have begun still need their source.
    this.onEnd({ kind: "ended", nextGroup: this.#next });
  }

  /** Sends a group within the frame bounds asked for. */
  #sendBounded(group: Subgroup): void {
    const { endGroup, endFrame } = this.#bounds;
    const first = this.#firstFrame(group);
    const last = group.sequence === endGroup ? endFrame : undefined;
    if (first === 0 && last === undefined) return this.outgoing.send(group);
    const { pool } = this.track.context;
    const part = excerpt(group, { startFrame: first, endFrame: last }, pool);
    this.outgoing.send(part);
    part.release(); // its sender holds it now
  }

  /** The frame that the peer wants a group to begin with. */
  #firstFrame({ sequence }: Subgroup): number {
    const { startGroup = 0, startFrame } = this.#bounds;
    return this.#dialect.frameBounds && sequence === startGroup ? startFrame : 0;
  }

  /** A group without its beginning is of no use: its frames build on the missing ones. */
  #skipHeadless({ sequence }: Subgroup): void {
    if (this.#started || this.#dialect.replies !== "start") return;
    const headless = this.#headless ??= new Set();
    if (headless.size < MAX_HEADLESS) headless.add(sequence);
  }

  /** Sends the number of the first group that will come. Skipped groups do not count. */
  #start(group: number): void {
    if (this.#dialect.replies !== "start") return;
    let first = group;
    while (this.#headless?.has(first)) first++;
    this.#headless = undefined;
    this.#answer(encodeStart(first));
  }

  #answer(bytes: Uint8Array): void {
    this.#o.stream.send.write(bytes);
  }

  #close(): void {
    if (this.#done) return;
    this.#done = true;
    this.track.remove(this);
    this.outgoing.close();
    const { send } = this.#o.stream;
    if (this.#end?.kind === "failed" && send.canReset) {
      send.reset(this.outgoing.encoder.codes[reasonOf(this.#end.why)]);
    } else send.finish();
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

/** Why a track is not served. */
function reasonOf(why: "not-found" | "unroutable" | "lost" | "refused"): StreamReason {
  if (why === "unroutable") return "unroutable";
  return why === "lost" ? "sessionClosed" : "notFound";
}
