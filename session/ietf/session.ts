/**
 * A session of moq-transport in any draft: SETUP, and which half takes which request and which stream. Both ends use this
 * class.
 *
 * @module
 */
import { sleep } from "../../base/sleep.ts";
import type { BroadcastSource } from "../../relay/ports.ts";
import type { BidiStream, ReceiveStream } from "../../transport/connection.ts";
import { ConnectionClosed } from "../../transport/errors.ts";
import { ProtocolViolation } from "../../wire/errors.ts";
import { readStreamHead, type SubgroupHeader } from "../../wire/ietf/data/stream_head.ts";
import type { Goaway } from "../../wire/ietf/message/goaway.ts";
import type { Profile } from "../../wire/ietf/profile.ts";
import type { Version } from "../../wire/versions.ts";
import { sessionCode } from "../../wire/ietf/codes.ts";
import { MAX_REASON, type Opening } from "../context.ts";
import { enter } from "../entry.ts";
import { type PublisherHalf, RunningSession, type SubscriberHalf } from "../running_session.ts";
import type { Entry } from "../session.ts";
import { Fault } from "./fault.ts";
import type { StreamReader } from "../stream_reader.ts";
import { Unfinished } from "../unfinished.ts";
import type { Channel } from "./requests/channel.ts";
import { codesOf, IetfContext } from "./context.ts";
import type { Exchange, Exchanges, RequestMessage } from "./exchange.ts";
import { type First, greet, type Greeted } from "./handshake.ts";
import type { Side } from "./requests/request_ids.ts";
import { checkTokens } from "./request_rights.ts";
import { checkServer, spokenBy, wishOf } from "./setup.ts";

/** The half that serves the peer's SUBSCRIBE, FETCH, TRACK_STATUS, SUBSCRIBE_NAMESPACE and SUBSCRIBE_TRACKS. */
export interface ServingHalf extends PublisherHalf {
  /** One such request, until it is over. */
  serve(exchange: Exchange): Promise<void>;
  /** Announces everything to a server, until the session ends. */
  announce(): void;
}

/** The half that takes in what the peer publishes. */
export interface ConsumingHalf extends SubscriberHalf {
  /** PUBLISH or PUBLISH_NAMESPACE, until it is over. */
  serve(exchange: Exchange): Promise<void>;
  /** The stream of a subgroup, behind its head. */
  subgroup(stream: ReceiveStream, reader: StreamReader, header: SubgroupHeader): Promise<void>;
  /** The stream that answers a FETCH of ours, behind its head. */
  fetched(stream: ReceiveStream, reader: StreamReader, requestId: number): Promise<void>;
  /** Asks a server for all that it has, until the session ends. */
  follow(): Promise<void>;
}

/** Makes the halves of a session. */
export interface Halves {
  serving(context: IetfContext, exchanges: Exchanges, self: BroadcastSource): ServingHalf;
  consuming(context: IetfContext, exchanges: Exchanges, label: string): ConsumingHalf;
}

export class IetfSession extends RunningSession {
  protected readonly publisher: ServingHalf;
  protected readonly subscriber: ConsumingHalf;
  readonly #context: IetfContext;
  readonly #channel: Channel;
  readonly #side: Side;

  /**
   * Exchanges SETUP and opens the session.
   * @param first The stream that SETUP was begun on to settle the version.
   * @throws {NoCommonVersion} @throws {SessionRefused} @throws {ProtocolViolation} @throws {ConnectionClosed}
   */
  static async open(
    opening: Opening,
    profile: Profile,
    side: Side,
    halves: Halves,
    first?: First,
  ): Promise<IetfSession> {
    const { connection, clock, quota } = opening;
    const { controlTimeout } = codesOf(profile).stream;
    const unfinished = new Unfinished(clock, quota.hits, controlTimeout);
    try {
      return await IetfSession.#open(opening, profile, side, halves, unfinished, first);
    } catch (error) {
      // The draft has a code of its own for it.
      if (error instanceof Fault) {
        connection.close(sessionCode(profile, error.word), error.message.slice(0, MAX_REASON));
      }
      throw error;
    }
  }

