/**
 * The half of a session that serves the peer: ANNOUNCE_REQUEST, SUBSCRIBE, TRACK, FETCH and PROBE, each on a stream of its
 * own.
 *
 * @module
 */
import { concat } from "../../base/bytes.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Broadcast } from "../../relay/broadcast.ts";
import { NotFound } from "../../relay/errors.ts";
import type { AnnounceEvent, PacedWatch } from "../../relay/origin.ts";
import type { BroadcastSource } from "../../relay/ports.ts";
import type { BidiStream } from "../../transport/connection.ts";
import { ProtocolViolation } from "../../wire/errors.ts";
import { STREAM_CODE } from "../../wire/lite/codes.ts";
import { framed } from "../../wire/message.ts";
import { joinPath } from "../../wire/path.ts";
import { TrackRequest } from "../../wire/lite/track.ts";
import type { LiteContext } from "./context.ts";
import type { PublisherHalf } from "../running_session.ts";
import { Places } from "../send/send_order.ts";
import type { ServedFetch } from "../send/served_fetch.ts";
import { Untaken } from "../send/untaken.ts";
import type { StreamReader } from "../stream_reader.ts";
import type { Sent } from "../sweep.ts";
import { AnnounceEncoder } from "./announce_codec.ts";
import { fetchStreams } from "./fetch/loading.ts";
import { HALF_A_VARINT } from "./group_encoder.ts";
import { ServedSubscription } from "./served_subscription.ts";

/** Most announce streams of one session for one prefix. Players open one for each element of a page. */
const MAX_WATCHES_PER_PREFIX = 4;

/** How long a request waits for a track of a broadcast whose publisher offers its tracks one by one. */
const TRACK_WAIT_MS = 2000;

export class Publisher implements PublisherHalf {
  readonly #context: LiteContext;
  readonly #subscriptions = new Map<number, ServedSubscription>();
  readonly #places = new Places();
  readonly #announcing = new Set<() => void>();
  readonly #watches = new Set<PacedWatch>();
  readonly #fetches = new Set<ServedFetch>();
  readonly sent: Sent = { groups: new Set(), answers: new Map() };
  /** Running announce streams by prefix. */
  readonly #prefixes = new Map<string, number>();
  #excludeHop = 0n;

  /** @param self The peer as a source: its own announcements are not sent back to it. */
  constructor(context: LiteContext, readonly self: BroadcastSource | undefined) {
    this.#context = context;
  }

  /** Subscriptions served now. */
  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  /**
   * ANNOUNCE_REQUEST: announces what there is below a prefix, until the peer ends the stream. The first announcements count
   * as messages of the session and wait for its message rate.
   */
  async announce(stream: BidiStream, reader: StreamReader): Promise<void> {
    const { dialect, quota, log } = this.#context;
    const request = await reader.message(dialect.announceRequest);
    if (request === undefined) return stream.send.finish();
    if (dialect.excludesHop && request.excludeHop !== 0n) this.#excludeHop = request.excludeHop;
    const { prefix } = request;
    const running = this.#prefixes.get(prefix) ?? 0;
    if (running >= MAX_WATCHES_PER_PREFIX) {
      quota.hits.announceStreams++;
      log.debug("announce request refused: too many for one prefix", { prefix });
      return refuse(stream, STREAM_CODE.tooMany);
    }
    this.#prefixes.set(prefix, running + 1);
    const ended = reader.drain();
    try {
      // The peer's hop id decides which routes it must not hear of.
      if (dialect.setup === "uni" && !dialect.excludesHop) await this.#context.peerKnown;
      for (let wait = quota.settled(); wait !== undefined; wait = quota.settled()) await wait;
      this.#tell(stream, prefix, ended);
      await ended;
    } finally {
      const left = this.#prefixes.get(prefix)! - 1;
      if (left === 0) this.#prefixes.delete(prefix);
      else this.#prefixes.set(prefix, left);
    }
  }

