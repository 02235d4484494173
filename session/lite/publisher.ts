/**
 * The half of a session that serves: the peer's ANNOUNCE_REQUEST, SUBSCRIBE, TRACK, FETCH and PROBE, each on its own
 * stream.
 *
 * @module
 */
import { NotFound } from "../../relay/errors.ts";
import type { AnnounceEvent } from "../../relay/origin.ts";
import type { BroadcastSource } from "../../relay/ports.ts";
import type { BidiStream } from "../../transport/connection.ts";
import { ProtocolViolation } from "../../wire/errors.ts";
import { STREAM_CODE } from "../../wire/lite/codes.ts";
import { framed } from "../../wire/message.ts";
import { joinPath } from "../../wire/path.ts";
import { TrackRequest } from "../../wire/lite/track.ts";
import type { Link } from "../link.ts";
import type { StreamReader } from "../stream_reader.ts";
import { AnnounceEncoder } from "./announce_codec.ts";
import { ServedFetch } from "./served_fetch.ts";
import { requestOf, ServedSubscription } from "./served_subscription.ts";

export class Publisher {
  readonly #link: Link;
  readonly #subscriptions = new Map<number, ServedSubscription>();
  readonly #announcing = new Set<() => void>();
  readonly #fetches = new Set<ServedFetch>();
  #excludeHop = 0n;

  /** @param self What the peer itself announced is not announced back to it. */
  constructor(link: Link, readonly self: BroadcastSource | undefined) {
    this.#link = link;
  }

  /** Subscriptions served now. */
  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  /** ANNOUNCE_REQUEST: tells what there is below a prefix, until the peer loses interest. */
  async announce(stream: BidiStream, reader: StreamReader): Promise<void> {
    const { dialect, serve, root, hop } = this.#link;
    const request = await reader.message(dialect.announceRequest);
    if (request === undefined) return stream.send.finish();
    if (dialect.excludesHop && request.excludeHop !== 0n) this.#excludeHop = request.excludeHop;
    const encoder = new AnnounceEncoder(dialect, hop);
    const first: AnnounceEvent[] = [];
    let begun = false;
    const tell = (event: AnnounceEvent) => {
      if (!begun) return void first.push(event);
      const bytes = encode(encoder, event);
      if (bytes !== undefined) stream.send.write(bytes);
    };
    const watch = serve?.watch({
      prefix: joinPath(root, request.prefix),
      excludeHop: this.#peerHop,
      ...(this.self === undefined ? {} : { except: this.self }),
    }, tell);
    begun = true;
    const head = encoder.begin(first.map((event) => event.suffix));
    if (head !== undefined) stream.send.write(head);
    if (dialect.announceFirst !== "init") first.forEach(tell);
    const stop = () => {
      watch?.close();
      stream.send.finish();
    };
    this.#announcing.add(stop);
    await reader.drain();
    this.#announcing.delete(stop);
    stop();
  }

