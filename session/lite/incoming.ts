/**
 * One of our subscriptions at the peer: the request, its replies and its group streams.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import { GroupTooLarge } from "../../relay/errors.ts";
import type { GroupWriter } from "../../relay/group/group_writer.ts";
import type { TrackEnd, TrackRequest, TrackSink, UpstreamSubscription } from "../../relay/ports.ts";
import type { BidiStream, ReceiveStream } from "../../transport/connection.ts";
import { ConnectionClosed, StreamReset } from "../../transport/errors.ts";
import { ProtocolViolation } from "../../wire/errors.ts";
import { STREAM_CODE } from "../../wire/lite/codes.ts";
import { BIDI, type Dialect } from "../../wire/lite/dialect.ts";
import { framed } from "../../wire/message.ts";
import { CONTROL_ORDER } from "../context.ts";
import type { LiteContext } from "./context.ts";
import { StreamReader } from "../stream_reader.ts";
import { FrameParser } from "./frame_parser.ts";
import { readReply } from "./replies.ts";

/** How long the first groups wait for SUBSCRIBE_START (05+). It was sent before them. */
const START_MS = 100;
/** The same if the groups from one on were asked for: on a busy machine or link the reply may come well behind the newest of them. */
const ASKED_START_MS = 2000;
/** How long missing groups are awaited after the publisher has ended the track. */
const OWED_MS = 1000;
/** The same once the last group is here: the missing ones were lost on the way, or never existed. */
const GAP_MS = 300;
/** Most runs of dropped groups that are remembered. */
const MAX_DROPS = 64;

export interface IncomingOptions {
  readonly id: number;
  /** As the peer knows it: below the connection's root. */
  readonly broadcast: string;
  readonly track: string;
  readonly sink: TrackSink;
}

export class Incoming implements UpstreamSubscription {
  readonly #context: LiteContext;
  readonly #o: IncomingOptions;
  readonly #onClosed: () => void;
  #stream: BidiStream | undefined;
  #request: TrackRequest;
  #asked: TrackRequest;
  /** Whether the peer has answered, and whether it has sent a group or the number of the first. */
  #answered = false;
  #begun = false;
  #endGroup: number | undefined;
  /** The first group that comes, as far as is known, and how many have come. */
  #first: number | undefined;
  #received = 0;
  /** The highest group that has come. */
  #highest = -1;
  /** Groups that will not come: runs that do not overlap, both ends inclusive, rising. */
  readonly #dropped: { readonly from: number; readonly to: number }[] = [];
  #openGroups = 0;
  #closed = false;
  #ending: TrackEnd | undefined;
  /** Whether groups may pass, and what tells those that wait. */
  #passing: boolean;
  readonly #passed = Promise.withResolvers<void>();
  #cancelPass: (() => void) | undefined;
  #cancelWait: (() => void) | undefined;
  readonly #receiving = new Set<{ stream: ReceiveStream; writer: GroupWriter }>();

  constructor(
    context: LiteContext,
    request: TrackRequest,
    options: IncomingOptions,
    onClosed: () => void,
  ) {
    this.#context = context;
    this.#o = options;
    this.#request = this.#asked = request;
    this.#onClosed = onClosed;
    this.#passing = context.dialect.replies !== "start";
  }

  /** Sends the request and reads replies until the subscription is over. Never throws. */
  async run(): Promise<void> {
    try {
      await this.#run();
    } catch (error) {
      const lost = error instanceof ConnectionClosed;
      if (error instanceof ProtocolViolation) this.#context.failed(error);
      // An OK of the old versions comes at once and promises nothing.
      const why = lost || this.#begun ? "lost" : "not-found";
      this.#end({ kind: "failed", why, reason: wordsFor(error) });
    }
  }