  #tell(stream: BidiStream, wanted: string, ended: Promise<void>): void {
    const { dialect, serve, root, hop, quota } = this.#context;
    const encoder = new AnnounceEncoder(dialect, hop);
    const first: AnnounceEvent[] = [];
    let begun = false;
    const untaken = new Untaken(stream.send);
    const write = (bytes: Uint8Array) => {
      untaken.add(bytes.length);
      stream.send.write(bytes);
    };
    const tell = (event: AnnounceEvent) => {
      if (!begun) return void first.push(event);
      const bytes = encoder.encode(event);
      if (bytes !== undefined) write(bytes);
    };
    const watch = serve?.watch({
      prefix: joinPath(root, wanted),
      excludeHop: this.#peerHop,
      merged: true,
      priced: dialect.announce === "typed",
      // A peer that does not read gets fewer messages: changes of one path are merged.
      ready: () => untaken.ready(() => watch?.catchUp()),
      ...(this.self === undefined ? {} : { except: this.self }),
    }, tell);
    if (watch !== undefined) this.#watches.add(watch);
    begun = true;
    quota.told(first.length);
    const bytes = concat(encoder.begin(first));
    if (bytes.length > 0) write(bytes);
    const stop = () => {
      watch?.close();
      if (watch !== undefined) this.#watches.delete(watch);
      stream.send.finish();
    };
    this.#announcing.add(stop);
    this.sent.answers.set(stream.send, -1);
    void ended.then(() => {
      this.#announcing.delete(stop);
      this.sent.answers.delete(stream.send);
      stop();
    });
  }

  /** SUBSCRIBE: serves a track until one side ends it. */
  async subscribe(stream: BidiStream, reader: StreamReader): Promise<void> {
    const { dialect, log } = this.#context;
    const asked = await reader.message(dialect.subscribe);
    if (asked === undefined) return stream.send.finish();
    const path = joinPath(this.#context.root, asked.broadcast);
    const found = this.#find(path, asked.track);
    const broadcast = found instanceof Promise ? await found : found;
    if (this.#subscriptions.has(asked.id)) {
      throw new ProtocolViolation("SUBSCRIBE", `id ${asked.id} is in use`);
    }
    if (!this.#context.quota.maySubscribe(this.#subscriptions.size)) {
      log.debug("subscribe refused: too many", { broadcast: path, track: asked.track });
      return refuse(stream, STREAM_CODE.tooMany);
    }
    if (broadcast === undefined) {
      log.debug("subscribe refused: nobody announces it", { broadcast: path, track: asked.track });
      return refuse(stream, STREAM_CODE.unroutable);
    }
    let track;
    try {
      track = broadcast.track(path, asked.track, this.#peerHop);
    } catch (error) {
      log.debug("subscribe refused", { track: asked.track, reason: reasonOf(error) });
      return refuse(stream, STREAM_CODE.tooMany);
    }
    const subscription = new ServedSubscription({
      context: this.#context,
      stream,
      subscribe: asked,
      track,
      hop: this.#peerHop,
      onDone: () => {
        this.#subscriptions.delete(asked.id);
        this.#places.leave(subscription.outgoing);
        this.sent.groups.delete(subscription.outgoing);
        this.sent.answers.delete(stream.send);
        if (subscription.ended) broadcast.whenGone(() => this.#left(broadcast));
      },
    });
    this.sent.answers.set(stream.send, -1);
    this.#subscriptions.set(asked.id, subscription);
    this.#places.enter(subscription.outgoing);
    this.sent.groups.add(subscription.outgoing);
    log.debug("subscribed", { broadcast: path, track: asked.track, subscribe: asked.id });
    subscription.start();
    try {
      await this.#updates(reader, subscription);
    } finally {
      subscription.cancel();
      log.debug("unsubscribed", { broadcast: path, track: asked.track, subscribe: asked.id });
    }
  }

  /** The peer has read from a broadcast that is gone. */
  #left(broadcast: Broadcast): void {
    for (const watch of this.#watches) watch.left(broadcast);
  }

  /** TRACK: answers with the track's properties, as often as it is asked. */
  async trackInfo(stream: BidiStream, reader: StreamReader): Promise<void> {
    const { trackInfo } = this.#context.dialect;
    if (trackInfo === undefined) return refuse(stream, STREAM_CODE.cancel);
    const asked = await reader.message(TrackRequest);
    if (asked === undefined) return refuse(stream, STREAM_CODE.cancel);
    void reader.drain(); // its FIN means nothing, but has to be read
    const path = joinPath(this.#context.root, asked.broadcast);
    try {
      const broadcast = await this.#broadcast(path, asked.track);
      const info = await broadcast.trackInfo(path, asked.track, this.#peerHop);
      stream.send.write(framed(trackInfo.encode({ ...info, ordered: undefined })));
      stream.send.finish();
    } catch (error) {
      refuse(stream, refusalCode(error));
    }
  }

  /** FETCH: one group, as bare frames. */
  async fetch(stream: BidiStream, reader: StreamReader): Promise<void> {
    const { dialect } = this.#context;
    const asked = dialect.fetch && await reader.message(dialect.fetch);
    if (asked === undefined) return refuse(stream, STREAM_CODE.cancel);
    void reader.drain(); // a FIN before the answer does not cancel the request
    const path = joinPath(this.#context.root, asked.broadcast);
    try {
      const broadcast = await this.#broadcast(path, asked.track);
      const code = fetchStreams.get();
      const { serveFetch } = "then" in code ? await code : code;
      const wish = { path, asked, hop: this.#peerHop };
      const served = await serveFetch(this.#context, stream, broadcast, wish, (done) => {
        this.#fetches.delete(done);
        this.sent.groups.delete(done);
      });
      this.#fetches.add(served);
      this.sent.groups.add(served);
      served.start();
    } catch (error) {
      // A FIN alone would be an empty group. Half a varint before it shows the failure.
      if (!stream.send.canReset) stream.send.write(HALF_A_VARINT);
      refuse(stream, refusalCode(error));
    }
  }

  /** PROBE: Deno tells neither rate nor round trip, so the answer is "unknown", once. */
  async probe(stream: BidiStream, reader: StreamReader): Promise<void> {
    const { probe } = this.#context.dialect;
    if (probe === undefined) return refuse(stream, STREAM_CODE.cancel);
    stream.send.write(framed(probe.encode({ bitrate: 0, rttMs: 0 })));
    await reader.drain();
    stream.send.finish();
  }

  /** Ends every subscription in order: groups that have begun are sent to their end. */
  drain(): void {
    for (const subscription of [...this.#subscriptions.values()]) subscription.drain();
  }

  /** The session is over. */
  close(): void {
    for (const stop of [...this.#announcing]) stop();
    for (const subscription of [...this.#subscriptions.values()]) {
      subscription.cancel("sessionClosed");
    }
    for (const fetch of [...this.#fetches]) fetch.cancel();
  }

  /** The subscriptions that are served now. */
  served(): Iterable<ServedSubscription> {
    return this.#subscriptions.values();
  }

  get #peerHop(): bigint {
    return this.#context.peerHop || this.#excludeHop;
  }

  /**
   * Who serves a track. A publisher of single tracks (moq-transport) offers one after the other, and our peer has heard of the
   * broadcast with the first of them: the one that it asks for may be on its way.
   */
  #find(path: string, track: string): Broadcast | Promise<Broadcast | undefined> | undefined {
    const { serve, isPeerKnown, peerKnown } = this.#context;
    // The peer's hop id decides which routes must not serve it.
    if (!isPeerKnown) return peerKnown.then(() => this.#find(path, track));
    const hop = this.#peerHop;
    if (serve?.find(path, hop) === undefined) return undefined;
    return serve.find(path, hop, track) ??
      serve.awaitRoute(path, track, TRACK_WAIT_MS, hop, this).promise;
  }

  /** @throws {NotFound} */
  async #broadcast(path: string, track: string): Promise<Broadcast> {
    const found = await this.#find(path, track);
    if (found === undefined) throw new NotFound(`broadcast ${path}`, "broadcast");
    return found;
  }

  async #updates(reader: StreamReader, subscription: ServedSubscription): Promise<void> {
    const { dialect, quota } = this.#context;
    if (dialect.subscribeUpdate === undefined) return await reader.drain();
    for (;;) {
      let update;
      try {
        update = await reader.message(dialect.subscribeUpdate);
      } catch (error) {
        if (error instanceof ProtocolViolation) throw error;
        return; // reset or lost: the peer has left
      }
      if (update === undefined) return;
      subscription.update(update);
      const wait = quota.message();
      if (wait !== undefined) await wait;
    }
  }
}

function refuse(stream: BidiStream, code: number): void {
  stream.send.reset(code);
  stream.receive.stop(code);
}

function refusalCode(error: unknown): number {
  if (!(error instanceof NotFound)) return STREAM_CODE.internal;
  return error.why === "broadcast" ? STREAM_CODE.unroutable : STREAM_CODE.notFound;
}
