import type { BidiStream, SendStream } from "../../../transport/connection.ts";
import { ProtocolViolation } from "../../../wire/errors.ts";
import type { ControlMessage } from "../../../wire/ietf/dialect.ts";
import type { Parameters } from "../../../wire/ietf/parameters.ts";
import { CONTROL_ORDER } from "../../context.ts";
import type { StreamReader } from "../../stream_reader.ts";
import { AnyExchange } from "./any_exchange.ts";
import type { IetfContext } from "../context.ts";
import { readControl } from "./control_reader.ts";
import type { OnAccepted, RequestMessage } from "../exchange.ts";
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
        if (this.heard(message) === "next") return message;
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

  update(parameters: Parameters, onAccepted?: OnAccepted): void {
    if (this.over) return;
    const requestId = this.#streams.nextId();
    if (requestId === undefined) return;
    this.unanswered.push(onAccepted);
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
    if (this.over && this.peerOver) return;
    this.peerOver = true;
    this.#leave();
  }

  /** The handler of the peer's request is done. */
  done(): void {
    this.over = true;
    this.#stream.send.finish();
    void this.#linger();
  }

  protected write(bytes: Uint8Array): void {
    this.#stream.send.write(bytes);
  }

  async #read(): Promise<ControlMessage | undefined> {
    const { dialect, quota } = this.context;
    const message = await readControl(this.#reader, dialect);
    if (message === undefined || isAnswer(message.kind)) return message;
    const wait = quota.message();
    if (wait !== undefined) await this.#reader.prefetch(wait);
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
    const { codes: { stream: { cancel } }, profile } = this.context;
    const { send, receive } = this.#stream;
    receive.stop(cancel);
    // Without a reset the end of our side says nothing to later drafts, and a peer may see that we have stopped its side only
    // when it writes: so it gets something to answer.
    const { kind } = this.request;
    const told = send.canReset || profile.finCancels || kind === "fetch" || kind === "trackStatus";
    if (!told) this.update(kind === "subscribe" || kind === "publish" ? { forward: false } : {});
    this.over = true;
    send.reset(cancel);
    this.#streams.closed(this);
  }

  /** The peer's side has to end too, to give its stream back. */
  async #linger(): Promise<void> {
    const { clock, codes } = this.context;
    const cancel = clock.after(LINGER_MS, () => this.#stream.receive.stop(codes.stream.cancel));
    await this.#reader.drain();
    cancel();
    this.#streams.closed(this);
  }
}
