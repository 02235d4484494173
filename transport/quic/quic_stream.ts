import { concat } from "../../base/bytes.ts";
import type { ReceiveStream, SendEnd, SendStream } from "../connection.ts";
import { ConnectionClosed, StreamClosed, StreamReset } from "../errors.ts";
import { type QuicSink, sinkOf } from "./quic_sink.ts";

/** A first chunk up to this size is copied behind the stream's prefix, so that both leave in one write. */
const MAX_JOINED_BYTES = 4096;
/**
 * Size of the buffer of a pending read. Deno holds that memory for every waiting stream (64 KiB by default). So it begins
 * small, grows with a stream that fills it, and shrinks with one that does not.
 */
const READ_BYTES = { least: 512, most: 64 << 10, step: 8 } as const;

/** The owner of streams: a connection, or a WebTransport session on one. */
export interface StreamOwner {
  /** Streams being sent. They are referenced here, because Deno finishes a collected stream. */
  readonly sends: Set<QuicSend>;
  /** Streams being received that end with the owner. A raw connection needs none: QUIC ends them itself. */
  readonly receives: Set<QuicReceive>;
}

/** The credit of all streams of a session, in bytes. */
export interface SendCredit {
  /** Takes up to `wanted` bytes of credit. */
  take(wanted: number): number;
  /** Calls back once, when there is more credit or there will be none. */
  wait(callback: () => void): void;
}

/** The sending half of a QUIC stream. Deno has no RESET_STREAM: `reset` finishes. */
export class QuicSend implements SendStream {
  readonly canReset = false;
  readonly #stream: Deno.QuicSendStream;
  readonly #sink: QuicSink;
  readonly #end = Promise.withResolvers<SendEnd>();
  readonly closed: Promise<SendEnd> = this.#end.promise;
  #owner: StreamOwner;
  #prefix: Uint8Array | undefined;
  #credit: SendCredit | undefined;
  /** Bytes that wait for credit, in order. They count as one write in flight. */
  #withheld: Uint8Array[] | undefined;
  #inFlight = 0;
  #ending: SendEnd | undefined;
  #over = false;
  #callback: (() => void) | undefined;
  #flushes: (() => void)[] | undefined;