  /** SUBSCRIBE: serves a track until one side ends it. */
  async subscribe(stream: BidiStream, reader: StreamReader): Promise<void> {
    const { dialect, connection, clock, stats, log } = this.#link;
    const asked = await reader.message(dialect.subscribe);
    if (asked === undefined) return stream.send.finish();
    if (this.#subscriptions.has(asked.id)) {
      throw new ProtocolViolation("SUBSCRIBE", `id ${asked.id} is in use`);
    }
    const path = joinPath(this.#link.root, asked.broadcast);
    const broadcast = this.#find(path);
    if (broadcast === undefined) {
      log.debug("subscribe refused: nobody announces it", { broadcast: path, track: asked.track });
      return refuse(stream, STREAM_CODE.unroutable);
    }
    const subscription = new ServedSubscription({
      connection,
      dialect,
      stream,
      subscribe: asked,
      track: broadcast.track(path, asked.track, this.#peerHop),
      clock,
      stats,
      onDone: () => this.#subscriptions.delete(asked.id),
    });
    this.#subscriptions.set(asked.id, subscription);
    log.debug("subscribed", { broadcast: path, track: asked.track, subscribe: asked.id });
    subscription.start();
    try {
      await this.#updates(reader, subscription);
    } finally {
      subscription.cancel();
      log.debug("unsubscribed", { broadcast: path, track: asked.track, subscribe: asked.id });
    }
  }

  /** TRACK: answers with the track's properties, as often as it is asked. */
  async trackInfo(stream: BidiStream, reader: StreamReader): Promise<void> {
    const { trackInfo } = this.#link.dialect;
    const asked = await reader.message(TrackRequest);
    if (asked === undefined || trackInfo === undefined) {
      return refuse(stream, STREAM_CODE.internal);
    }
    const path = joinPath(this.#link.root, asked.broadcast);
    try {
      const broadcast = this.#find(path);
      if (broadcast === undefined) throw new NotFound(`broadcast ${path}`, "broadcast");
      const info = await broadcast.trackInfo(path, asked.track, this.#peerHop);
      stream.send.write(framed(trackInfo.encode({ ...info, ordered: undefined })));
      stream.send.finish();
    } catch (error) {
      refuse(stream, refusalCode(error));
    }
  }

  /** FETCH: one group, as bare frames. */
  async fetch(stream: BidiStream, reader: StreamReader): Promise<void> {
    const { dialect, stats } = this.#link;
    const asked = dialect.fetch && await reader.message(dialect.fetch);
    if (asked === undefined) return refuse(stream, STREAM_CODE.internal);
    const path = joinPath(this.#link.root, asked.broadcast);
    try {
      const broadcast = this.#find(path);
      if (broadcast === undefined) throw new NotFound(`broadcast ${path}`, "broadcast");
      const group = await broadcast.fetch(path, asked.track, asked);
      const served = new ServedFetch({ stream, group, dialect, stats });
      this.#fetches.add(served);
      served.done.then(() => this.#fetches.delete(served));
      served.start();
    } catch (error) {
      // A bare FIN would be an empty group: half a varint first makes it a failure.
      if (!stream.send.canReset) stream.send.write(new Uint8Array([0x40]));
      refuse(stream, refusalCode(error));
    }
  }

  /** PROBE: Deno tells nothing of rate or round trip, so the honest answer is "unknown", once. */
  async probe(stream: BidiStream, reader: StreamReader): Promise<void> {
    const { probe } = this.#link.dialect;
    if (probe === undefined) return refuse(stream, STREAM_CODE.internal);
    stream.send.write(framed(probe.encode({ bitrate: 0, rttMs: 0 })));
    await reader.drain();
    stream.send.finish();
  }

  /** Ends every subscription in order: what has begun goes out to its end. Fulfils when all are through. */
  drain(): void {
    for (const subscription of [...this.#subscriptions.values()]) subscription.drain();
  }

  /** Looks for streams that are stuck. @returns The longest time one has been taking nothing, in milliseconds. */
  sweep(now: number): number {
    let longest = 0;
    for (const subscription of this.#subscriptions.values()) {
      subscription.cutStale(now);
      longest = Math.max(longest, subscription.stuckMs(now));
    }
    return longest;
  }

  /** The session is over. */
  close(): void {
    for (const stop of [...this.#announcing]) stop();
    for (const subscription of [...this.#subscriptions.values()]) {
      subscription.cancel(STREAM_CODE.sessionClosed);
    }
    for (const fetch of [...this.#fetches]) fetch.cancel();
  }

  /** Every served subscription, for those who look. */
  served(): Iterable<ServedSubscription> {
    return this.#subscriptions.values();
  }

  get #peerHop(): bigint {
    return this.#link.peerHop || this.#excludeHop;
  }

  #find(path: string) {
    return this.#link.serve?.find(path, this.#peerHop);
  }

  async #updates(reader: StreamReader, subscription: ServedSubscription): Promise<void> {
    const { dialect } = this.#link;
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
      subscription.update(requestOf(update, dialect));
    }
  }
}

function encode(encoder: AnnounceEncoder, event: AnnounceEvent): Uint8Array | undefined {
  const { kind, suffix, route } = event;
  if (kind === "ended" || route === undefined) return encoder.ended(suffix);
  return encoder[kind === "active" ? "active" : "updated"](
    suffix,
    route.hops,
    route.warm,
    route.cold,
  );
}

function refuse(stream: BidiStream, code: number): void {
  stream.send.reset(code);
  stream.receive.stop(code);
}

function refusalCode(error: unknown): number {
  if (!(error instanceof NotFound)) return STREAM_CODE.internal;
  return error.why === "broadcast" ? STREAM_CODE.unroutable : STREAM_CODE.notFound;
}
