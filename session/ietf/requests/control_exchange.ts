import type { SendStream } from "../../../transport/connection.ts";
import { ConnectionClosed } from "../../../transport/errors.ts";
import { ProtocolViolation } from "../../../wire/errors.ts";
import { requestCode, type RequestWord } from "../../../wire/ietf/codes.ts";
import type { ControlMessage } from "../../../wire/ietf/dialect.ts";
import type { Parameters } from "../../../wire/ietf/parameters.ts";
import { AnyExchange, type OnAnswer } from "./any_exchange.ts";
import type { IetfContext } from "../context.ts";
import type { RequestMessage } from "../exchange.ts";

/** Messages of one request that may wait for its handler. */
export const MAX_QUEUED = 64;

/** What a request on the control stream needs of it. */
export interface ControlStream {
  readonly send: SendStream;
  write(bytes: Uint8Array): void;
  /** Sends an update of ours when the peer allows one more request. */
  update(existing: number, parameters: Parameters, onAnswer: OnAnswer): void;
  /** The exchange says no more. */
  closed(exchange: ControlExchange): void;
}

/** A request on the control stream, beside all others. */
export class ControlExchange extends AnyExchange {
  readonly #control: ControlStream;
  readonly #queue: ControlMessage[] = [];
  #wake = () => {};
  #lost: ConnectionClosed | undefined;

  constructor(
    context: IetfContext,
    control: ControlStream,
    request: RequestMessage,
    ours: boolean,
  ) {
    super(context, request.value.requestId, request, ours);
    this.#control = control;
  }

  get out(): SendStream {
    return this.#control.send;
  }

  /** A message of the peer about this request. @throws {ProtocolViolation} */
  push(message: ControlMessage): void {
    if (this.peerOver) return; // it crossed our own end
    const heard = this.heard(message);
    if (heard === "nothing") return;
    if (heard === "end") this.peerOver = true;
    else if (this.#queue.push(message) > MAX_QUEUED) {
      throw new ProtocolViolation(message.kind, `more than ${MAX_QUEUED} for one request at once`);
    }
    if (this.peerOver) this.over = true;
    if (this.over) this.#control.closed(this);
    this.#wake();
  }

  async next(): Promise<ControlMessage | undefined> {
    while (this.#queue.length === 0) {
      if (this.peerOver) return undefined;
      if (this.#lost !== undefined) throw this.#lost;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#queue.shift();
  }

  protected sendUpdate(parameters: Parameters, onAnswer: OnAnswer): void {
    this.#control.update(this.id, parameters, onAnswer);
  }

  finish(): void {
    if (this.over) return;
    this.over = true;
    if (this.ours) this.done();
  }

  cancel(word: RequestWord = "uninterested"): void {
    if (this.over) return;
    const { request: { kind, value }, ours } = this;
    // A namespace is named too: some drafts name the request by it.
    if (ours) {
      if (kind === "subscribe") this.send("unsubscribe", {});
      else if (kind === "fetch") this.send("fetchCancel", {});
      else if (kind === "publishNamespace") {
        this.send("publishNamespaceDone", { namespace: value.namespace });
      } else if (kind === "subscribeNamespace") {
        this.send("unsubscribeNamespace", { prefix: value.prefix });
      }
    } else if (kind === "publish") this.send("unsubscribe", {});
    else if (kind === "publishNamespace") {
      const code = requestCode(this.context.profile, kind, word);
      this.send("publishNamespaceCancel", { namespace: value.namespace, code, reason: "" });
    }
    this.done();
  }

  /** Nothing more is said or heard. */
  done(): void {
    this.over = this.peerOver = true;
    this.#control.closed(this);
    this.#wake();
  }

  /** The session is over. */
  lose(): void {
    this.over = true;
    this.#lost = new ConnectionClosed("its session is over");
    this.#wake();
  }

  protected write(bytes: Uint8Array): void {
    this.#control.write(bytes);
  }
}
