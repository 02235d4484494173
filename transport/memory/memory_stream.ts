import type { ReceiveStream, SendEnd, SendStream } from "../connection.ts";
import { ConnectionClosed, StreamClosed, StreamReset } from "../errors.ts";

/** Calls back when what was sent arrives. */
export type Delivery = (arrived: () => void) => void;

/** Options of one direction of a stream. */
export interface PipeOptions {
  readonly canReset: boolean;
  /** Bytes that wait before writes stay blocked. */
  readonly windowBytes: number;
  /** Most bytes that one `read` returns. */
  readonly readBytes: number;
  readonly sendOrder: number;
  /** Lets the receiver have something of the sender, and the sender something of the receiver. Later, in order. */
  readonly there: Delivery;
  readonly back: Delivery;
  /** Called when the receiver may see the stream: bytes, an end or a reset are coming. */
  readonly onFirst: () => void;
  /** Called when both sides have ended this direction. */
  readonly onOver: () => void;
}

/** One direction of a stream: two connected ends. */
export function memoryPipe(options: PipeOptions): { send: MemorySend; receive: MemoryReceive } {
  const receive = new MemoryReceive(options);
  const send = new MemorySend(options, receive);
  receive.from = send;
  return { send, receive };
}

/** The sending half in memory. Written bytes are copied when the window takes them, one microtask later at the earliest. */
export class MemorySend implements SendStream {
  readonly canReset: boolean;
  /** The last send order, for tests. */
  sendOrder: number;
  readonly #options: PipeOptions;
  readonly #to: MemoryReceive;
  readonly #end = Promise.withResolvers<SendEnd>();
  readonly closed: Promise<SendEnd> = this.#end.promise;
  #pending: Uint8Array[] = [];
  #ending: "finished" | "reset" | undefined;
  #over = false;
  #first = true;
  #pumping = false;
  #callback: (() => void) | undefined;
  readonly #flushes: (() => void)[] = [];

  constructor(options: PipeOptions, to: MemoryReceive) {
    this.canReset = options.canReset;
    this.sendOrder = options.sendOrder;
    this.#options = options;
    this.#to = to;
  }
  get blocked(): boolean {
    return this.#pending.length > 0;
  }
  get done(): boolean {
    return this.#over || this.#ending !== undefined;
  }
  write(bytes: Uint8Array): void {
    if (this.done || bytes.length === 0) return;
    this.#pending.push(bytes);
    this.pump();
  }
  onWritable(callback: () => void): void {
    this.#callback = callback;
    if (!this.blocked) queueMicrotask(() => this.#wake());
  }
  async flush(bytes?: Uint8Array): Promise<void> {
    if (this.done) throw new StreamClosed("it is finished, reset or stopped");
    if (bytes) this.write(bytes);
    if (this.blocked) await new Promise<void>((resolve) => this.#flushes.push(resolve));
    if (this.#over && this.#ending === undefined) {
      throw new StreamClosed(`it was ${await this.closed}`);
    }
  }
  finish(): void {
    if (this.done) return;
    this.#ending = "finished";
    this.pump();
  }
  reset(code: number): void {
    if (this.#over) return;
    if (!this.canReset) {
      if (this.#ending === undefined) this.#ending = "reset";
      return this.pump();
    }
    this.#announce();
    this.#settle("reset");
    this.#options.there(() => this.#to.fail(new StreamReset(code)));
  }
  setSendOrder(order: number): void {
    this.sendOrder = order;
  }

  /** The receiver has stopped, or the connection is gone. */
  abandon(end: "stopped" | "lost"): void {
    if (this.#over) return;
    this.#ending = undefined;
    this.#settle(end);
  }
  /** Moves bytes into the window, in the next microtask. */
  pump(): void {
    if (this.#pumping || this.#over) return;
    this.#pumping = true;
    this.#announce();
    this.#options.there(() => {
      this.#pumping = false;
      this.#move();
    });
  }

  #announce(): void {
    if (!this.#first) return;
    this.#first = false;
    this.#options.there(this.#options.onFirst);
  }
  #move(): void {
    if (this.#over) return;
    const before = this.#pending.length;
    while (this.#pending.length > 0) {
      const chunk = this.#pending[0]!;
      const taken = this.#to.take(chunk);
      if (taken < chunk.length) {
        this.#pending[0] = chunk.subarray(taken);
        return;
      }
      this.#pending.shift();
    }
    if (this.#ending !== undefined) {
      this.#to.finish();
      this.#settle(this.#ending);
    } else if (before > 0) this.#wake();
  }
  #settle(end: SendEnd): void {
    this.#over = true;
    this.#pending = [];
    this.#end.resolve(end);
    this.#wake();
  }
  #wake(): void {
    for (const flush of this.#flushes.splice(0)) flush();
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  }
}

/** The receiving half in memory. */
export class MemoryReceive implements ReceiveStream {
  from!: MemorySend;
  readonly #options: PipeOptions;
  readonly #chunks: Uint8Array[] = [];
  #held = 0;
  #finished = false;
  #failure: Error | undefined;
  #over = false;
  #reader: PromiseWithResolvers<Uint8Array | undefined> | undefined;

  constructor(options: PipeOptions) {
    this.#options = options;
  }
  read(): Promise<Uint8Array | undefined> {
    if (this.#reader) {
      return Promise.reject(new TypeError("Cannot read: a read is under way already"));
    }
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#chunks.length > 0) return Promise.resolve(this.#shift());
    if (this.#finished) {
      this.#leave();
      return Promise.resolve(undefined);
    }
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }
  stop(_code: number): void {
    this.#finished = true;
    this.#chunks.length = 0;
    this.#answer();
    this.#options.back(() => this.from.abandon("stopped"));
    this.#leave();
  }

  /** Copies bytes of `chunk` into the window. @returns How many fitted. */
  take(chunk: Uint8Array): number {
    if (this.#finished || this.#failure) return chunk.length;
    const taken = Math.min(chunk.length, this.#options.windowBytes - this.#held);
    if (taken <= 0) return 0;
    this.#chunks.push(chunk.slice(0, taken));
    this.#held += taken;
    this.#answer();
    return taken;
  }
  finish(): void {
    this.#finished = true;
    this.#answer();
  }
  fail(failure: StreamReset | ConnectionClosed): void {
    if (this.#over || this.#failure) return;
    this.#failure = failure;
    this.#chunks.length = 0;
    this.#reader?.reject(failure);
    this.#reader = undefined;
    this.#leave();
  }

  #shift(): Uint8Array {
    const whole = this.#chunks.shift()!;
    const most = this.#options.readBytes;
    if (whole.length > most) this.#chunks.unshift(whole.subarray(most));
    const chunk = whole.length > most ? whole.slice(0, most) : whole;
    this.#held -= chunk.length;
    this.from.pump();
    return chunk;
  }
  #answer(): void {
    const reader = this.#reader;
    if (!reader) return;
    if (this.#chunks.length === 0 && !this.#finished) return;
    this.#reader = undefined;
    if (this.#chunks.length > 0) return reader.resolve(this.#shift());
    reader.resolve(undefined);
    this.#leave();
  }
  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.onOver();
  }
}
