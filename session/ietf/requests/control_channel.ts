/**
 * Requests on the control stream (up to 16): all of them share it, and messages name their request.
 * Spec: draft-ietf-moq-transport-16, "Control Messages".
 *
 * @module
 */
import { sameBytes } from "../../../base/bytes.ts";
import type { BidiStream, SendStream } from "../../../transport/connection.ts";
import { ConnectionClosed } from "../../../transport/errors.ts";
import { ProtocolViolation } from "../../../wire/errors.ts";
import { requestCode } from "../../../wire/ietf/codes.ts";
import type { ControlMessage, Messages, Request } from "../../../wire/ietf/dialect.ts";
import type { Namespace } from "../../../wire/ietf/names.ts";
import type { Parameters } from "../../../wire/ietf/parameters.ts";
import { CONTROL_ORDER } from "../../context.ts";
import { StreamReader } from "../../stream_reader.ts";
import type { Channel, ChannelEvents } from "./channel.ts";
import type { IetfContext } from "../context.ts";
import type { OnAnswer } from "./any_exchange.ts";
import { ControlExchange } from "./control_exchange.ts";
import { followControl } from "./control_stream.ts";
import { readControl } from "./control_reader.ts";
import type { Exchange, RequestMessage } from "../exchange.ts";
import { isAnswer, isRequest } from "./expected.ts";
import { CountedIds, OurIds, type Side } from "./request_ids.ts";
import { StreamExchange } from "./stream_exchange.ts";
import { WaitingRequests } from "./waiting_requests.ts";

/** The control stream, behind SETUP. */
export interface ControlBidi {
  readonly send: SendStream;
  readonly reader: StreamReader;
  /** MAX_REQUEST_ID in the peer's SETUP; 0 when absent. */
  readonly maxRequestId: number;
}

export class ControlChannel implements Channel {
  readonly #context: IetfContext;
  readonly #control: ControlBidi;
  readonly #ours: OurIds;
  readonly #theirs: CountedIds;
  readonly #asked = new Map<number, ControlExchange>();
  readonly #served = new Map<number, ControlExchange>();
  /** Requests on streams of their own. */
  readonly #streams = new Set<StreamExchange>();
  /** Our updates that wait for their answer, by their numbers. */
  readonly #updates = new Map<number, OnAnswer>();
  readonly #waiting = new WaitingRequests();
  #events: ChannelEvents | undefined;
  /** What REQUESTS_BLOCKED has said. */
  #blockedAt = -1;
  #over = false;

  /** @param side Ours. */
  constructor(context: IetfContext, side: Side, control: ControlBidi) {
    this.#context = context;
    this.#control = control;
    this.#ours = new OurIds(side, control.maxRequestId);
    const { namespaceStream } = context.profile;
    this.#theirs = new CountedIds(side === "client" ? "server" : "client", namespaceStream);
  }

  get sending(): SendStream {
    return this.#control.send;
  }

  run(events: ChannelEvents): Promise<void> {
    this.#events = events;
    return followControl(this.#context, this.#control.reader, {
      hear: (message) => this.#hear(message),
      isAsked: ({ kind, value }) => {
        const { requestId } = value as { readonly requestId?: number };
        return isAnswer(kind) && requestId !== undefined &&
          (this.#asked.has(requestId) || this.#updates.has(requestId));
      },
    });
  }

