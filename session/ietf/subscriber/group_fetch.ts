/**
 * One FETCH of a group, or of its beginning: the answer comes on the request, the objects on a stream of their own, in any order.
 *
 * @module
 */
import { GroupTooLarge, NotFound, SourceLost } from "../../../relay/errors.ts";
import type { GroupSink } from "../../../relay/ports.ts";
import type { ReceiveStream } from "../../../transport/connection.ts";
import { ConnectionClosed, StreamReset } from "../../../transport/errors.ts";
import { ProtocolViolation } from "../../../wire/errors.ts";
import type { FullName } from "../../../wire/ietf/names.ts";
import type { StreamReader } from "../../stream_reader.ts";
import type { Exchange } from "../exchange.ts";
import { FetchedObjects } from "./fetched_objects.ts";
import type { Requesting, RunningFetch } from "./requesting.ts";

/** How long the answer may take to begin. */
const BEGIN_MS = 10_000;

/** What of a track is fetched. */
export interface FetchedRange {
  readonly group: number;
  /** Default: the whole group. */
  readonly endObject?: number;
  /** How long the answer may take to begin. Default: {@link BEGIN_MS}. */
  readonly beginMs?: number;
}

export class GroupFetch implements RunningFetch {
  readonly objects: FetchedObjects;
  readonly #shared: Requesting;
  readonly #range: FetchedRange;
  readonly #sink: GroupSink;
  readonly #begun = Promise.withResolvers<void>();
  #exchange: Exchange | undefined;
  #stream: ReceiveStream | undefined;
  #answered = false;
  #over = false;
  #cancelWait: (() => void) | undefined;

  /** @param sink Is told that the fetch has ended also when nothing came. @param what For errors. */
  constructor(
    shared: Requesting,
    range: FetchedRange,
    sink: GroupSink,
    readonly what: string,
  ) {
    this.#shared = shared;
    this.#range = range;
    this.#sink = sink;
    this.objects = new FetchedObjects(shared.context.profile, range.group, sink);
  }

  /** Whether more may come. */
  get isRunning(): boolean {
    return this.#exchange !== undefined && !this.#over;
  }

  /** Asks. Fulfils when the first object is here; the rest follows. @throws {NotFound} @throws {SourceLost} */
  async run(name: FullName): Promise<void> {
    const { context: { clock }, exchanges, fetches } = this.#shared;
    const { group, endObject, beginMs = BEGIN_MS } = this.#range;
    const end = endObject === undefined ? { group } : { group, object: endObject };
    try {
      const exchange = await exchanges.open("fetch", {
        target: { kind: "track", namespace: name.namespace, track: name.track },
        parameters: { filter: { kind: "range", start: { group, object: 0 }, end } },
      });
      this.#exchange = exchange;
      if (this.#over) exchange.cancel();
      else {
        fetches.set(exchange.id, this);
        this.#cancelWait = clock.after(beginMs, () => this.#fail());
      }
      void this.#answers(exchange);
    } catch (error) {
      if (!(error instanceof ConnectionClosed || error instanceof RangeError)) throw error;
      this.#fail(error);
    }
    await this.#begun.promise;
  }

  /** The stream with the objects. @throws {ProtocolViolation} */
  async stream(stream: ReceiveStream, reader: StreamReader): Promise<void> {
    const { context } = this.#shared;
    if (this.#over || this.#stream !== undefined) return stream.stop(context.codes.stream.cancel);
    this.#stream = stream;
    try {
      for (;;) {
        const chunk = await reader.chunk();
        if (chunk === undefined) break;
        context.quota.received(chunk.length);
        if (this.#over) return;
        this.objects.push(chunk);
        if (this.objects.refused) return this.#fail();
        if (this.objects.begun) this.#goesOn();
      }
      // A sender that cannot reset ends an aborted answer inside an object.
      this.#stream = undefined;
      if (this.objects.atBoundary && this.objects.begun) this.#end(!this.objects.hasHoles);
      else this.#fail();
    } catch (error) {
      this.#fail(error);
      if (error instanceof GroupTooLarge) context.log.warn(error.message, { track: this.what });
      else if (error instanceof ProtocolViolation) throw error;
    }
  }

  /** The session is gone. */
  lost(): void {
    this.#fail(new ConnectionClosed("its session is over"));
  }

  async #answers(exchange: Exchange): Promise<void> {
    try {
      for (;;) {
        const message = await exchange.next();
        if (message?.kind === "fetchOk") this.#answered = true;
        else if (message === undefined && this.#answered) return;
        if (this.#over || message?.kind === "requestError") exchange.finish();
        if (message?.kind !== "fetchOk") return this.#fail();
      }
    } catch (error) {
      this.#fail(error);
      if (!(error instanceof ConnectionClosed || error instanceof StreamReset)) {
        this.#shared.context.failed(error);
      }
    }
  }

  #goesOn(): void {
    this.#cancelWait?.();
    this.#begun.resolve();
  }

  #end(complete: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#goesOn();
    this.#sink.ended(complete);
    if (this.#answered) this.#exchange?.finish();
    if (this.#exchange !== undefined) this.#shared.fetches.delete(this.#exchange.id);
  }

  /** It is refused, or does not come to its end. */
  #fail(error?: unknown): void {
    if (this.#over) return;
    const { context: { codes } } = this.#shared;
    this.#stream?.stop(codes.stream.cancel);
    this.#exchange?.cancel();
    this.#begun.reject(
      error instanceof ConnectionClosed
        ? new SourceLost(this.what, { cause: error })
        : new NotFound(this.what, "group"),
    );
    this.#begun.promise.catch(() => {}); // nobody waits any more when it has begun
    this.#end(false);
  }
}
