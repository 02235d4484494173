/**
 * What sessions of every protocol have in common: how streams are taken in and fail, GOAWAY, the regular sweep, and the end.
 *
 * @module
 */
import type { CloseReason } from "./reasons.ts";
import type { BroadcastSource } from "../relay/ports.ts";
import type { HopId } from "../relay/route.ts";
import type { BidiStream, CloseInfo, Connection, ReceiveStream } from "../transport/connection.ts";
import { ProtocolViolation } from "../wire/errors.ts";
import type { Version } from "../wire/versions.ts";
import type { Opening, SessionContext } from "./context.ts";
import type { Intake } from "./intake.ts";
import type { ProbeReport, Served, Session } from "./session.ts";
import type { StreamReader } from "./stream_reader.ts";
import type { Sent, Swept } from "./sweep.ts";

/** How long GOAWAY may come after the transport's own request to leave. */
const DRAIN_MS = 1000;

/** The half of a session that serves the peer. */
export interface PublisherHalf {
  /** Subscriptions served now. */
  readonly subscriptions: number;
  served(): Iterable<Served>;
  /** Ends every subscription in order: groups that have begun are sent to their end. */
  drain(): void;
  readonly sent: Sent;
  /** The session is over. */
  close(): void;
}

/** The half of a session that brings in what the peer announces. */
export interface SubscriberHalf extends BroadcastSource {
  /** Broadcasts the peer announces now. */
  readonly announcements: number;
  /** Subscriptions open at the peer now. */
  readonly subscriptions: number;
  probe(): Promise<ProbeReport | undefined>;
  /** A datagram the peer sent. @throws {ProtocolViolation} */
  datagram(bytes: Uint8Array): void;
  /** The peer wants to leave: every other route is better from now on. */
  devalue(): void;
  /** The session is over. @param abrupt Whether the peer was lost without a close. */
  close(abrupt: boolean): void;
}

export abstract class RunningSession implements Session {
  abstract readonly version: Version;
  readonly connection: Connection;
  readonly closed: Promise<CloseInfo>;
  protected abstract readonly publisher: PublisherHalf;
  protected abstract readonly subscriber: SubscriberHalf;
  readonly #context: SessionContext;
  readonly #onGoaway: Opening["onGoaway"];
  #goawaySent = false;
  #goawaySeen = false;

  constructor(context: SessionContext, { onGoaway }: Opening) {
    this.connection = context.connection;
    this.#context = context;
    this.#onGoaway = onGoaway;
    this.closed = this.#end();
    void this.connection.draining?.then(() => this.#drained());
  }

  get root(): string {
    return this.#context.root;
  }

  get peerHop(): HopId {
    return this.#context.peerHop;
  }

  get peerKnown(): Promise<void> {
    return Promise.resolve();
  }

  get source(): BroadcastSource {
    return this.subscriber;
  }

  get announcements(): number {
    return this.subscriber.announcements;
  }

  get subscriptions(): number {
    return this.subscriber.subscriptions;
  }

  get servedCount(): number {
    return this.publisher.subscriptions;
  }

  served(): Iterable<Served> {
    return this.publisher.served();
  }

  probe(): Promise<ProbeReport | undefined> {
    return this.subscriber.probe();
  }

  abstract settled(timeoutMs: number): Promise<void>;

  async goaway(uri = ""): Promise<void> {
    if (this.#goawaySent) return;
    this.#goawaySent = true;
    this.connection.drain?.();
    await this.sayGoaway(uri);
  }

  drain(): void {
    this.publisher.drain();
  }

  get swept(): Swept {
    const { quota, unfinished, log } = this.#context;
    return { sent: this.publisher.sent, quota, unfinished, log };
  }

  close(reason: CloseReason | number = "none", text = ""): number {
    return this.#context.close(reason, text);
  }

  reasonFor(code: number): CloseReason | undefined {
    const words = Object.entries(this.#context.codes.session) as [CloseReason, number][];
    return words.find(([, known]) => known === code)?.[0];
  }

  /** Sends GOAWAY, if this version has it. */
  protected abstract sayGoaway(uri: string): Promise<void>;

  /** A bidirectional stream that the peer has opened. */
  protected abstract takeBidi(stream: BidiStream, reader: StreamReader): Promise<void>;

  /** A unidirectional stream that the peer has opened. @param type Its type, if it was read already. */
  protected abstract takeUni(
    stream: ReceiveStream,
    reader: StreamReader,
    type?: number,
  ): Promise<void>;

  /** Takes streams from now on. */
  protected open(intake: Intake): void {
    const context = this.#context;
    intake.open({
      uni: (stream, reader, type) => context.spawn(this.takeUni(stream, reader, type)),
      bidi: (stream, reader) => context.spawn(this.takeBidi(stream, reader)),
    });
  }

  /** Takes datagrams until the session ends. */
  protected async readDatagrams(): Promise<void> {
    for (;;) {
      const bytes = await this.connection.readDatagram();
      if (bytes === undefined) return;
      try {
        this.subscriber.datagram(bytes);
      } catch (error) {
        if (!(error instanceof ProtocolViolation)) throw error;
        this.#context.stats.datagramsMalformed++;
        this.#context.fault(error);
      }
    }
  }

  /** The peer has sent GOAWAY. @throws {ProtocolViolation} It came twice. */
  protected heardGoaway(uri: string): void {
    if (this.#goawaySeen) throw new ProtocolViolation("GOAWAY", "it came twice");
    this.#goawaySeen = true;
    this.#leave(uri);
  }

  /** The transport says that the peer wants us to leave. GOAWAY names a URL too, so it gets a moment to come. */
  #drained(): void {
    const cancel = this.#context.clock.after(DRAIN_MS, () => {
      if (!this.#goawaySeen) this.#leave("");
    });
    void this.closed.then(cancel);
  }

  #leave(uri: string): void {
    if (this.#context.peerLeaving) return;
    this.#context.peerLeaving = true;
    this.#context.log.info("the peer asks us to leave", { uri });
    this.subscriber.devalue();
    this.#onGoaway?.(uri);
  }

  async #end(): Promise<CloseInfo> {
    const info = await this.connection.closed;
    const { codes, peerLeaving, quota } = this.#context;
    // A peer that leaves on purpose may come back elsewhere: its broadcasts linger as if it was lost.
    this.subscriber.close(info.abrupt || info.code !== codes.session.none || peerLeaving);
    this.publisher.close();
    quota.close();
    return info;
  }
}
