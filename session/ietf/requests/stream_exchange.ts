import type { BidiStream, SendStream } from "../../../transport/connection.ts";
import { ProtocolViolation } from "../../../wire/errors.ts";
import type { ControlMessage } from "../../../wire/ietf/dialect.ts";
import type { Parameters } from "../../../wire/ietf/parameters.ts";
import { CONTROL_ORDER } from "../../context.ts";
import type { StreamReader } from "../../stream_reader.ts";
import { AnyExchange, type OnAnswer } from "./any_exchange.ts";
import type { IetfContext } from "../context.ts";
import { readControl } from "./control_reader.ts";
import type { RequestMessage } from "../exchange.ts";
import { isAnswer } from "./expected.ts";

/** How long a peer may take to end its side of a request that is over. */
const LINGER_MS = 1000;

/** What a request on its own stream needs of the session. */
export interface RequestStreams {
  /** The number of an update of the peer. @throws {ProtocolViolation} */
  takeId(id: number): void;
  /** The number of an update of ours; `undefined` where the draft has none on such a stream. */
  nextId(): number | undefined;
  /** The exchange is over. */
  closed(exchange: StreamExchange): void;
}

/** A request with a stream of its own. */
export class StreamExchange extends AnyExchange {
  readonly #stream: BidiStream;
  readonly #reader: StreamReader;
  readonly #streams: RequestStreams;
  #reading: Promise<ControlMessage | undefined> | undefined;
  #cancelled = false;

  constructor(
    context: IetfContext,
    streams: RequestStreams,
    request: RequestMessage,
    { stream, reader, ours }: {
      readonly stream: BidiStream;
      readonly reader: StreamReader;
      readonly ours: boolean;
    },
  ) {
    super(context, request.value.requestId, request, ours);
    this.#stream = stream;
    this.#reader = reader;
    this.#streams = streams;
    if (!ours) stream.send.setSendOrder(CONTROL_ORDER);
  }

  get out(): SendStream {
    return this.#stream.send;
  }

  async next(): Promise<ControlMessage | undefined> {
    while (!this.peerOver) {
      try {
        const message = await this.#read();
        if (this.peerOver) return undefined;
        if (message === undefined) return await this.#finished();
        if (message.kind === "update") this.#streams.takeId(message.value.requestId);
        const heard = this.heard(message);
        if (heard === "next") return message;
        if (heard === "end") this.peerOver = true;
      } catch (error) {
        if (this.peerOver) return undefined; // it was cancelled meanwhile
        this.peerOver = true;
        if (error instanceof ProtocolViolation) this.context.violated(error);
        this.#leave();
        throw error;
      }
    }
    return undefined;
  }

  protected sendUpdate(parameters: Parameters, onAnswer: OnAnswer): void {
    const requestId = this.#streams.nextId();
    if (requestId === undefined) return;
    this.unanswered.push(onAnswer);
    const { dialect } = this.context;
    this.write(dialect.encode("update", { requestId, existing: undefined, parameters }));
  }

  finish(): void {
    if (this.over) return;
    this.over = true;
    this.#stream.send.finish();
    if (this.ours && this.peerOver) void this.#linger();
  }

  cancel(): void {
    if (this.#cancelled || (this.over && this.peerOver)) return;
    this.#cancelled = this.peerOver = true;
    if (this.#endSaysNothing) void this.#leaveByUpdates();
    else this.#leave();
  }

  /** The handler of the peer's request is done: whoever still waits for a message gets none. */
  done(): void {
    this.over = this.peerOver = true;
    this.#stream.send.finish();
    void this.#linger();
  }

  protected write(bytes: Uint8Array): void {
    this.#stream.send.write(bytes);
  }

  #read(): Promise<ControlMessage | undefined> {
    return this.#reading = this.#readOne().finally(() => this.#reading = undefined);
  }

  async #readOne(): Promise<ControlMessage | undefined> {
    const { dialect, quota } = this.context;
    const message = await readControl(this.#reader, dialect);
    if (message === undefined || isAnswer(message.kind)) return message;
    await quota.message();
    return message;
  }

  /** The peer has ended its side in order. */
  async #finished(): Promise<undefined> {
    const { request: { kind } } = this;
    const last = this.ours || kind === "publish";
    const cancels = this.context.profile.finCancels && kind !== "fetch" && kind !== "trackStatus";
    // Otherwise it only has no more to say. It stops our side when it wants no more.
    if (!last && !cancels) await this.#stream.send.closed;
    this.peerOver = true;
    if (this.ours && this.over) this.#streams.closed(this);
    return undefined;
  }

  /** Both sides are given up. */
  #leave(): void {
    const { cancel } = this.context.codes.stream;
    this.over = true;
    this.#stream.receive.stop(cancel);
    this.#stream.send.reset(cancel);
    this.#streams.closed(this);
  }

  /** Whether the other side would take the end of ours for silence. */
  get #endSaysNothing(): boolean {
    const { send } = this.#stream;
    const { kind } = this.request;
    return this.ours && kind !== "fetch" && kind !== "trackStatus" && !send.canReset &&
      !send.done &&
      !this.context.profile.finCancels;
  }

  /**
   * Gives the request up where streams cannot be reset and the end of our side says nothing. A peer without resets sees that
   * its side is stopped only when it writes, and ours is stopped only when no read is pending. So the answer to a first update
   * ends our read, and the peer fails to answer a second one.
   */
  async #leaveByUpdates(): Promise<void> {
    const { clock } = this.context;
    const nothing = this.request.kind === "subscribe" ? { forward: false } : {};
    this.update(nothing);
    const late = Promise.withResolvers<void>();
    const cancel = clock.after(LINGER_MS, late.resolve);
    const answered = (this.#reading ?? this.#read()).catch(() => {});
    await Promise.race([answered, late.promise]);
    cancel();
    this.#stream.receive.stop(this.context.codes.stream.cancel);
    this.update(nothing);
    this.#leave();
  }

  /** The peer's side has to end too, to give its stream back. */
  async #linger(): Promise<void> {
    const { clock, codes } = this.context;
    const cancel = clock.after(LINGER_MS, () => this.#stream.receive.stop(codes.stream.cancel));
    await this.#reading?.catch(() => {});
    await this.#reader.drain();
    cancel();
    this.#streams.closed(this);
  }
}
