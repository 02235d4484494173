/**
 * The half of a session that takes the peer's announcements. Each becomes a route of the origin, with this session as the
 * source of its tracks.
 *
 * @module
 */
import { sleep } from "../../base/sleep.ts";
import { NotFound, SourceLost } from "../../relay/errors.ts";
import type { Announced } from "../../relay/origin.ts";
import {
  DEFAULT_TRACK_INFO,
  type FetchRequest,
  type GroupSink,
  type TrackInfo,
  type TrackRequest as Request,
  type TrackSink,
  type UpstreamSubscription,
} from "../../relay/ports.ts";
import type { HopId } from "../../relay/route.ts";
import type { BidiStream, ReceiveStream } from "../../transport/connection.ts";
import { ConnectionClosed, StreamReset } from "../../transport/errors.ts";
import { ProtocolViolation } from "../../wire/errors.ts";
import { STREAM_CODE } from "../../wire/lite/codes.ts";
import { decodeDatagram } from "../../wire/lite/datagram.ts";
import { BIDI } from "../../wire/lite/dialect.ts";
import { TrackRequest } from "../../wire/lite/track.ts";
import { framed, type Message } from "../../wire/message.ts";
import { isPath, joinPath, stripPrefix, trackKey } from "../../wire/path.ts";
import { CONTROL_ORDER } from "../context.ts";
import type { LiteContext } from "./context.ts";
import type { SubscriberHalf } from "../running_session.ts";
import type { ProbeReport } from "../session.ts";
import { StreamReader } from "../stream_reader.ts";
import { AnnounceDecoder } from "./announce_codec.ts";
import { fetchStreams } from "./fetch/loading.ts";
import { Incoming } from "./incoming.ts";

/** How long to wait before an announce stream is opened again that the peer has reset. */
const REOPEN_MS = 1000;
/** How often that is tried without an announcement in between. */
const REOPEN_TIMES = 10;

/** Announcements of all sessions of a relay that are taken in without a pause. */
const SLICE = 128;
/** By what the sessions of a relay share: how many were taken since the last pause, and the pause. */
const slices = new WeakMap<object, { taken: number; pause: Promise<void> | undefined }>();

/** Messages that came in one piece are read without a wait: other tasks need their turn. */
function pauseOf(shared: object): Promise<void> | undefined {
  let slice = slices.get(shared);
  if (slice === undefined) slices.set(shared, slice = { taken: 0, pause: undefined });
  if (++slice.taken < SLICE) return undefined;
  const over = slice;
  return slice.pause ??= sleep(0).then(() => {
    over.taken = 0;
    over.pause = undefined;
  });
}

export class Subscriber implements SubscriberHalf {
  readonly label: string;
  readonly #context: LiteContext;
  readonly #incoming = new Map<number, Incoming>();
  readonly #announced = new Map<string, Announced>();
  readonly #requests = new Set<BidiStream>();
  /** Open subscriptions per track. While there is one, TRACK_INFO is not requested again. */
  readonly #fed = new Map<string, number>();
  readonly #infos = new Map<string, Promise<TrackInfo>>();
  #nextId = 0;
  #over = false;
  #leaving = false;

  constructor(context: LiteContext, label: string) {
    this.#context = context;
    this.label = label;
  }

  /** Broadcasts the peer announces now. */
  get announcements(): number {
    return this.#announced.size;
  }

  /** Subscriptions open at the peer now. */
  get subscriptions(): number {
    return this.#incoming.size;
  }