  constructor(stream: Deno.QuicSendStream, owner: StreamOwner) {
    this.#stream = stream;
    this.#sink = sinkOf(stream);
    this.#owner = owner;
    owner.sends.add(this);
  }
  /** The QUIC stream id. */
  get id(): number {
    return Number(this.#stream.id);
  }
  get blocked(): boolean {
    return this.#inFlight > 0;
  }
  get done(): boolean {
    return this.#ending !== undefined;
  }

  /**
   * Makes the stream one of a session: `prefix` is sent before the first bytes, in the same write if they are few.
   * @param credit The credit of the bytes after the prefix; absent where only QUIC limits them.
   */
  adopt(owner: StreamOwner, prefix?: Uint8Array, credit?: SendCredit): void {
    this.#credit = credit;
    this.#owner.sends.delete(this);
    this.#owner = owner;
    this.#prefix = prefix;
    if (!this.#over) owner.sends.add(this);
  }
  write(bytes: Uint8Array): void {
    if (this.#ending !== undefined || bytes.length === 0) return;
    if (this.#credit !== undefined) return this.#spend(this.#credit, bytes);
    this.#put(this.#prefix === undefined ? bytes : this.#prefixed(this.#prefix, bytes));
  }
  onWritable(callback: () => void): void {
    this.#callback = callback;
    if (!this.blocked) queueMicrotask(this.#wake);
  }
  async flush(bytes?: Uint8Array): Promise<void> {
    if (this.done) throw new StreamClosed(`it is ${this.#ending}`);
    if (bytes) this.write(bytes);
    if (this.blocked) await new Promise<void>((resolve) => (this.#flushes ??= []).push(resolve));
    const ending: SendEnd | undefined = this.#ending;
    if (ending === "stopped" || ending === "lost") throw new StreamClosed(`it was ${ending}`);
  }
  finish(): void {
    this.#finish("finished");
  }
  reset(_code: number): void {
    this.#finish("reset");
  }
  setSendOrder(order: number): void {
    if (this.done) return;
    try {
      this.#stream.sendOrder = order;
    } catch { // The stream has ended with the connection.
    }
  }
  /**
   * Ends the stream as "lost", because its owner is gone. Nothing is sent: Deno can only send FIN, which says that all was
   * written. The caller holds the stream until the connection is closed, and releases it then: Deno finishes a collected one.
   */
  lose(): void {
    this.#settle("lost");
  }
  /** Gives a lost stream back. */
  release(): void {
    this.#sink.abort().catch(ignore);
  }

  #put(bytes: Uint8Array): void {
    this.#inFlight++;
    this.#sink.write(bytes).then(this.#written, this.#failed);
  }
  #spend(credit: SendCredit, bytes: Uint8Array): void {
    if (this.#prefix !== undefined) this.#put(this.#prefix);
    this.#prefix = undefined;
    if (this.#withheld !== undefined) return void this.#withheld.push(bytes);
    const now = credit.take(bytes.length);
    if (now > 0) this.#put(bytes.subarray(0, now));
    if (now === bytes.length) return;
    this.#withheld = [bytes.subarray(now)];
    this.#inFlight++;
    credit.wait(this.#credited);
  }
  readonly #credited = (): void => {
    const [withheld, credit] = [this.#withheld, this.#credit];
    if (this.#over || withheld === undefined || credit === undefined) return;
    for (let bytes; (bytes = withheld[0]) !== undefined; withheld.shift()) {
      const now = credit.take(bytes.length);
      if (now > 0) this.#put(bytes.subarray(0, now));
      if (now === bytes.length) continue;
      withheld[0] = bytes.subarray(now);
      return credit.wait(this.#credited);
    }
    this.#withheld = undefined;
    this.#written();
  };
  #prefixed(prefix: Uint8Array, bytes: Uint8Array): Uint8Array {
    this.#prefix = undefined;
    if (bytes.length > MAX_JOINED_BYTES) {
      this.#put(prefix);
      return bytes;
    }
    const joined = new Uint8Array(prefix.length + bytes.length);
    joined.set(prefix);
    joined.set(bytes, prefix.length);
    return joined;
  }
  #finish(ending: SendEnd): void {
    if (this.#ending !== undefined) return;
    if (this.#prefix) {
      this.#put(this.#prefix);
      this.#prefix = undefined;
    }
    this.#ending = ending;
    if (this.#inFlight === 0) this.#close();
  }
  #close(): void {
    const ending = this.#ending!;
    this.#sink.close().then(() => this.#settle(ending), this.#failed);
  }
  #settle(end: SendEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#ending = end;
    this.#inFlight = 0;
    this.#withheld = undefined;
    this.#owner.sends.delete(this);
    this.#end.resolve(end);
    this.#wake();
  }
  // One closure per stream, not one per write.
  readonly #written = (): void => {
    if (this.#over) return;
    if (--this.#inFlight > 0) return;
    if (this.#ending !== undefined) this.#close();
    this.#wake();
  };
  readonly #failed = (thrown: unknown): void => {
    this.#settle(thrown instanceof Deno.errors.ConnectionReset ? "stopped" : "lost");
  };
  readonly #wake = (): void => {
    const flushes = this.#flushes;
    this.#flushes = undefined;
    if (flushes) { for (const flush of flushes) flush(); }
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  };
}

/** The receiving half of a QUIC stream. */
export class QuicReceive implements ReceiveStream {
  readonly #stream: Deno.QuicReceiveStream;
  readonly #reader: ReadableStreamBYOBReader;
  #readBytes: number = READ_BYTES.least;
  #owner: StreamOwner | undefined;
  #rest: Uint8Array | undefined;
  /** A pending read that has no caller yet. */
  #ahead: Promise<Uint8Array | undefined> | undefined;
  #gathering = false;
  #codeOf: (quicCode: number) => number = (code) => code;
  #received: ((bytes: number) => void) | undefined;
  #stopped = false;
  #gone: ConnectionClosed | undefined;

  constructor(stream: Deno.QuicReceiveStream) {
    this.#stream = stream;
    this.#reader = stream.getReader({ mode: "byob" });
  }
  /** The QUIC stream id. */
  get id(): number {
    return Number(this.#stream.id);
  }
  /**
   * Makes the stream one of a session, which has its own error codes.
   * @param received Called with the number of bytes of each read.
   */
  adopt(
    owner: StreamOwner,
    codeOf: (quicCode: number) => number,
    received?: (bytes: number) => void,
  ): void {
    this.#gathering = false;
    this.#received = received;
    this.#owner = owner;
    this.#codeOf = codeOf;
    owner.receives.add(this);
  }
  /** Puts bytes back: the next read returns them first. */
  unread(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#rest = bytes;
  }
  /**
   * Reads ahead until the stream is read or adopted; that reader gets the bytes first. No read may be pending.
   * @returns Whether at most `mostBytes` came until then.
   */
  async gather(mostBytes: number): Promise<boolean> {
    this.#gathering = true;
    while (this.#gathering) {
      if ((this.#rest?.length ?? 0) > mostBytes) return false;
      const ahead = this.#ahead = this.#next();
      const chunk = await ahead.catch(() => undefined);
      if (!this.#gathering) return true; // another caller has the read now
      if (chunk === undefined) break; // the reader gets the end again
      this.#ahead = undefined;
      this.#rest = this.#rest === undefined ? chunk : concat([this.#rest, chunk]);
    }
    this.#gathering = false;
    return true;
  }
  read(): Promise<Uint8Array | undefined> {
    this.#gathering = false;
    if (this.#gone) return Promise.reject(this.#gone);
    if (this.#rest) {
      const rest = this.#rest;
      this.#rest = undefined;
      this.#received?.(rest.length);
      return Promise.resolve(rest);
    }
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead ?? this.#next();
  }
  #next(): Promise<Uint8Array | undefined> {
    return this.#reader.read(new Uint8Array(this.#readBytes)).then(this.#took, this.#threw);
  }
  stop(_code: number): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#rest = undefined;
    this.#gathering = false;
    this.#leave();
    this.#reader.cancel().catch(ignore);
  }
  /** Ends the stream because its owner is gone: all reads throw `why`. */
  fail(why: ConnectionClosed): void {
    this.#gone ??= why;
    this.stop(0);
  }

  #leave(): void {
    this.#owner?.receives.delete(this);
    this.#owner = undefined;
  }
  readonly #took = (
    result: ReadableStreamReadResult<Uint8Array<ArrayBuffer>>,
  ): Uint8Array | undefined => {
    if (!result.done) {
      const { length } = result.value;
      this.#received?.(length);
      if (length === this.#readBytes) {
        this.#readBytes = Math.min(length * READ_BYTES.step, READ_BYTES.most);
      } else if (length * READ_BYTES.step < this.#readBytes) {
        this.#readBytes = Math.max(this.#readBytes / READ_BYTES.step, READ_BYTES.least);
      }
      return result.value;
    }
    this.#leave();
    if (this.#gone) throw this.#gone;
    return undefined;
  };
  readonly #threw = (thrown: unknown): undefined => {
    this.#leave();
    if (this.#gone) throw this.#gone;
    if (this.#stopped) return undefined;
    if (thrown instanceof Deno.errors.ConnectionReset) {
      // Deno has the code only in its message.
      const code = Number(/error (\d+)/.exec(thrown.message)?.[1] ?? 0);
      throw new StreamReset(this.#codeOf(code), { cause: thrown });
    }
    throw new ConnectionClosed("it was lost, or the other side closed it", { cause: thrown });
  };
}

function ignore(): void {}
