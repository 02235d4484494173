/**
 * The streams of WebTransport in browsers, and of qmux, which has the same API.
 *
 * @module
 */
import type { ReceiveStream, SendEnd, SendStream } from "../connection.ts";
import { ConnectionClosed, StreamClosed, StreamReset } from "../errors.ts";

/** Largest piece of a write. A reset waits for the current piece, so a long backlog is written in pieces. */
const MAX_PIECE_BYTES = 32 * 1024;

/** The sending half of a stream of a browser. Unlike Deno's it can be reset. */
export class BrowserSend implements SendStream {
  readonly canReset = true;
  readonly closed: Promise<SendEnd>;
  readonly #stream: WebTransportSendStream;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #inFlight = 0;
  /** How we ended it. */
  #ending: "finished" | "reset" | undefined;
  /** How it has ended. */
  #end: SendEnd | undefined;
  #callback: (() => void) | undefined;
  #flushes: (() => void)[] = [];

  constructor(stream: WebTransportSendStream) {
    this.#stream = stream;
    this.#writer = stream.getWriter();
    this.closed = this.#writer.closed.then(
      () => this.#settle("finished"),
      (thrown) =>
        this.#settle(this.#ending === "reset" ? "reset" : ofStream(thrown) ? "stopped" : "lost"),
    );
  }
  get blocked(): boolean {
    return this.#inFlight > 0 && this.#end === undefined;
  }
  get done(): boolean {
    return this.#ending !== undefined || this.#end !== undefined;
  }

  write(bytes: Uint8Array): void {
    if (this.done || bytes.length === 0) return;
    if (bytes.length <= MAX_PIECE_BYTES) return this.#put(bytes);
    for (let at = 0; at < bytes.length; at += MAX_PIECE_BYTES) {
      this.#put(bytes.subarray(at, at + MAX_PIECE_BYTES));
    }
  }
  onWritable(callback: () => void): void {
    this.#callback = callback;
    if (!this.blocked) queueMicrotask(this.#wake);
  }
  async flush(bytes?: Uint8Array): Promise<void> {
    if (this.done) throw new StreamClosed(`it is ${this.#end ?? this.#ending}`);
    if (bytes) this.write(bytes);
    if (this.blocked) await new Promise<void>((resolve) => this.#flushes.push(resolve));
    if (this.#end === "stopped" || this.#end === "lost") {
      throw new StreamClosed(`it was ${this.#end}`);
    }
  }
  finish(): void {
    if (this.done) return;
    this.#ending = "finished";
    this.#writer.close().catch(ignore);
  }
  reset(code: number): void {
    if (this.#end !== undefined || this.#ending === "reset") return;
    this.#ending = "reset";
    this.#writer.abort(failureWith(code)).catch(ignore);
  }
  setSendOrder(order: number): void {
    this.#stream.sendOrder = order;
  }

  #put(bytes: Uint8Array): void {
    this.#inFlight++;
    this.#writer.write(bytes).then(this.#written, this.#written);
  }
  #settle(end: SendEnd): SendEnd {
    this.#end = end;
    this.#wake();
    return end;
  }
  // One closure per stream, not one per write.
  readonly #written = (): void => {
    if (--this.#inFlight === 0 && this.#end === undefined) this.#wake();
  };
  readonly #wake = (): void => {
    for (const flush of this.#flushes.splice(0)) flush();
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  };
}

/** The receiving half of a browser's stream. */
export class BrowserReceive implements ReceiveStream {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #stopped = false;

  constructor(stream: WebTransportReceiveStream) {
    this.#reader = stream.getReader();
  }
  async read(): Promise<Uint8Array | undefined> {
    try {
      return (await this.#reader.read()).value;
    } catch (cause) {
      if (this.#stopped) return undefined;
      if (ofStream(cause)) throw new StreamReset(cause.streamErrorCode ?? 0, { cause });
      throw new ConnectionClosed("it was lost, or the other side closed it", { cause });
    }
  }
  stop(code: number): void {
    this.#stopped = true;
    this.#reader.cancel(failureWith(code)).catch(ignore);
  }
}

/** Whether the peer ended one stream, not the session. Checks fields, because qmux has its own error class. */
function ofStream(thrown: unknown): thrown is Pick<WebTransportError, "streamErrorCode"> {
  return (thrown as { source?: unknown } | undefined)?.source === "stream";
}

/** The error to reset a stream with, for both forms of the constructor. */
function failureWith(code: number): Error {
  if (typeof WebTransportError !== "function") {
    return Object.assign(new Error(`code ${code}`), { streamErrorCode: code });
  }
  // In Chromium the constructor of older drafts has one argument with the code. Elsewhere the first one is the message.
  const Old = WebTransportError as unknown as new (init: object) => WebTransportError;
  const failure = new Old({ streamErrorCode: code });
  if (failure.streamErrorCode === code) return failure;
  return new WebTransportError("", { source: "stream", streamErrorCode: code });
}

function ignore(): void {}
