/**
 * The half of a session that takes in what the peer publishes: namespaces and tracks become announcements of the origin, with
 * this session as the source of their objects.
 *
 * @module
 */
import { sleep } from "../../../base/sleep.ts";
import {
  type FetchRequest,
  type GroupSink,
  type TrackInfo,
  type TrackRequest,
  type TrackSink,
  UNTOLD_TRACK_INFO,
  type UpstreamSubscription,
} from "../../../relay/ports.ts";
import type { Track } from "../../../relay/track.ts";
import type { ReceiveStream } from "../../../transport/connection.ts";
import { ConnectionClosed, StreamReset } from "../../../transport/errors.ts";
import { ProtocolViolation } from "../../../wire/errors.ts";
import { decodeDatagram } from "../../../wire/ietf/data/datagram.ts";
import type { SubgroupHeader } from "../../../wire/ietf/data/stream_head.ts";
import type { FullName, Namespace } from "../../../wire/ietf/names.ts";
import { joinPath, stripPrefix, trackKey } from "../../../wire/path.ts";
import type { SubscriberHalf } from "../../running_session.ts";
import type { StreamReader } from "../../stream_reader.ts";
import type { IetfContext } from "../context.ts";
import type { Exchange, Exchanges } from "../exchange.ts";
import { namespaceOf, pathOf, trackBytesOf, trackNameOf } from "../names.ts";
import { Granted, TokenProblem } from "../request_rights.ts";
import { AGAIN_MS, Aliases } from "./aliases.ts";
import { follow } from "./follow.ts";
import { GroupFetch } from "./group_fetch.ts";
import { Offers } from "./offers.ts";
import { Publications } from "./publications.ts";
import {
  NOT_ALLOWED,
  PUBLISHED_ALREADY,
  type Refusal,
  RESERVED,
  TOO_MANY,
  untilOver,
} from "./offered.ts";
import type { Requesting } from "./requesting.ts";
import { Subscription } from "./subscription.ts";

const DOT = 0x2e;

export class Subscriber implements SubscriberHalf {
  readonly #context: IetfContext;
  readonly #shared: Requesting;
  readonly #offers: Offers;
  readonly #publications: Publications;
  readonly #subscriptions = new Set<Subscription>();
  /** Offers that run, by their names; each fulfils when it is over. */
  readonly #running = new Map<string, Promise<void>>();

  #over = false;

  constructor(context: IetfContext, exchanges: Exchanges, readonly label: string) {
    this.#context = context;
    const aliases = new Aliases(context.clock);
    this.#shared = { context, exchanges, aliases, isServer: false, fetches: new Map() };
    this.#offers = new Offers(this.#shared, this);
    this.#publications = new Publications(this.#shared, this.#offers);
  }

  get announcements(): number {
    return this.#offers.count;
  }

  get subscriptions(): number {
    return this.#subscriptions.size + this.#publications.count;
  }

  /** Streams and datagrams that wait for the track they are of. */
  get held(): { readonly streams: number; readonly datagrams: number } {
    return this.#shared.aliases.held;
  }

