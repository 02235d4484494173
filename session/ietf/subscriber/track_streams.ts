/**
 * The streams and datagrams that come for one track of the peer, whether we have subscribed to it or the peer has offered it.
 *
 * @module
 */
import { GroupTooLarge } from "../../../relay/errors.ts";
import type { GroupWriter } from "../../../relay/group/group_writer.ts";
import {
  type TrackEnd,
  type TrackInfo,
  type TrackSink,
  UNTOLD_TRACK_INFO,
} from "../../../relay/ports.ts";
import type { ReceiveStream } from "../../../transport/connection.ts";
import { ConnectionClosed, StreamReset } from "../../../transport/errors.ts";
import type { ObjectDatagram } from "../../../wire/ietf/data/datagram.ts";
import { ObjectHeads, STATUS } from "../../../wire/ietf/data/object_head.ts";
import type { SubgroupHeader } from "../../../wire/ietf/data/stream_head.ts";
import { datagramTime } from "../../convert/datagrams.ts";
import type { HeadWriter } from "../../convert/head_writer.ts";
import type { Profile } from "../../../wire/ietf/profile.ts";
import type { StreamReader } from "../../stream_reader.ts";
import { type IetfContext, layoutOf } from "../context.ts";
import { GONE } from "./ends.ts";
import type { HeadFill } from "./head_fill.ts";
import { ObjectParser, type OpenSubgroup } from "./object_parser.ts";

/** How long a stream is awaited that the publisher has counted, once no other is open. */
const OWED_MS = 1000;
/** How long datagrams are awaited that were sent before the end. They may come after it. */
const DATAGRAM_MS = 100;
/** How long open streams may go on after the publisher has ended the track. */
const DRAIN_MS = 10_000;

/** Takes what comes: a feed, or a track that its publisher writes. */
export type ObjectSink = Pick<TrackSink, "openGroup" | "interrupt" | "datagram" | "ended">;

/** A stream that is read. */
interface Receiving {
  readonly stream: ReceiveStream;
  parser: ObjectParser | undefined;
}

export class TrackStreams {
  /** What is known of the track. */
  info: TrackInfo = UNTOLD_TRACK_INFO;
  /** Completes the group that ran when the subscription began, if there was one. */
  fill: HeadFill | undefined;
  readonly #context: IetfContext;
  readonly #sink: ObjectSink;
  readonly #onOver: () => void;
  readonly #receiving = new Set<Receiving>();
  /** Streams that have come, and the highest group of them. */
  #count = 0;
  #highest = -1;
  #hadDatagrams = false;
  #over = false;
  #ending: TrackEnd | undefined;
  /** Streams that the publisher has opened, if it has said it. */
  #owed: number | undefined;
  #cancelWait: (() => void) | undefined;
  #cancelDrain: (() => void) | undefined;

  /** @param name Of the track, for logs. @param onOver Called once, before the sink is told. */
  constructor(
    context: IetfContext,
    readonly name: string,
    sink: ObjectSink,
    onOver: () => void,
  ) {
    this.#context = context;
    this.#sink = sink;
    this.#onOver = onOver;
  }

  get over(): boolean {
    return this.#over;
  }