  update(request: TrackRequest): void {
    this.#request = request;
    if (this.#stream !== undefined) this.#sendUpdate();
  }

  close(): void {
    if (this.#closed) return;
    this.#leave();
    this.#giveUp((writer) => writer.cut());
  }

  /** A group stream of this subscription: its frames go into the track as they come. */
  async group(
    stream: ReceiveStream,
    reader: StreamReader,
    sequence: number,
    startFrame: number,
  ): Promise<void> {
    this.#count(sequence);
    if (!this.#passing) {
      if (sequence <= (this.#asked.startGroup ?? 0)) this.#pass(); // there is none before it
      else await this.#awaitStart();
    }
    const writer = this.#closed ? undefined : this.#o.sink.openGroup(sequence, startFrame);
    if (writer === undefined) {
      stream.stop(STREAM_CODE.cancel);
      return this.#checkOwed();
    }
    this.#answered = this.#begun = true;
    this.#openGroups++;
    const entry = { stream, writer };
    this.#receiving.add(entry);
    const { dialect, clock, quota } = this.#context;
    const parser = new FrameParser(writer, dialect.timestamps, () => clock.wallMs());
    try {
      for (;;) {
        const chunk = await reader.chunk();
        if (chunk === undefined) break;
        quota.received(chunk.length);
        if (this.#closed) return;
        parser.push(chunk);
        if (!writer.open) return stream.stop(STREAM_CODE.evicted); // newer groups have replaced it
      }
      // A sender that cannot reset ends an aborted stream inside a message.
      if (parser.atBoundary) writer.finish();
      else writer.cut();
    } catch (error) {
      if (isLoss(error)) this.#o.sink.interrupt(writer);
      else writer.cut();
      if (error instanceof GroupTooLarge) this.#context.tooLarge(error, stream, this.#o.track);
      else if (error instanceof ProtocolViolation) throw error;
    } finally {
      this.#receiving.delete(entry);
      this.#openGroups--;
      this.#checkOwed();
    }
  }

  /** The session is gone. Another route may continue the groups that have begun. */
  lost(): void {
    this.#end({ kind: "failed", why: "lost", reason: "the session with the publisher ended" });
  }

  /** A datagram of this subscription. */
  datagram(sequence: number, timestamp: number, payload: Uint8Array): void {
    if (!this.#closed && this.#o.sink.datagram(sequence, timestamp, payload)) {
      this.#count(sequence);
      this.#checkOwed();
    }
  }

  async #run(): Promise<void> {
    const { connection, dialect } = this.#context;
    const stream = await connection.openBidi({ sendOrder: CONTROL_ORDER });
    if (this.#closed) {
      stream.send.reset(STREAM_CODE.cancel);
      return stream.receive.stop(STREAM_CODE.cancel);
    }
    this.#stream = stream;
    this.#asked = this.#request;
    stream.send.write(framed(
      dialect.subscribe.encode({
        id: this.#o.id,
        broadcast: this.#o.broadcast,
        track: this.#o.track,
        ordered: undefined,
        startFrame: 0,
        endFrame: undefined,
        ...wireRequest(this.#request, dialect),
      }),
      BIDI.subscribe,
    ));
    const reader = new StreamReader(stream.receive, "SUBSCRIBE reply", this.#context.unfinished);
    let started = false;
    for (;;) {
      const reply = await readReply(reader, dialect);
      if (this.#closed) return;
      if (reply === undefined) break;
      if (!this.#answered) this.#o.sink.accepted();
      this.#answered = true;
      if (reply.kind === "start") {
        this.#o.sink.started(reply.group);
        if (started || this.#endGroup !== undefined) throw outOfTurn("SUBSCRIBE_START");
        started = this.#begun = true;
        this.#first = reply.group;
        this.#pass();
      } else if (reply.kind === "end") {
        if (this.#endGroup !== undefined) throw outOfTurn("SUBSCRIBE_END");
        this.#endGroup = reply.group;
        this.#checkOwed();
      } else if (reply.kind === "drop") this.#drop(reply.startGroup, reply.endGroup);
    }
    this.#finished();
  }

  /** The publisher has finished the stream. */
  #finished(): void {
    const { dialect } = this.#context;
    if (!this.#answered && !this.#begun) {
      return this.#end({ kind: "failed", why: "not-found", reason: "the publisher refused" });
    }
    if (this.#endGroup !== undefined) {
      this.#ending = { kind: "ended", nextGroup: this.#endGroup };
    } else if (dialect.replies === "start") {
      const reason = "the publisher ended the subscription without saying that the track is over";
      this.#ending = { kind: "failed", why: "lost", reason };
    } else this.#ending = { kind: "ended" };
    this.#waitFor(Math.max(OWED_MS, this.#request.maxLatencyMs));
    this.#checkOwed();
  }

  /**
   * Groups may come in any order, and before the reply that names the first one. A later group that passed now would count as
   * the first, and those before it would be refused.
   */
  async #awaitStart(): Promise<void> {
    this.#begun = true;
    this.#openGroups++;
    const { clock } = this.#context;
    const ms = this.#asked.startGroup === undefined ? START_MS : ASKED_START_MS;
    this.#cancelPass ??= clock.after(ms, () => this.#pass()); // a peer may never say it
    await this.#passed.promise;
    this.#openGroups--;
  }

  #pass(): void {
    this.#passing = true;
    this.#cancelPass?.();
    this.#passed.resolve();
  }

  #waitFor(ms: number): void {
    this.#cancelWait?.();
    this.#cancelWait = this.#context.clock.after(ms, () => this.#end(this.#ending!));
  }

  /** Ends the subscription once every group is here or will not come, if their number is known. */
  #checkOwed(): void {
    if (this.#openGroups > 0 || this.#closed) return;
    if (this.#ending?.kind === "failed") return this.#end(this.#ending);
    const end = this.#endGroup;
    // Before the FIN an unknown first group may still come.
    if (end === undefined || (this.#first === undefined && this.#ending === undefined)) return;
    const owed = end - (this.#first ?? end);
    if (this.#received + this.#droppedBelow(end) >= owed) {
      return this.#end({ kind: "ended", nextGroup: end });
    }
    if (this.#ending !== undefined && this.#highest >= end - 1) this.#waitFor(GAP_MS);
  }

  /** SUBSCRIBE_DROP: these groups will not come. */
  #drop(from: number, to: number): void {
    const last = this.#dropped.at(-1)?.to ?? -1;
    if (to < from || from <= last || this.#dropped.length === MAX_DROPS) return;
    this.#dropped.push({ from, to });
    this.#checkOwed();
  }

  #droppedBelow(end: number): number {
    const first = this.#first ?? end;
    let count = 0;
    for (const { from, to } of this.#dropped) {
      count += Math.max(0, Math.min(to, end - 1) - Math.max(from, first) + 1);
    }
    return count;
  }

  #count(sequence: number): void {
    this.#received++;
    this.#highest = Math.max(this.#highest, sequence);
    this.#first = Math.min(this.#first ?? sequence, sequence);
  }

  #end(end: TrackEnd): void {
    if (this.#closed) return;
    this.#leave();
    const lost = end.kind === "failed" && end.why === "lost";
    this.#giveUp((writer) => lost ? this.#o.sink.interrupt(writer) : writer.cut());
    // A relay that drains ends all its subscriptions: the track may go on elsewhere.
    const leaving = end.kind === "ended" && this.#context.peerLeaving;
    this.#o.sink.ended(leaving ? { ...end, leaving } : end);
  }

  /** Stops reading the groups that are still coming. */
  #giveUp(leave: (writer: GroupWriter) => void): void {
    for (const { stream, writer } of this.#receiving) {
      stream.stop(STREAM_CODE.cancel);
      leave(writer);
    }
  }

  /** Some peers wait for our FIN, others only watch for STOP_SENDING. */
  #leave(): void {
    this.#closed = true;
    this.#cancelWait?.();
    this.#pass();
    this.#stream?.send.finish();
    this.#stream?.receive.stop(STREAM_CODE.cancel);
    this.#onClosed();
  }

  #sendUpdate(): void {
    const { subscribeUpdate } = this.#context.dialect;
    const old = this.#asked;
    const now = { ...this.#request, startGroup: this.#lowestStart() };
    const same = old.priority === now.priority && old.maxLatencyMs === now.maxLatencyMs &&
      old.startGroup === now.startGroup && old.endGroup === now.endGroup;
    if (subscribeUpdate === undefined || same || this.#stream!.send.done) return;
    this.#asked = now;
    this.#stream!.send.write(framed(subscribeUpdate.encode({
      ordered: undefined,
      startFrame: 0,
      endFrame: undefined,
      ...wireRequest(now, this.#context.dialect),
    })));
  }

  /** The start is only ever lowered: a reader that comes later may want groups before the first one. */
  #lowestStart(): number | undefined {
    const { startGroup } = this.#request;
    const asked = this.#asked.startGroup;
    if (startGroup === undefined) return asked;
    return startGroup < (asked ?? this.#first ?? Infinity) ? startGroup : asked;
  }
}

/** Whether a group broke off because its source was lost, here or farther up. Another route may have the rest. */
function isLoss(error: unknown): boolean {
  return error instanceof ConnectionClosed ||
    (error instanceof StreamReset && error.peerCode === STREAM_CODE.sessionClosed);
}

/** Why a subscription failed. The publisher's code is a hint. */
function wordsFor(error: unknown): string {
  if (!(error instanceof StreamReset)) return reasonOf(error);
  if (error.peerCode === STREAM_CODE.notFound) return "the publisher has no such track";
  if (error.peerCode === STREAM_CODE.sessionClosed) return "the publisher has gone";
  return `the publisher gave it up with code ${error.peerCode}`;
}

/** A latency so high that the floor alone decides where to start (06). */
const EXACT_START_MS = 30_000;

/** A request in the peer's terms: its start is a floor and an age (06), or a group. */
function wireRequest(request: TrackRequest, dialect: Dialect) {
  const { priority, maxLatencyMs, startGroup, endGroup, startIsFloor = false } = request;
  if (startGroup === undefined || startIsFloor === dialect.startIsFloor) {
    return { priority, maxLatencyMs, startGroup, endGroup };
  }
  if (dialect.startIsFloor) {
    return { priority, maxLatencyMs: Math.max(maxLatencyMs, EXACT_START_MS), startGroup, endGroup };
  }
  return {
    priority,
    maxLatencyMs,
    startGroup: maxLatencyMs > 0 ? startGroup : undefined,
    endGroup,
  };
}

function outOfTurn(name: string): ProtocolViolation {
  return new ProtocolViolation(name, "it came twice, or behind the end");
}