  async open<K extends Exclude<Request, "update">>(
    kind: K,
    value: Omit<Messages[K], "requestId">,
  ): Promise<Exchange> {
    const { dialect, profile } = this.#context;
    const own = kind === "subscribeNamespace" && profile.namespaceStream;
    const stream = own ? await this.#waiting.until(() => this.#openBidi()) : undefined;
    while (!this.#mayAsk()) await this.#waiting.until(() => this.#ours.granted);
    const whole = { ...value, requestId: this.#ours.next } as unknown as Messages[K];
    const bytes = dialect.encode(kind, whole);
    this.#ours.take();
    const request = { kind, value: whole } as unknown as RequestMessage;
    if (stream !== undefined) {
      const exchange = this.#onStream(request, stream, true);
      stream.send.write(bytes);
      return exchange;
    }
    const exchange = new ControlExchange(this.#context, this.#stream, request, true);
    this.#asked.set(exchange.id, exchange);
    this.#control.send.write(bytes);
    return exchange;
  }

  /** Only SUBSCRIBE_NAMESPACE comes on a stream of its own, in draft 16. */
  async bidi(stream: BidiStream, reader: StreamReader): Promise<void> {
    const { dialect, profile, quota } = this.#context;
    await quota.message();
    const request = await readControl(reader, dialect);
    if (request === undefined) return stream.send.finish(); // cancelled before its first byte: browsers do that
    if (request.kind !== "subscribeNamespace" || !profile.namespaceStream) {
      throw new ProtocolViolation("stream", `${request.kind} on a stream of its own`);
    }
    this.#theirs.take(request.value.requestId);
    const exchange = this.#onStream(request, stream, false, reader);
    try {
      await this.#events!.serve(exchange);
    } finally {
      exchange.done();
      this.#counted();
    }
  }

  goaway(uri: string): void {
    const value = { uri, timeoutMs: undefined, requestId: undefined };
    this.#control.send.write(this.#context.dialect.encode("goaway", value));
  }

  close(): void {
    this.#over = true;
    this.#ours.stop();
    for (const exchange of [...this.#asked.values(), ...this.#served.values()]) exchange.lose();
    this.#streams.clear();
  }

  #hear(message: ControlMessage): void {
    const { kind, value } = message;
    if (isRequest(message)) return this.#request(message);
    switch (kind) {
      case "goaway":
        return this.#events!.goaway(value);
      case "maxRequestId":
        return this.#ours.raise(value.requestId);
      case "requestsBlocked":
        return this.#context.log.debug("the peer waits for MAX_REQUEST_ID", {
          at: value.requestId,
        });
      case "update":
        return this.#update(value);
      case "publishNamespaceDone":
      case "publishNamespaceCancel": {
        const { requestId: id, namespace } = value;
        const among = kind === "publishNamespaceDone" ? this.#served : this.#asked;
        return this.#push(message, id ?? idOf(among, "publishNamespace", namespace));
      }
      case "unsubscribeNamespace":
        return this.#push(
          message,
          value.requestId ?? idOf(this.#served, "subscribeNamespace", value.prefix),
        );
      case "requestOk":
      case "requestError":
        if (this.#updates.has(value.requestId!)) return this.#updated(message);
        return this.#push(message, value.requestId);
      case "subscribeOk":
      case "fetchOk":
      case "publishDone":
      case "unsubscribe":
      case "fetchCancel":
        return this.#push(message, value.requestId);
      default:
        throw new ProtocolViolation("control stream", `${kind} has no place there`);
    }
  }

  #request(request: RequestMessage): void {
    const { profile, dialect } = this.#context;
    if (request.kind === "subscribeNamespace" && profile.namespaceStream) {
      throw new ProtocolViolation("control stream", "SUBSCRIBE_NAMESPACE has a stream of its own");
    }
    if (!dialect.has(request.kind)) throw new ProtocolViolation("control stream", request.kind);
    this.#theirs.take(request.value.requestId);
    const exchange = new ControlExchange(this.#context, this.#stream, request, false);
    this.#served.set(exchange.id, exchange);
    this.#context.spawn(this.#serve(exchange));
  }

  async #serve(exchange: ControlExchange): Promise<void> {
    try {
      await this.#events!.serve(exchange);
    } finally {
      exchange.done();
      this.#served.delete(exchange.id);
      this.#counted();
    }
  }

  /** One more request of the peer is over: it may send another. */
  #counted(): void {
    const max = this.#theirs.over();
    if (max === undefined || this.#over) return;
    this.#control.send.write(this.#context.dialect.encode("maxRequestId", { requestId: max }));
  }

  #update(update: Messages["update"]): void {
    const { dialect, profile } = this.#context;
    this.#theirs.take(update.requestId);
    this.#counted();
    const existing = update.existing!;
    const exchange = this.#find(existing);
    if (exchange !== undefined) return exchange.push({ kind: "update", value: update });
    if (!dialect.answers("requestError", "update")) return;
    const code = requestCode(profile, "update", "doesNotExist");
    const error = { code, retryMs: undefined, reason: "it is over", redirect: undefined };
    const { requestId } = update;
    this.#control.send.write(dialect.encode("requestError", { requestId, ...error }, "update"));
  }

  /** @param id Absent: what it was about is over. */
  #push(message: ControlMessage, id: number | undefined): void {
    if (id !== undefined) this.#find(id)?.push(message);
  }

