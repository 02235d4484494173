/**
 * The half of a session that takes in what the peer publishes: namespaces and tracks become announcements of the origin, with
 * this session as the source of their objects.
 *
 * @module
 */
import { sleep } from "../../../base/sleep.ts";
import { NotFound } from "../../../relay/errors.ts";
import {
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
import { type RequestWord, sessionCode } from "../../../wire/ietf/codes.ts";
import { decodeDatagram } from "../../../wire/ietf/data/datagram.ts";
import type { SubgroupHeader } from "../../../wire/ietf/data/stream_head.ts";
import type { Messages } from "../../../wire/ietf/dialect.ts";
import type { FullName, Namespace } from "../../../wire/ietf/names.ts";
import { joinPath, stripPrefix } from "../../../wire/path.ts";
import type { SubscriberHalf } from "../../running_session.ts";
import type { StreamReader } from "../../stream_reader.ts";
import type { IetfContext } from "../context.ts";
import type { Exchange, Exchanges } from "../exchange.ts";
import { namespaceOf, pathOf, trackBytesOf, trackNameOf } from "../names.ts";
import { Aliases } from "./aliases.ts";
import { endOf, LEFT } from "./ends.ts";
import { factsOf, unknownMandatory } from "./facts.ts";
import { Offers } from "./offers.ts";
import { Publication } from "./publication.ts";
import { type Requesting, Subscription } from "./subscription.ts";
import { TrackStreams } from "./track_streams.ts";

/** How long an offer waits for the end of the same one before: each may have a stream of its own, and they overtake. */
const AGAIN_MS = 100;

const NOTHING = new Uint8Array(0);

/** A track that the peer has offered by itself. */
interface Published {
  readonly publication: Publication;
  readonly streams: TrackStreams;
}

export class Subscriber implements SubscriberHalf {
  readonly #context: IetfContext;
  readonly #shared: Requesting;
  readonly #offers: Offers;
  readonly #subscriptions = new Set<Subscription>();
  readonly #published = new Map<string, Published>();
  /** Offers that run, by their names; each fulfils when it is over. */
  readonly #running = new Map<string, Promise<void>>();

  constructor(context: IetfContext, exchanges: Exchanges, readonly label: string) {
    this.#context = context;
    this.#shared = { context, exchanges, aliases: new Aliases(context.clock) };
    this.#offers = new Offers(context, this);
  }

  get announcements(): number {
    return this.#offers.count;
  }

  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  /** Streams and datagrams that wait for the track they are of. */
  get held(): { readonly streams: number; readonly datagrams: number } {
    return this.#shared.aliases.held;
  }

  /** A request of the peer to publish. Fulfils when it is over. @throws {ProtocolViolation} */
  async serve(exchange: Exchange): Promise<void> {
    const { kind, value } = exchange.request;
    if (kind !== "publishNamespace" && kind !== "publish") {
      throw new ProtocolViolation(kind, "it is no request of a publisher");
    }
    const key = kind === "publish" ? nameKey(value) : nameKey(value, kind);
    const before = this.#running.get(key);
    if (before !== undefined) {
      const late = sleep(AGAIN_MS, undefined, this.#context.clock);
      if (this.#context.profile.requestStreams) await Promise.race([before, late]);
      if (this.#running.has(key)) {
        const { manySubscriptions } = this.#context.profile;
        const word = kind === "publish" && !manySubscriptions
          ? "duplicateSubscription"
          : "uninterested";
        return exchange.refuse(word, "it is published already");
      }
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running.set(key, promise);
    try {
      if (kind === "publish") await this.#publish(exchange, value);
      else await this.#publishNamespace(exchange, value);
    } finally {
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

  /** The stream of a fetch whose head was read. */
  fetched(stream: ReceiveStream, _reader: StreamReader, _requestId: number): Promise<void> {
    stream.stop(this.#context.codes.stream.cancel);
    return Promise.resolve();
  }

  datagram(bytes: Uint8Array): void {
    this.#context.quota.received(bytes.length);
    const datagram = decodeDatagram(bytes, this.#context.profile);
    if (datagram !== undefined) this.#shared.aliases.datagram(datagram);
  }

  ownTrack(broadcast: string, track: string): Track | undefined {
    return this.#published.get(trackKey(broadcast, track))?.publication.track;
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

  fetch(broadcast: string, track: string, { group }: { readonly group: number }): Promise<void> {
    return Promise.reject(new NotFound(`group ${group} of track ${track} of ${broadcast}`));
  }

  /** No draft can ask for that. */
  probe(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  devalue(): void {
    this.#offers.discourage();
  }

  close(abrupt: boolean): void {
    // Routes go first: a feed that loses its subscription then knows whether to wait for the publisher.
    this.#offers.close(abrupt);
    for (const subscription of [...this.#subscriptions]) subscription.lost();
    for (const { streams } of [...this.#published.values()]) streams.end(GONE);
    this.#shared.aliases.close();
  }

  async #publishNamespace(
    exchange: Exchange,
    { namespace }: Messages["publishNamespace"],
  ): Promise<void> {
    const path = this.#pathOf(namespace);
    const problem = this.#refusal() ??
      (this.#offers.addNamespace(path) ? undefined : NOT_ALLOWED);
    if (problem !== undefined) return this.#refuse(exchange, path, problem);
    exchange.send("requestOk", { parameters: {}, properties: NOTHING });
    try {
      await this.#untilOver(exchange);
    } catch (error) {
      // The session's end is told to all offers at once, with how it has ended.
      if (error instanceof ConnectionClosed) return;
      if (!(error instanceof StreamReset)) throw error;
    }
    this.#offers.deleteNamespace(path);
    exchange.finish();
  }

  async #publish(exchange: Exchange, value: Messages["publish"]): Promise<void> {
    const { context, aliases } = this.#shared;
    const path = this.#pathOf(value.namespace);
    const name = trackNameOf(value.track);
    const problem = this.#refusal() ?? unsupported(value, context);
    if (problem !== undefined) return this.#refuse(exchange, path, problem);
    const key = trackKey(path, name);
    const facts = factsOf(value, context.profile);
    const publication = new Publication(path, name, facts, context.consume!.context);
    const over = Promise.withResolvers<void>();
    const streams = new TrackStreams(context, name, publication, () => {
      this.#published.delete(key);
      this.#offers.deleteTrack(path, name);
      aliases.delete(value.alias, streams);
      over.resolve();
    });
    // It stands there before it is offered: somebody may wait for it.
    this.#published.set(key, { publication, streams });
    if (!this.#offers.addTrack(path, name)) {
      this.#published.delete(key);
      return this.#refuse(exchange, path, NOT_ALLOWED);
    }
    if (!aliases.add(value.alias, streams)) {
      context.close(
        sessionCode(context.profile, "duplicateAlias"),
        `alias ${value.alias} stands for two tracks`,
      );
      return;
    }
    this.#accept(exchange, value);
    try {
      const done = await this.#untilOver(exchange);
      if (done === undefined) streams.done(LEFT, undefined);
      else streams.done(endOf(done, context.profile), done.streams);
    } catch (error) {
      // The session's end is told to all offers at once, with how it has ended.
      if (error instanceof ConnectionClosed) return;
      streams.end(LEFT);
      if (!(error instanceof StreamReset)) throw error;
    }
    await over.promise;
    exchange.finish();
  }

  /** Takes every object from now on, also while nobody reads the track. */
  #accept(exchange: Exchange, { parameters }: Messages["publish"]): void {
    const { wishesInPublishOk } = this.#context.profile;
    exchange.send("requestOk", {
      parameters: wishesInPublishOk ? { forward: true } : {},
      properties: NOTHING,
    });
    if (!wishesInPublishOk && parameters.forward === false) exchange.update({ forward: true });
  }

  /** Reads until the peer ends its offer. @returns PUBLISH_DONE, if that has ended it. @throws {ProtocolViolation} */
  async #untilOver(exchange: Exchange): Promise<Messages["publishDone"] | undefined> {
    for (;;) {
      const message = await exchange.next();
      if (message === undefined) return undefined;
      const { kind, value } = message;
      if (kind === "publishDone" && exchange.request.kind === "publish") return value;
      if (kind === "update") exchange.acceptUpdate(value);
      else if (kind !== "publishStateNotify" && kind !== "goaway") {
        throw new ProtocolViolation(exchange.request.kind, `${kind} out of turn`);
      }
    }
  }

  /** Why nothing may be offered now. */
  #refusal(): Refusal | undefined {
    if (this.#context.consume === undefined) return NOT_ALLOWED;
    return this.#context.quota.mayAnnounce(this.#offers.count) ? undefined : TOO_MANY;
  }

  #refuse(exchange: Exchange, path: string, { word, reason }: Refusal): void {
    this.#context.log.debug("announcement refused", { path, reason });
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

interface Refusal {
  readonly word: RequestWord;
  readonly reason: string;
}

const NOT_ALLOWED: Refusal = { word: "unauthorized", reason: "it may not be published here" };
const TOO_MANY: Refusal = { word: "overloaded", reason: "too many namespaces and tracks" };
const GONE = {
  kind: "failed",
  why: "lost",
  reason: "the session with the publisher ended",
} as const;

function unsupported(
  { properties }: Messages["publish"],
  { profile }: IetfContext,
): Refusal | undefined {
  const mandatory = unknownMandatory(properties, profile);
  return mandatory && {
    word: "unsupportedExtension",
    reason: `property ${mandatory.type} is mandatory, and not known here`,
  };
}

function trackKey(broadcast: string, track: string): string {
  return `${broadcast.length} ${broadcast}${track}`;
}

/** One key for each name, whatever bytes it has. */
function nameKey({ namespace, track }: { namespace: Namespace; track?: Uint8Array }, kind = "") {
  const path = pathOf(namespace);
  return track === undefined ? `${kind} ${path}` : trackKey(path, trackNameOf(track));
}
