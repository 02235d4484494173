/**
 * A viewer that speaks moq-transport. It has the requests and streams of a whole session, and in place of the halves that
 * publish and take in one that passes streams on.
 *
 * @module
 */
import { newRelayStats } from "../relay/stats.ts";
import { HeadReader } from "../session/convert/head_reader.ts";
import type { IetfContext } from "../session/ietf/context.ts";
import type { Exchange, Exchanges } from "../session/ietf/exchange.ts";
import { namespaceOf, trackBytesOf } from "../session/ietf/names.ts";
import { type ConsumingHalf, IetfSession, type ServingHalf } from "../session/ietf/session.ts";
import { begin } from "../session/open.ts";
import type { StreamReader } from "../session/stream_reader.ts";
import type { Connection, ReceiveStream } from "../transport/connection.ts";
import { Arrivals } from "../transport/queue.ts";
import { ObjectHeads } from "../wire/ietf/data/object_head.ts";
import type { SubgroupHeader } from "../wire/ietf/data/stream_head.ts";
import type { WideInteger } from "../wire/ietf/integers.ts";
import { profileByAlpn, PROFILES } from "../wire/ietf/profile.ts";
import { normalizePath } from "../wire/path.ts";
import type { Version } from "../wire/versions.ts";
import { ObjectScan } from "./object_scan.ts";
import type { LightSession, LightStream, LightSubscription, OnFrame, StreamScan } from "./light.ts";

/** How long a stream's subscription may stay unknown. */
const KNOWN_MS = 5000;

/** The stream of a subgroup, behind its head. */
class ObjectStream implements LightStream {
  readonly over = Promise.withResolvers<void>();

  constructor(
    readonly header: SubgroupHeader,
    readonly reader: StreamReader,
    readonly stream: ReceiveStream,
  ) {}

  async read(): Promise<Uint8Array | undefined> {
    try {
      const chunk = await this.reader.chunk();
      if (chunk === undefined) this.over.resolve();
      return chunk;
    } catch (error) {
      this.over.resolve();
      throw error;
    }
  }

  stop(code: number): void {
    this.stream.stop(code);
    this.over.resolve();
  }
}

export class LightIetf implements LightSession {
  readonly closed: LightSession["closed"];
  readonly #session: IetfSession;
  readonly #half: Half;

  private constructor(session: IetfSession, half: Half) {
    this.#session = session;
    this.#half = half;
    this.closed = session.connection.closed;
    void this.closed.then(() => half.groups.end());
  }

  /** @param path Path and query, for transports without a URL. @throws {NoCommonVersion} @throws {ProtocolViolation} */
  static async over(
    connection: Connection,
    versions: readonly Version[],
    path: string | undefined,
  ): Promise<LightIetf> {
    const { protocol } = connection;
    const profile = profileByAlpn(protocol) ??
      PROFILES.find(({ setupVersion }) => setupVersion !== undefined)!;
    let half: Half | undefined;
    const options = { connection, versions, hop: 0n, stats: newRelayStats() };
    const session = await begin(
      { ...options, ...(path === undefined ? {} : { path }) },
      (opening) =>
        IetfSession.open(opening, profile, "client", {
          serving: () => NOTHING,
          consuming: (context, exchanges) => half = new Half(context, exchanges),
        }),
    );
    return new LightIetf(session as IetfSession, half!);
  }

  async subscribe(id: number, broadcast: string, track: string): Promise<LightSubscription> {
    return await this.#half.ask(id, broadcast, track);
  }

  acceptGroup(): Promise<LightStream | undefined> {
    return this.#half.groups.next();
  }

  scan(stream: LightStream, onFrame: OnFrame): StreamScan {
    return this.#half.scan(stream as ObjectStream, onFrame);
  }

  close(): void {
    this.#session.close(0, "");
  }
}

/** What comes, without an origin to go to. */
class Half implements ConsumingHalf {
  readonly label = "relay";
  readonly announcements = 0;
  readonly subscriptions = 0;
  readonly groups = new Arrivals<ObjectStream>();
  readonly #context: IetfContext;
  readonly #exchanges: Exchanges;
  readonly #aliases = new Map<WideInteger, number>();
  /** Called when an alias has become known, and when none will. */
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(context: IetfContext, exchanges: Exchanges) {
    this.#context = context;
    this.#exchanges = exchanges;
  }

  async ask(id: number, broadcast: string, track: string): Promise<LightSubscription> {
    const { profile } = this.#context;
    const exchange = await this.#exchanges.open("subscribe", {
      namespace: namespaceOf(normalizePath(broadcast)),
      track: trackBytesOf(track),
      parameters: profile.unfilteredSubscribe ? {} : { filter: { kind: "next-object" } },
    });
    return { ended: this.#follow(id, exchange), cancel: () => exchange.cancel() };
  }

  scan({ header }: ObjectStream, onFrame: OnFrame): StreamScan {
    const { alias, group, properties } = header;
    const reader = new HeadReader(new ObjectHeads(this.#context.profile, properties));
    const subscribe = () => this.#aliases.get(alias) ?? -1;
    const known = () => this.#known(alias);
    return new ObjectScan({ subscribe, known, sequence: group }, reader, onFrame);
  }

  async subgroup(
    stream: ReceiveStream,
    reader: StreamReader,
    header: SubgroupHeader,
  ): Promise<void> {
    const group = new ObjectStream(header, reader, stream);
    if (this.groups.push(group)) await group.over.promise;
  }

  fetched(stream: ReceiveStream): Promise<void> {
    stream.stop(this.#context.codes.stream.cancel);
    return Promise.resolve();
  }

  serve(exchange: Exchange): Promise<void> {
    return NOTHING.serve(exchange);
  }

  follow(): Promise<void> {
    return Promise.resolve();
  }

  trackInfo(): Promise<never> {
    return Promise.reject(new Error("nothing is kept"));
  }

  fetch(): Promise<never> {
    return Promise.reject(new Error("nothing is kept"));
  }

  subscribe(): never {
    throw new Error("nothing is kept");
  }

  probe(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  datagram(): void {}
  devalue(): void {}

  close(): void {
    this.#closed = true;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Reads what is said of a subscription to its end. Never rejects. */
  async #follow(id: number, exchange: Exchange): Promise<void> {
    try {
      for (let said; (said = await exchange.next()) !== undefined;) {
        if (said.kind === "subscribeOk") {
          this.#aliases.set(said.value.alias, id);
          for (const wake of [...this.#waiting]) wake();
        } else if (said.kind === "requestError" || said.kind === "publishDone") return;
      }
    } catch { // The session is over: an end too.
    }
  }

  /** Waits until it is known whose alias it is. A stream may overtake the answer that tells it. */
  #known(alias: WideInteger): Promise<void> {
    const settled = () => this.#closed || this.#aliases.has(alias);
    if (settled()) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = () => {
      cancel();
      this.#waiting.delete(look);
      resolve();
    };
    const cancel = this.#context.clock.after(KNOWN_MS, done);
    const look = () => {
      if (settled()) done();
    };
    this.#waiting.add(look);
    return promise;
  }
}

/** It publishes nothing. */
const NOTHING: ServingHalf = {
  subscriptions: 0,
  served: () => [],
  sent: { groups: new Set(), answers: new Map() },
  drain() {},
  close() {},
  announce() {},
  serve(exchange) {
    exchange.refuse("notSupported", "a viewer serves nothing");
    return Promise.resolve();
  },
};