  /** Follows the peer's announcements into the origin, until the session ends. */
  async follow(): Promise<void> {
    for (let tries = 0; tries < REOPEN_TIMES && !this.#over; tries++) {
      const [heard, ended] = await this.#followOnce();
      if (ended || this.#over) return;
      if (heard) tries = 0;
      await sleep(REOPEN_MS, undefined, this.#context.clock);
    }
  }

  trackInfo(broadcast: string, track: string): Promise<TrackInfo> {
    if (this.#context.dialect.trackInfo === undefined) return Promise.resolve(DEFAULT_TRACK_INFO);
    const key = trackKey(broadcast, track);
    const known = this.#infos.get(key);
    if (known !== undefined) return known;
    const asked = this.#askTrackInfo(broadcast, track);
    this.#infos.set(key, asked);
    // Kept while the track has a subscription: its properties do not change.
    asked.then(() => this.#fed.has(key) || this.#infos.delete(key), () => this.#infos.delete(key));
    return asked;
  }

  async #askTrackInfo(broadcast: string, track: string): Promise<TrackInfo> {
    const { dialect } = this.#context;
    const path = this.#peerPath(broadcast);
    const body = TrackRequest.encode({ broadcast: path, track });
    const info = await this.#ask(
      framed(body, BIDI.track),
      (reader) => reader.message(dialect.trackInfo!),
      `track ${track} of ${broadcast}`,
    );
    return { priority: info.priority, maxAgeMs: info.maxAgeMs, timescale: info.timescale };
  }

  subscribe(
    broadcast: string,
    track: string,
    request: Request,
    sink: TrackSink,
  ): UpstreamSubscription {
    const id = this.#nextId++;
    const options = { id, broadcast: this.#peerPath(broadcast), track, sink };
    const key = trackKey(broadcast, track);
    this.#fed.set(key, (this.#fed.get(key) ?? 0) + 1);
    const incoming = new Incoming(this.#context, request, options, () => {
      this.#incoming.delete(id);
      const left = this.#fed.get(key)! - 1;
      if (left > 0) return void this.#fed.set(key, left);
      this.#fed.delete(key);
      this.#infos.delete(key);
    });
    // Registered before the request is sent: a group may come before the answer.
    this.#incoming.set(id, incoming);
    queueMicrotask(() => void incoming.run());
    return incoming;
  }

  async fetch(
    broadcast: string,
    track: string,
    request: FetchRequest,
    sink: GroupSink,
  ): Promise<void> {
    const what = `group ${request.group} of track ${track} of ${broadcast}`;
    const code = fetchStreams.get();
    const { askFetch } = "then" in code ? await code : code;
    const wish = { ...request, broadcast: this.#peerPath(broadcast), track };
    const asking = {
      context: this.#context,
      open: (asked: Uint8Array) => this.#openRequest(asked, what),
      done: (stream: BidiStream) => void this.#requests.delete(stream),
    };
    await askFetch(asking, wish, what, sink);
  }

  /**
   * PROBE: asks the peer once for bit rate and round trip.
   * @returns Bits per second and milliseconds, each 0 where the peer does not know; `undefined` where the version has no
   *   PROBE (01, 02).
   * @throws {NotFound} The peer refused. @throws {SourceLost} The session ended first.
   */
  async probe(): Promise<ProbeReport | undefined> {
    const { dialect } = this.#context;
    if (dialect.probe === undefined) return undefined;
    const message: Message<ProbeReport> = dialect.probe;
    const request = Uint8Array.of(BIDI.probe);
    return await this.#ask(request, async (reader) => {
      const report = await reader.message(message);
      reader.stream.stop(STREAM_CODE.cancel); // some peers go on reporting as long as the stream is open
      return report;
    }, "PROBE");
  }

  /** GROUP: a group stream the peer opened. */
  async group(stream: ReceiveStream, reader: StreamReader): Promise<void> {
    const head = await reader.message(this.#context.dialect.group);
    if (head === undefined) return;
    const incoming = this.#incoming.get(head.subscribe);
    // An unknown id is a subscription that we left a moment ago.
    if (incoming === undefined) return stream.stop(STREAM_CODE.cancel);
    await incoming.group(stream, reader, head.sequence, head.startFrame);
  }

  /** A datagram the peer sent; one for an unknown subscription is dropped. */
  datagram(bytes: Uint8Array): void {
    this.#context.quota.received(bytes.length);
    const { subscribe, sequence, timestamp, payload } = decodeDatagram(bytes);
    this.#incoming.get(subscribe)?.datagram(sequence, timestamp, payload);
  }

  /** The peer wants to leave: every other route is better from now on. */
  devalue(): void {
    this.#leaving = true;
    for (const announced of this.#announced.values()) announced.discourage();
  }

  /** The session is over. @param abrupt Whether the peer was lost without a close. */
  close(abrupt: boolean): void {
    this.#over = true;
    // Routes go first: a feed that loses its subscription then knows whether to wait for the publisher.
    this.#withdrawAll(abrupt);
    for (const incoming of [...this.#incoming.values()]) incoming.lost();
  }

  /** @returns Whether anything was announced, and whether the peer ended the stream in order. */
  async #followOnce(): Promise<[heard: boolean, ended: boolean]> {
    const { connection, dialect, hop, log, quota, unfinished } = this.#context;
    let heard = false;
    let stream: BidiStream | undefined;
    try {
      stream = await connection.openBidi({ sendOrder: CONTROL_ORDER });
      const request = { prefix: "", excludeHop: hop };
      stream.send.write(framed(dialect.announceRequest.encode(request), BIDI.announce));
      const decoder = new AnnounceDecoder(
        new StreamReader(stream.receive, "ANNOUNCE", unfinished),
        dialect,
        (kept) => quota.mayAnnounce(kept),
      );
      const peerHop = await decoder.begin();
      if (peerHop === undefined) return [heard, true];
      if (peerHop !== 0n && this.#context.peerHop === 0n) this.#context.peerHop = peerHop;
      // SETUP tells the cost of its routes.
      if (dialect.announce === "typed") await this.#context.peerKnown;
      for (;;) {
        const pause = pauseOf(this.#context.stats);
        if (pause !== undefined) await pause;
        const news = await decoder.next();
        if (news === undefined) {
          this.#withdrawAll(false);
          return [heard, true];
        }
        heard = true;
        const wait = quota.message();
        if (wait !== undefined) await wait;
        // The session may have ended by now: nobody would withdraw the route again.
        if (this.#over) return [heard, true];
        if (news.kind === "turned") continue;
        if (news.kind === "ended") this.#withdraw(news.suffix);
        else if (news.initial && this.#announced.has(news.suffix)) continue;
        else this.#place(news.suffix, this.#chain(news.hops, peerHop), news.warm, news.cold);
      }
    } catch (error) {
      const malformed = error instanceof ProtocolViolation;
      if (malformed) this.#context.failed(error);
      if (!malformed && !(error instanceof StreamReset)) return [heard, true];
      log.debug("announce stream was given up, opening it again");
      this.#withdrawAll(true);
      return [heard, false];
    } finally {
      stream?.send.finish();
      stream?.receive.stop(STREAM_CODE.cancel);
    }
  }

  /**
   * The full chain as the origin keeps it: publisher first, the peer last. A publisher without a hop id gets one for this
   * session, so that others notice when another publisher takes its place. The 0 after it stays.
   */
  #chain(hops: readonly HopId[], peerHop: HopId): readonly HopId[] {
    const { dialect, stamp } = this.#context;
    const chain = dialect.hopAppendedBy === "receiver" ? [...hops, peerHop] : hops;
    if (chain.length === 0) return [stamp, 0n];
    return chain[0] === 0n ? [stamp, ...chain] : chain;
  }

  #place(suffix: string, hops: readonly HopId[], warm: number, cold: number): void {
    const { consume, dialect, root, log } = this.#context;
    const link = dialect.announce === "typed" ? this.#context.linkCost : 0;
    const announcement = this.#leaving
      ? { hops, warm: Infinity, cold: Infinity }
      : { hops, warm: warm + link, cold: cold + link };
    const known = this.#announced.get(suffix);
    if (known !== undefined) return known.update(announcement);
    const path = joinPath(root, suffix);
    if (!this.#context.quota.mayAnnounce(this.#announced.size)) {
      return log.debug("announcement refused: too many", { path });
    }
    if (!isPath(path)) return log.debug("announcement refused: its path is too long", { root });
    const placed = consume?.announce(path, this, announcement);
    if (placed === undefined) return;
    this.#announced.set(suffix, placed);
    log.debug("announced", { broadcast: path, hops: hops.length });
  }

  #withdraw(suffix: string): void {
    const known = this.#announced.get(suffix);
    if (known === undefined) return;
    this.#announced.delete(suffix);
    known.end();
    this.#context.log.debug("unannounced", { broadcast: known.path });
  }

  #withdrawAll(abrupt: boolean): void {
    const all = [...this.#announced.values()];
    this.#announced.clear();
    for (const announced of all) announced.end(abrupt);
  }

  async #openRequest(request: Uint8Array, what: string): Promise<BidiStream> {
    try {
      const stream = await this.#context.connection.openBidi({ sendOrder: CONTROL_ORDER });
      this.#requests.add(stream);
      stream.send.write(request);
      return stream;
    } catch (error) {
      if (error instanceof ConnectionClosed) throw new SourceLost(what, { cause: error });
      throw error;
    }
  }

  /** A broadcast's path as the peer knows it. */
  #peerPath(broadcast: string): string {
    return stripPrefix(broadcast, this.#context.root) ?? broadcast;
  }

  /** Sends one request and reads its answer. Our half of the stream stays open until then. */
  async #ask<T>(
    request: Uint8Array,
    read: (reader: StreamReader) => Promise<T | undefined>,
    what: string,
  ): Promise<T> {
    const stream = await this.#openRequest(request, what);
    try {
      const reader = new StreamReader(stream.receive, what, this.#context.unfinished);
      const answer = await read(reader);
      if (answer === undefined) throw new NotFound(what);
      void reader.drain(); // to its FIN
      return answer;
    } catch (error) {
      if (error instanceof ProtocolViolation) {
        stream.receive.stop(STREAM_CODE.cancel);
        this.#context.failed(error);
      }
      if (error instanceof StreamReset) throw new NotFound(what);
      if (error instanceof ConnectionClosed) throw new SourceLost(what, { cause: error });
      throw error;
    } finally {
      this.#requests.delete(stream);
      stream.send.finish();
    }
  }
}