  static async #open(
    opening: Opening,
    profile: Profile,
    side: Side,
    halves: Halves,
    unfinished: Unfinished,
    first?: First,
  ): Promise<IetfSession> {
    const { connection, serve, consume } = opening;
    const greeted = await greet(profile, side, opening, unfinished, first);
    let entry: Entry = { root: "", serve, consume };
    if (side === "client") checkServer(greeted.options);
    else {
      const { path, token } = wishOf(greeted.options, connection);
      entry = await enter(opening, path, undefined, token);
    }
    greeted.welcome();
    const spoken = spokenBy(greeted.options, profile);
    const context = new IetfContext(spoken, opening, entry, unfinished);
    return new IetfSession(context, opening, side, greeted, halves);
  }

  private constructor(
    context: IetfContext,
    opening: Opening,
    side: Side,
    greeted: Greeted,
    halves: Halves,
  ) {
    super(context, opening);
    this.#context = context;
    this.#side = side;
    this.#channel = greeted.channel(context);
    this.subscriber = halves.consuming(context, this.#channel, this.connection.remoteAddress);
    this.publisher = halves.serving(context, this.#channel, this.subscriber);
    this.publisher.sent.answers.set(this.#channel.sending, -1);
    context.spawn(this.#channel.run({
      serve: (exchange) => this.#serve(exchange),
      goaway: (goaway) => this.#goaway(goaway),
    }));
    this.open(greeted.intake);
    context.spawn(this.readDatagrams());
    if (side === "client") {
      this.publisher.announce();
      if (context.consume !== undefined) context.spawn(this.subscriber.follow());
    }
    void this.connection.closed.then(() => this.#channel.close());
  }

  get version(): Version {
    return this.#context.profile.name;
  }

  /** No message tells what has arrived, so it takes all the time there is. */
  async settled(timeoutMs: number): Promise<void> {
    await Promise.race([sleep(timeoutMs, undefined, this.#context.clock), this.connection.closed]);
  }

  protected sayGoaway(uri: string): Promise<void> {
    // A client cannot tell a server where to go.
    this.#channel.goaway(this.#side === "server" ? uri : "");
    return Promise.resolve();
  }

  protected async takeBidi(stream: BidiStream, reader: StreamReader): Promise<void> {
    try {
      await this.#channel.bidi(stream, reader);
    } catch (error) {
      const { cancel } = this.#context.codes.stream;
      stream.send.reset(cancel);
      stream.receive.stop(cancel);
      this.#judge(error);
    }
  }

  protected async takeUni(stream: ReceiveStream, reader: StreamReader): Promise<void> {
    try {
      await this.#uni(stream, reader);
    } catch (error) {
      stream.stop(this.#context.codes.stream.cancel);
      throw error;
    }
  }

  async #uni(stream: ReceiveStream, reader: StreamReader): Promise<void> {
    const { profile } = this.#context;
    let unknown = false;
    let head;
    try {
      head = await reader.parsed((bytes) => {
        unknown = true;
        const parsed = readStreamHead(bytes, profile);
        unknown = false;
        return parsed;
      });
    } catch (error) {
      // By the draft the session ends where nobody knows what a stream is. One that was cut or is late ends alone.
      if (!unknown) throw error;
      return this.#judge(error);
    }
    if (head === undefined) return; // it was given up before it began
    reader.whole();
    if (head.kind === "subgroup") await this.subscriber.subgroup(stream, reader, head.header);
    else if (head.kind === "fetch") await this.subscriber.fetched(stream, reader, head.requestId);
    else if (head.kind === "padding") await this.#skip(reader);
    else this.#judge(new ProtocolViolation("stream", "a second control stream"));
  }

  /** Padding is read, so that its bytes free their credit, and counts as media. */
  async #skip(reader: StreamReader): Promise<void> {
    for (let chunk; (chunk = await reader.chunk()) !== undefined;) {
      this.#context.quota.received(chunk.length);
    }
  }

  /** A request or a stream that breaks the protocol ends the session. */
  #judge(error: unknown): void {
    if (!(error instanceof ProtocolViolation)) throw error;
    this.#context.violated(error);
  }

  async #serve(exchange: Exchange): Promise<void> {
    const { kind, value } = exchange.request as RequestMessage;
    try {
      checkTokens(value.parameters);
    } catch (error) {
      return this.#judge(error);
    }
    const half = kind === "publish" || kind === "publishNamespace"
      ? this.subscriber
      : this.publisher;
    try {
      await half.serve(exchange);
    } catch (error) {
      // It was given up, or the session is over.
      if (!(error instanceof ConnectionClosed)) this.#context.failed(error);
    }
  }

  /** @throws {ProtocolViolation} */
  #goaway({ uri }: Goaway): void {
    if (uri !== "" && this.#side === "server") {
      throw new ProtocolViolation("GOAWAY", "a client says where to go");
    }
    this.heardGoaway(uri);
  }
}
