/**
 * A session of moq-lite in any version: SETUP, and which half takes which stream. Both ends use this class, with different
 * origins behind it: relay, viewer, publisher and client.
 *
 * @module
 */
import { sleep } from "../../base/sleep.ts";
import type { BidiStream, ReceiveStream } from "../../transport/connection.ts";
import { ConnectionClosed } from "../../transport/errors.ts";
import { ProtocolViolation } from "../../wire/errors.ts";
import { BIDI, UNI } from "../../wire/lite/dialect.ts";
import type { Setup } from "../../wire/lite/setup.ts";
import { Goaway } from "../../wire/lite/track.ts";
import { framed } from "../../wire/message.ts";
import type { Version } from "../../wire/versions.ts";
import { CONTROL_ORDER, type Opening } from "../context.ts";
import { Intake } from "../intake.ts";
import { RunningSession } from "../running_session.ts";
import type { Entry } from "../session.ts";
import type { StreamReader } from "../stream_reader.ts";
import { Unfinished } from "../unfinished.ts";
import { LITE_CODES, LiteContext } from "./context.ts";
import { type Agreed, readSetup, sendSetup } from "./handshake.ts";
import { Publisher } from "./publisher.ts";
import { settled } from "./settle.ts";
import { Subscriber } from "./subscriber.ts";

/** How long our GOAWAY waits for the peer's first stream. */
const FIRST_STREAM_MS = 500;

/** What only the end does that was dialed. */
export interface ServerSide {
  /** Decides where the client is let in. @throws {SessionRefused} */
  enter(opening: Opening, wish: Pick<Setup, "path" | "role">): Promise<Entry>;
}

export class LiteSession extends RunningSession {
  protected readonly publisher: Publisher;
  protected readonly subscriber: Subscriber;
  readonly #context: LiteContext;
  #setupSeen = false;
  readonly #announceAsked = Promise.withResolvers<void>();

  /**
   * Opens the session.
   * @param agreed The version.
   * @param server On the end that was dialed.
   * @throws {NoCommonVersion} @throws {ProtocolViolation} @throws {ConnectionClosed}
   */
  static async open(
    opening: Opening,
    agreed: Agreed,
    server?: ServerSide,
  ): Promise<LiteSession> {
    const { connection, clock, quota, serve, consume } = opening;
    const { dialect } = agreed;
    const unfinished = new Unfinished(clock, quota.hits, LITE_CODES.stream.controlTimeout);
    const intake = new Intake(connection, LITE_CODES, unfinished, quota.hits);
    // A server learns from the client's SETUP which path it wants; streams that come before are kept.
    const awaitsSetup = server !== undefined && dialect.setup === "uni";
    intake.start(awaitsSetup ? UNI.setup : undefined);
    if (dialect.setup === "uni") await sendSetup(connection, ourSetup(opening, server));
    const setup = awaitsSetup ? await readSetup(await intake.first()) : undefined;
    const entry = await server?.enter(opening, { ...agreed, ...setup }) ??
      { root: "", serve, consume };
    const context = new LiteContext(dialect, opening, entry, unfinished);
    const session = new LiteSession(context, opening, setup);
    session.#run(intake, agreed.sessionStream);
    return session;
  }

  private constructor(context: LiteContext, opening: Opening, setup: Setup | undefined) {
    super(context, opening);
    this.#context = context;
    this.subscriber = new Subscriber(context, this.connection.remoteAddress);
    this.publisher = new Publisher(context, this.subscriber);
    if (setup !== undefined) this.#setup(setup);
    else if (context.dialect.setup !== "uni") context.setPeerKnown();
    else {
      const late = context.clock.after(opening.setupTimeoutMs, context.setPeerKnown);
      void context.peerKnown.then(late);
    }
  }

  get version(): Version {
    return this.#context.dialect.name;
  }

  override get peerKnown(): Promise<void> {
    return this.#context.peerKnown;
  }