  /** The exchange of a number; `undefined` when it is over. @throws {ProtocolViolation} There never was one. */
  #find(id: number): ControlExchange | undefined {
    const found = this.#asked.get(id) ?? this.#served.get(id);
    if (found === undefined && !this.#ours.was(id) && !this.#theirs.was(id)) {
      throw new ProtocolViolation(
        "control stream",
        `a message about request ${id}, which nobody made`,
      );
    }
    return found;
  }

  /** Whether the peer allows one more request now. It is told that one waits. @throws {ConnectionClosed} */
  #mayAsk(): boolean {
    if (this.#over) throw new ConnectionClosed("its session is over");
    const { free, max } = this.#ours;
    if (!free && this.#blockedAt < max) {
      this.#blockedAt = max;
      const blocked = this.#context.dialect.encode("requestsBlocked", { requestId: max });
      this.#control.send.write(blocked);
    }
    return free;
  }

  #openBidi(): Promise<BidiStream> {
    return this.#context.connection.openBidi({ sendOrder: CONTROL_ORDER });
  }

  #onStream(
    request: RequestMessage,
    stream: BidiStream,
    ours: boolean,
    reader = new StreamReader(stream.receive, request.kind, this.#context.unfinished),
  ): StreamExchange {
    const streams = {
      takeId: (id: number) => {
        this.#theirs.take(id);
        this.#counted();
      },
      nextId: () => undefined,
      closed: (exchange: StreamExchange) => void this.#streams.delete(exchange),
    };
    const exchange = new StreamExchange(this.#context, streams, request, { stream, reader, ours });
    this.#streams.add(exchange);
    return exchange;
  }

  /** An answer to an update of ours. */
  #updated(
    { kind, value }: ControlMessage & { readonly kind: "requestOk" | "requestError" },
  ): void {
    const onAnswer = this.#updates.get(value.requestId!)!;
    this.#updates.delete(value.requestId!);
    onAnswer(kind === "requestOk" ? value.parameters : undefined);
  }

  async #sendUpdate(
    existing: number,
    parameters: Parameters,
    onAnswer: OnAnswer,
  ): Promise<void> {
    while (!this.#mayAsk()) await this.#ours.granted;
    if (this.#find(existing) === undefined) return; // it is over by now
    const { dialect } = this.#context;
    const requestId = this.#ours.take();
    if (dialect.answers("requestOk", "update")) this.#updates.set(requestId, onAnswer);
    this.#control.send.write(dialect.encode("update", { requestId, existing, parameters }));
    if (!this.#updates.has(requestId)) onAnswer(undefined);
  }

  readonly #stream = ((channel: ControlChannel) => ({
    get send() {
      return channel.#control.send;
    },
    write: (bytes: Uint8Array) => channel.#control.send.write(bytes),
    update: (existing: number, parameters: Parameters, onAnswer: OnAnswer) =>
      channel.#context.spawn(channel.#sendUpdate(existing, parameters, onAnswer)),
    closed(exchange: ControlExchange) {
      channel.#asked.delete(exchange.id);
    },
  }))(this);
}

/** The request about a namespace or a prefix. Draft 14 names it so. */
function idOf(
  among: ReadonlyMap<number, ControlExchange>,
  kind: "publishNamespace" | "subscribeNamespace",
  named: Namespace | undefined,
): number | undefined {
  for (const { id, request } of among.values()) {
    if (request.kind !== kind) continue;
    const own = request.kind === "publishNamespace"
      ? request.value.namespace
      : (request.value as Messages["subscribeNamespace"]).prefix;
    if (isSame(own, named)) return id;
  }
  return undefined;
}

function isSame(a: Namespace, b: Namespace = []): boolean {
  return a.length === b.length &&
    a.every((field, i) => sameBytes(field, b[i]!));
}