  /** A subgroup's stream: its objects go into the track as they come. @throws {ProtocolViolation} */
  async subgroup(
    stream: ReceiveStream,
    reader: StreamReader,
    header: SubgroupHeader,
  ): Promise<void> {
    const { quota, codes, unfinished } = this.#context;
    if (this.#over) return stream.stop(codes.stream.cancel);
    let held = 0;
    this.#cancelWait?.();
    this.#count++;
    this.#highest = Math.max(this.#highest, header.group);
    const entry: Receiving = { stream, parser: undefined };
    this.#receiving.add(entry);
    try {
      const before = this.fill && await this.#before(this.fill, reader, header);
      if (this.#over) return;
      const parser = entry.parser = this.#parser(header, before);
      for (;;) {
        const chunk = await reader.chunk();
        if (chunk === undefined) break;
        quota.received(chunk.length);
        if (this.#over) return;
        parser.push(chunk);
        const more = parser.heldBytes - held;
        if (more > 0) unfinished.hold(more, "object");
        else unfinished.release(-more);
        held += more;
        if (parser.refused) return stream.stop(codes.stream.cancel);
        if (parser.writer?.open === false) return stream.stop(codes.stream.evicted);
      }
      // A sender that cannot reset ends an aborted stream inside an object.
      if (parser.atBoundary) parser.writer?.finish();
      else parser.writer?.cut();
      if (parser.endOfTrack) this.#endOfTrack(header.group);
    } catch (error) {
      this.#broken(error, stream, entry.parser?.writer);
    } finally {
      unfinished.release(held);
      this.#receiving.delete(entry);
      this.#check();
    }
  }

  #parser(header: SubgroupHeader, before: HeadWriter | undefined): ObjectParser {
    const open: OpenSubgroup = (start, head) => this.#sink.openGroup(header.group, start, head);
    return new ObjectParser(this.#context.profile, header, open, before);
  }

  /** Waits for the beginning of the group that ran when the subscription began. @throws {ProtocolViolation} */
  async #before(
    fill: HeadFill,
    reader: StreamReader,
    header: SubgroupHeader,
  ): Promise<HeadWriter | undefined> {
    if (header.group > fill.largest.group) this.#closeFill((writer) => writer.finish());
    if (header.group !== fill.largest.group) return undefined;
    const first = await firstId(reader, this.#context.profile, header);
    if (first === undefined || this.#over) return undefined;
    // Up to 17 nobody says whether a stream begins with the first object of its subgroup.
    if (first > 0 && header.firstObject !== true) {
      return await fill.before(header.subgroup ?? first);
    }
    if (first === 0) this.#closeFill((writer) => writer.finish());
    return undefined;
  }

  #closeFill(leave: (writer: GroupWriter) => void): void {
    if (this.fill?.close(leave)) this.fill = undefined;
  }

  /** A paused track goes on in the middle of a group, whose head comes by this. */
  resume(fill: HeadFill): void {
    if (this.#over) return;
    this.#closeFill((writer) => writer.finish());
    this.fill = fill;
    fill.start();
  }

  /** A datagram: one object. Its bytes are valid only during the call. */
  datagram(datagram: ObjectDatagram): void {
    if (this.#over) return;
    const { group, object, priority, properties, status, endOfGroup, payload } = datagram;
    const { clock, profile } = this.#context;
    this.#hadDatagrams = true;
    this.#highest = Math.max(this.#highest, group);
    const layout = layoutOf(profile);
    const timestamp = datagramTime({ properties, layout }, this.info, clock);
    this.#sink.datagram(group, timestamp, payload, {
      object,
      properties,
      layout,
      priority: priority === undefined ? undefined : 255 - priority,
      status,
      endOfGroup,
    });
    if (status === STATUS.endOfTrack) this.#endOfTrack(group);
  }

  /**
   * The publisher has ended the track. What it has sent before may still come.
   * @param streams How many streams it has opened; absent when it has not counted them.
   */
  done(end: TrackEnd, streams: number | undefined): void {
    if (this.#over) return;
    this.#ending = end;
    this.#owed = streams;
    this.#cancelDrain ??= this.#context.clock.after(DRAIN_MS, () => this.#finish());
    this.#check();
  }

  /** Nothing more comes. Streams that are open are given up; another source may continue them if this one was lost. */
  end(end: TrackEnd): void {
    if (this.#over) return;
    if (end.kind === "ended") this.#closeFill((writer) => writer.finish());
    const lost = end.kind === "failed" && end.why === "lost";
    this.#leave((writer) => lost ? this.#sink.interrupt(writer) : writer.cut());
    // A relay that drains ends all its subscriptions: the track may go on elsewhere.
    const leaving = end.kind === "ended" && this.#context.peerLeaving;
    this.#sink.ended(leaving ? { ...end, leaving } : end);
  }

  /** The same track comes by another subscription from now on, which counts its streams anew. */
  again(): void {
    this.#count = 0;
  }

  /**
   * Its name or its alias is wanted for another track.
   * @returns Whether it has made room: its publisher has ended it, and only what is on its way was waited for.
   */
  yield(): boolean {
    if (this.#ending === undefined) return this.#over;
    if (!this.#over) this.#finish();
    return true;
  }

  /** The session is gone. If the publisher had ended the track before, it has ended so. */
  lost(): void {
    if (this.#over) return;
    if (this.#ending === undefined) this.end(GONE);
    else this.#finish();
  }

  /** Nobody wants the track any more. The sink is not told. */
  close(): void {
    if (!this.#over) this.#leave((writer) => writer.cut());
  }

  #leave(leave: (writer: GroupWriter) => void): void {
    this.#over = true;
    this.#cancelWait?.();
    this.#cancelDrain?.();
    this.#onOver();
    for (const { stream, parser } of this.#receiving) {
      stream.stop(this.#context.codes.stream.cancel);
      if (parser?.writer !== undefined) leave(parser.writer);
    }
    this.fill?.drop(leave);
  }

  /** An object has said that the track ends with it. PUBLISH_DONE may follow, and says how many streams there are. */
  #endOfTrack(group: number): void {
    if (this.#ending === undefined) this.done({ kind: "ended", nextGroup: group + 1 }, undefined);
  }

  /** Ends the track once all that the publisher has sent is here, or does not come. */
  #check(): void {
    this.#cancelWait?.();
    if (this.#over || this.#ending === undefined || this.#receiving.size > 0) return;
    const complete = this.#owed !== undefined && this.#count >= this.#owed;
    if (complete && !this.#hadDatagrams && this.#count > 0) return this.#finish();
    this.#cancelWait = this.#context.clock.after(
      complete ? DATAGRAM_MS : OWED_MS,
      () => this.#finish(),
    );
  }

  /** All that was sent before the end has come, or was waited for. */
  #finish(): void {
    const end = this.#ending!;
    const next = this.#highest + 1;
    const known = end.kind === "ended" && end.nextGroup === undefined && next > 0;
    this.end(known ? { ...end, nextGroup: next } : end);
  }

  /** @throws {ProtocolViolation} */
  #broken(error: unknown, stream: ReceiveStream, writer: GroupWriter | undefined): void {
    if (writer !== undefined) {
      if (error instanceof ConnectionClosed) this.#sink.interrupt(writer);
      else writer.cut();
    }
    if (error instanceof StreamReset || error instanceof ConnectionClosed) return;
    if (!(error instanceof GroupTooLarge)) throw error;
    this.#context.tooLarge(error, stream, this.name);
  }
}

/** The id of a stream's first object, which stays to be read; absent when it has none. @throws {ProtocolViolation} */
async function firstId(
  reader: StreamReader,
  profile: Profile,
  { properties }: SubgroupHeader,
): Promise<number | undefined> {
  const found = await reader.parsed((bytes) => {
    const heads = new ObjectHeads(profile, properties);
    return heads.next(bytes, 0, bytes.length) < 0 ? undefined : { length: 0, id: heads.id };
  });
  reader.whole();
  return found?.id;
}
