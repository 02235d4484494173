/**
 * Requests on streams of their own (17+): one bidirectional stream each, opened by whoever asks. The control stream of each
 * side has SETUP and GOAWAY alone. Spec: draft-ietf-moq-transport-18, "Session".
 *
 * @module
 */
import type { BidiStream, SendStream } from "../../../transport/connection.ts";
import { ProtocolViolation } from "../../../wire/errors.ts";
import type { Messages, Request } from "../../../wire/ietf/dialect.ts";
import { CONTROL_ORDER } from "../../context.ts";
import { StreamReader } from "../../stream_reader.ts";
import type { Channel, ChannelEvents } from "./channel.ts";
import type { IetfContext } from "../context.ts";
import { followControl } from "./control_stream.ts";
import { readControl } from "./control_reader.ts";
import type { Exchange, RequestMessage } from "../exchange.ts";
import { isRequest } from "./expected.ts";
import { FreeIds, OurIds, type Side } from "./request_ids.ts";
import { StreamExchange } from "./stream_exchange.ts";
import { WaitingRequests } from "./waiting_requests.ts";

/** The control streams of both sides, behind SETUP. */
export interface ControlPair {
  readonly send: SendStream;
  readonly reader: StreamReader;
}

export class StreamChannel implements Channel {
  readonly #context: IetfContext;
  readonly #control: ControlPair;
  readonly #ours: OurIds;
  readonly #theirs: FreeIds;
  /** Holds the streams too: Deno finishes one that nobody holds. */
  readonly #open = new Set<StreamExchange>();
  readonly #waiting = new WaitingRequests();
  #events: ChannelEvents | undefined;

  /** @param side Ours. */
  constructor(context: IetfContext, side: Side, control: ControlPair) {
    this.#context = context;
    this.#control = control;
    this.#ours = new OurIds(side, Infinity);
    this.#theirs = new FreeIds(side === "client" ? "server" : "client");
  }

  get sending(): SendStream {
    return this.#control.send;
  }

  run(events: ChannelEvents): Promise<void> {
    this.#events = events;
    return followControl(this.#context, this.#control.reader, {
      hear({ kind, value }) {
        if (kind === "goaway") return events.goaway(value);
        throw new ProtocolViolation("control stream", `${kind} has no place there`);
      },
      isAsked: () => false,
    });
  }

  async open<K extends Exclude<Request, "update">>(
    kind: K,
    value: Omit<Messages[K], "requestId">,
  ): Promise<Exchange> {
    const { connection, dialect, unfinished } = this.#context;
    const stream = await this.#waiting.until(() =>
      connection.openBidi({ sendOrder: CONTROL_ORDER })
    );
    const whole = { ...value, requestId: this.#ours.next } as unknown as Messages[K];
    let bytes: Uint8Array;
    try {
      bytes = dialect.encode(kind, whole);
    } catch (error) {
      stream.send.finish();
      stream.receive.stop(this.#context.codes.stream.cancel);
      throw error;
    }
    this.#ours.take();
    const request = { kind, value: whole } as unknown as RequestMessage;
    const reader = new StreamReader(stream.receive, kind, unfinished);
    const exchange = new StreamExchange(this.#context, this.#streams, request, {
      stream,
      reader,
      ours: true,
    });
    this.#open.add(exchange);
    stream.send.write(bytes);
    return exchange;
  }

  async bidi(stream: BidiStream, reader: StreamReader): Promise<void> {
    const { dialect, quota } = this.#context;
    await quota.message();
    const request = await readControl(reader, dialect);
    if (request === undefined) return stream.send.finish(); // cancelled before its first byte: browsers do that
    if (!isRequest(request)) {
      throw new ProtocolViolation("request stream", `it begins with ${request.kind}`);
    }
    this.#theirs.take(request.value.requestId);
    const exchange = new StreamExchange(this.#context, this.#streams, request, {
      stream,
      reader,
      ours: false,
    });
    this.#open.add(exchange);
    try {
      await this.#events!.serve(exchange);
    } finally {
      exchange.done();
    }
  }

  goaway(uri: string): void {
    const { dialect } = this.#context;
    const value = { uri, timeoutMs: 0, requestId: this.#theirs.floor };
    this.#control.send.write(dialect.encode("goaway", value));
  }

  close(): void {
    this.#open.clear();
  }

  readonly #streams = {
    takeId: (id: number) => this.#theirs.take(id),
    nextId: () => this.#ours.take(),
    closed: (exchange: StreamExchange) => void this.#open.delete(exchange),
  };
}