  /** Asks a server for all that it has, and follows that until the session ends. */
  async follow(): Promise<void> {
    this.#shared.isServer = true;
    await follow(this.#shared, {
      add: (suffix) =>
        this.#refusal(suffix, this.#pathOf(suffix)) === undefined &&
        this.#offers.addNamespace(this.#pathOf(suffix)),
      delete: (suffix) => this.#offers.deleteNamespace(this.#pathOf(suffix)),
    });
  }

  /** A request of the peer to publish. Fulfils when it is over. @throws {ProtocolViolation} */
  async serve(exchange: Exchange): Promise<void> {
    const { kind, value } = exchange.request;
    if (kind !== "publishNamespace" && kind !== "publish") {
      throw new ProtocolViolation(kind, "it is no request of a publisher");
    }
    const path = this.#pathOf(value.namespace);
    const name = kind === "publish" ? trackNameOf(value.track) : "";
    const key = `${kind} ${trackKey(path, name)}`;
    if (kind === "publish") this.#publications.yield(path, name);
    const before = this.#running.get(key);
    // Its end may be read a moment later, on a stream of its own also if it was sent before.
    if (before !== undefined) {
      await Promise.race([before, sleep(AGAIN_MS, undefined, this.#context.clock)]);
    }
    if (this.#over) return;
    if (this.#running.has(key)) return this.#refuse(exchange, path, PUBLISHED_ALREADY);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running.set(key, promise);
    let by: Granted | undefined;
    try {
      const rights = this.#context.rights.of(exchange);
      const judged = rights && await rights;
      if (judged instanceof Granted) by = judged;
      const refusal = judged instanceof TokenProblem
        ? judged
        : this.#refusal(value.namespace, path, by) ??
          (kind === "publish"
            ? await this.#publications.serve(exchange, value, { path, name, by })
            : await this.#publishNamespace(exchange, path, by));
      if (refusal !== undefined) this.#refuse(exchange, path, refusal);
    } finally {
      by?.leave();
      this.#running.delete(key);
      resolve();
    }
  }

  /** A subgroup's stream whose head was read. @throws {ProtocolViolation} */
  async subgroup(
    stream: ReceiveStream,
    reader: StreamReader,
    header: SubgroupHeader,
  ): Promise<void> {
    const track = await this.#shared.aliases.track(header.alias);
    if (track === undefined) return stream.stop(this.#context.codes.stream.cancel);
    await track.subgroup(stream, reader, header);
  }

  /** The stream of a fetch whose head was read. One that was given up is dropped. @throws {ProtocolViolation} */
  async fetched(stream: ReceiveStream, reader: StreamReader, requestId: number): Promise<void> {
    const fetch = this.#shared.fetches.get(requestId);
    if (fetch === undefined) return stream.stop(this.#context.codes.stream.cancel);
    await fetch.stream(stream, reader);
  }

  datagram(bytes: Uint8Array): void {
    this.#context.quota.received(bytes.length);
    const datagram = decodeDatagram(bytes, this.#context.profile);
    if (datagram !== undefined) this.#shared.aliases.datagram(datagram);
  }

  ownTrack(broadcast: string, track: string): Track | undefined {
    return this.#publications.track(broadcast, track);
  }

  ownTracks(broadcast: string): Iterable<Track> {
    return this.#publications.tracks(broadcast);
  }

  trackInfo(broadcast: string, track: string): Promise<TrackInfo> {
    return Promise.resolve(this.ownTrack(broadcast, track)?.info ?? UNTOLD_TRACK_INFO);
  }

  subscribe(
    broadcast: string,
    track: string,
    request: TrackRequest,
    sink: TrackSink,
  ): UpstreamSubscription {
    const name = { ...this.#nameOf(broadcast, track), label: track };
    const subscription = new Subscription(
      this.#shared,
      name,
      request,
      sink,
      () => this.#subscriptions.delete(subscription),
    );
    this.#subscriptions.add(subscription);
    queueMicrotask(() => void subscription.run());
    return subscription;
  }

  async fetch(
    broadcast: string,
    track: string,
    { group }: FetchRequest,
    sink: GroupSink,
  ): Promise<void> {
    const what = `group ${group} of track ${track} of ${broadcast}`;
    await new GroupFetch(this.#shared, { group }, sink, what).run(this.#nameOf(broadcast, track));
  }

  /** No draft can ask for that. */
  probe(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  devalue(): void {
    this.#offers.discourage();
  }

  close(abrupt: boolean): void {
    this.#over = true;
    // Routes go first: a feed that loses its subscription then knows whether to wait for the publisher.
    this.#offers.close(abrupt);
    for (const subscription of [...this.#subscriptions]) subscription.lost();
    for (const fetch of [...this.#shared.fetches.values()]) fetch.lost();
    this.#publications.close();
    this.#shared.aliases.close();
  }

  async #publishNamespace(
    exchange: Exchange,
    path: string,
    by: Granted | undefined,
  ): Promise<Refusal | undefined> {
    if (!this.#offers.addNamespace(path, by)) return NOT_ALLOWED;
    exchange.send("requestOk", { parameters: {}, properties: new Uint8Array(0) });
    by?.onLost(() => exchange.cancel("unauthorized"));
    try {
      await untilOver(exchange, by);
    } catch (error) {
      // The session's end is told to all offers at once, with how it has ended.
      if (error instanceof ConnectionClosed) return undefined;
      if (!(error instanceof StreamReset)) throw error;
    }
    this.#offers.deleteNamespace(path);
    exchange.finish();
    return undefined;
  }

  /** Why a namespace may not be offered now. */
  #refusal([first]: Namespace, path: string, by?: Granted): Refusal | undefined {
    const { quota, profile, stats } = this.#context;
    const { consume } = by ?? this.#context;
    if (consume === undefined || this.#over) return NOT_ALLOWED;
    if (consume.rights?.mayPublish(path) === false) {
      stats.announcementsRefused++;
      return NOT_ALLOWED;
    }
    if (profile.reservedNames && first?.[0] === DOT) return RESERVED;
    return quota.mayAnnounce(this.#offers.count) ? undefined : TOO_MANY;
  }

  #refuse(exchange: Exchange, broadcast: string, { word, reason }: Refusal): void {
    this.#context.log.debug("offer refused", { broadcast, reason });
    exchange.refuse(word, reason);
  }

  #pathOf(namespace: Namespace): string {
    return joinPath(this.#context.root, pathOf(namespace));
  }

  /** A track's name as the peer knows it. */
  #nameOf(broadcast: string, track: string): FullName {
    const path = stripPrefix(broadcast, this.#context.root) ?? broadcast;
    return { namespace: namespaceOf(path), track: trackBytesOf(track) };
  }
}