  settled(timeoutMs: number): Promise<void> {
    return settled(this.connection, this.#context.dialect, timeoutMs);
  }

  /** 04+. It waits for the peer's first stream: older relays end a session if GOAWAY comes too early. */
  protected async sayGoaway(uri: string): Promise<void> {
    if (!this.#context.dialect.goaway) return;
    const early = sleep(FIRST_STREAM_MS, undefined, this.#context.clock);
    await Promise.race([this.#announceAsked.promise, early]);
    try {
      const stream = await this.connection.openBidi({ sendOrder: CONTROL_ORDER });
      stream.send.write(framed(Goaway.encode({ uri }), BIDI.goaway));
      stream.send.finish();
    } catch (error) {
      if (!(error instanceof ConnectionClosed)) throw error;
    }
  }

  protected async takeBidi(stream: BidiStream, reader: StreamReader): Promise<void> {
    try {
      const wait = this.#context.quota.message();
      if (wait !== undefined) await reader.prefetch(wait);
      const type = await reader.varint();
      if (!await this.#request(type, stream, reader)) this.#refuse(type, stream.receive, stream);
    } catch (error) {
      // The request was wrong, or cancelled before it was complete: our half must not stay open.
      stream.send.reset(this.#context.codes.stream.cancel);
      stream.receive.stop(this.#context.codes.stream.cancel);
      throw error;
    }
  }

  protected async takeUni(
    stream: ReceiveStream,
    reader: StreamReader,
    known?: number,
  ): Promise<void> {
    try {
      const type = known ?? await reader.varint();
      if (type === undefined) return;
      if (!await this.#uni(type, stream, reader)) this.#refuse(type, stream);
    } catch (error) {
      stream.stop(this.#context.codes.stream.cancel);
      throw error;
    }
  }

  #refuse(type: number | undefined, receive: ReceiveStream, both?: BidiStream): void {
    const { stats, log, codes } = this.#context;
    stats.streamsRefused++;
    log.debug("stream of an unknown type refused", { type });
    both?.send.reset(codes.stream.cancel);
    receive.stop(codes.stream.cancel);
  }

  /** @returns Whether its type is known. */
  async #request(
    type: number | undefined,
    stream: BidiStream,
    reader: StreamReader,
  ): Promise<boolean> {
    const { publisher } = this;
    // Answers go before groups, which peers cannot place without them. That to FETCH is a group itself.
    if (type !== BIDI.fetch) stream.send.setSendOrder(CONTROL_ORDER);
    if (type === undefined) stream.send.finish(); // cancelled before its first byte: browsers do that
    else if (type === BIDI.announce) {
      this.#announceAsked.resolve();
      await publisher.announce(stream, reader);
    } else if (type === BIDI.subscribe) await publisher.subscribe(stream, reader);
    else if (type === BIDI.fetch) await publisher.fetch(stream, reader);
    else if (type === BIDI.probe) await publisher.probe(stream, reader);
    else if (type === BIDI.track) await publisher.trackInfo(stream, reader);
    else if (type === BIDI.goaway && this.#context.dialect.goaway) {
      await this.#goaway(stream, reader);
    } else return false;
    return true;
  }

  /** @returns Whether its type is known. */
  async #uni(
    type: number,
    stream: ReceiveStream,
    reader: StreamReader,
  ): Promise<boolean> {
    if (type === UNI.group) await this.subscriber.group(stream, reader);
    else if (type === UNI.setup && this.#context.dialect.setup === "uni") await this.#late(reader);
    else return false;
    return true;
  }

  #run(intake: Intake, sessionStream: Agreed["sessionStream"]): void {
    const context = this.#context;
    if (sessionStream !== undefined) context.spawn(this.#follow(sessionStream));
    this.open(intake);
    if (context.consume !== undefined) context.spawn(this.subscriber.follow());
    if (context.dialect.timestamps) context.spawn(this.readDatagrams());
    void this.connection.closed.then(context.setPeerKnown);
  }

  /** SETUP of a server, or a second one. The session cannot go on if it is malformed. */
  async #late(reader: StreamReader): Promise<void> {
    try {
      this.#setup(await readSetup(reader));
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.#context.violated(error);
    }
  }

  #setup(setup: Setup): void {
    if (this.#setupSeen) throw new ProtocolViolation("SETUP", "it came twice");
    this.#setupSeen = true;
    this.#context.peerSetup = setup;
    if (setup.hop !== undefined) this.#context.peerHop = setup.hop;
    this.#context.setPeerKnown();
  }

  async #goaway(stream: BidiStream, reader: StreamReader): Promise<void> {
    const message = await reader.message(Goaway);
    stream.send.finish();
    if (message !== undefined) this.heardGoaway(message.uri);
  }

  /** The legacy session stream: its messages are skipped, and its end closes the session. */
  async #follow({ stream, reader }: NonNullable<Agreed["sessionStream"]>): Promise<void> {
    await reader.drain();
    stream.send.finish();
    this.close("none", "the session stream ended");
  }
}

/** What we say of ourselves (05+). */
function ourSetup({ hop, path, linkCost }: Opening, server: ServerSide | undefined): Setup {
  return {
    ...(hop === 0n ? {} : { hop }),
    ...(server === undefined && path !== undefined ? { path } : {}),
    ...(server === undefined && linkCost !== undefined ? { cost: linkCost } : {}),
  };
}
