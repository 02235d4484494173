import type {
  BidiStream,
  CloseInfo,
  Connection,
  ReceiveStream,
  SendStream,
  StreamOptions,
} from "../connection.ts";
import { ConnectionClosed } from "../errors.ts";
import { type Delivery, memoryPipe, type MemoryReceive, type MemorySend } from "./memory_stream.ts";
import { Arrivals } from "../queue.ts";

/** What a pair in memory imitates. Every limit holds for both ends. */
export interface MemoryPairOptions {
  /** Default "". */
  readonly protocol?: string;
  /** Default "/". */
  readonly path?: string;
  /** False imitates a transport without resets, where `reset` only finishes. Default true. */
  readonly canReset?: boolean;
  /** Bytes that wait per stream before the writer stays `blocked`. Default: no limit. */
  readonly windowBytes?: number;
  /** Most bytes that one `read` returns, to split messages anywhere. Default: no limit. */
  readonly readBytes?: number;
  /** Unidirectional streams one end may have open at a time; further `openUni` calls wait. Default: no limit. */
  readonly maxUniStreams?: number;
  /** The same for bidirectional streams. Default: no limit. */
  readonly maxBidiStreams?: number;
  /** What each end calls the other. Default: "memory:b" and "memory:a". */
  readonly remotes?: readonly [string, string];
  /** 0 imitates a transport without datagrams. Default 1,200. */
  readonly maxDatagramBytes?: number;
}

/**
 * Two connected ends in memory: no sockets, no timers; everything arrives in microtasks, so a test that awaits both sides
 * is deterministic. As on QUIC, a stream shows at the peer with its first bytes (or its end), and what was not read when
 * the connection ends is lost.
 */
export function memoryPair(options: MemoryPairOptions = {}): [MemoryConnection, MemoryConnection] {
  const [ofA, ofB] = options.remotes ?? ["memory:b", "memory:a"];
  const a = new MemoryConnection(options, ofA);
  const b = new MemoryConnection(options, ofB);
  a.peer = b;
  b.peer = a;
  return [a, b];
}

/** One end of {@link memoryPair}. */
export class MemoryConnection implements Connection {
  readonly kind = "memory";
  readonly protocol: string;
  readonly path: string;
  readonly maxDatagramBytes: number;
  /** The other end. */
  peer!: MemoryConnection;
  readonly #options: MemoryPairOptions;
  readonly #end = Promise.withResolvers<CloseInfo>();
  readonly closed: Promise<CloseInfo> = this.#end.promise;
  readonly #uni = new Arrivals<ReceiveStream>();
  readonly #bidi = new Arrivals<BidiStream>();
  readonly #datagrams = new Arrivals<Uint8Array>();
  readonly #uniCredit: Credit;
  readonly #bidiCredit: Credit;
  readonly #sends = new Set<MemorySend>();
  readonly #receives = new Set<MemoryReceive>();
  #ended: CloseInfo | undefined;
  /** What has not arrived, while nothing does. */
  #stalled: (() => void)[] | undefined;

  constructor(options: MemoryPairOptions, readonly remoteAddress: string) {
    this.#options = options;
    this.protocol = options.protocol ?? "";
    this.path = options.path ?? "/";
    this.maxDatagramBytes = options.maxDatagramBytes ?? 1200;
    this.#uniCredit = new Credit(options.maxUniStreams ?? Infinity);
    this.#bidiCredit = new Credit(options.maxBidiStreams ?? Infinity);
  }

  /** Streams of ours that are not over yet, for tests that look for leaks. */
  get openStreams(): { readonly sending: number; readonly receiving: number } {
    return { sending: this.#sends.size, receiving: this.#receives.size };
  }

  async openUni(options: StreamOptions = {}): Promise<SendStream> {
    await this.#uniCredit.take();
    this.#check();
    const { send, receive } = this.#pipe(this, this.peer, options.sendOrder ?? 0, {
      onFirst: () => this.peer.#uni.push(receive),
      onOver: () => this.#uniCredit.give(),
    });
    return send;
  }
  async openBidi(options: StreamOptions = {}): Promise<BidiStream> {
    await this.#bidiCredit.take();
    this.#check();
    let left = 2;
    const onOver = () => --left === 0 && this.#bidiCredit.give();
    const there = this.#pipe(this, this.peer, options.sendOrder ?? 0, {
      onFirst: () => this.peer.#bidi.push({ send: back.send, receive: there.receive }),
      onOver,
    });
    const back = this.#pipe(this.peer, this, 0, { onFirst() {}, onOver });
    return { send: there.send, receive: back.receive };
  }
  acceptUni(): Promise<ReceiveStream | undefined> {
    return this.#uni.next();
  }
  acceptBidi(): Promise<BidiStream | undefined> {
    return this.#bidi.next();
  }
  sendDatagram(payload: Uint8Array): boolean {
    if (this.#ended || payload.length > this.maxDatagramBytes || this.maxDatagramBytes === 0) {
      return false;
    }
    const copy = payload.slice();
    this.#deliver(() => this.peer.#datagrams.push(copy));
    return true;
  }
  readDatagram(): Promise<Uint8Array | undefined> {
    return this.#datagrams.next();
  }
  close(code = 0, reason = ""): void {
    const info = { code, reason, abrupt: false };
    if (this.#ended) return;
    this.#over(info);
    this.#deliver(() => this.peer.#over(info));
  }
  /** Imitates a lost network or a killed process: both ends end without a close. */
  drop(): void {
    const info = { code: 0, reason: "connection lost", abrupt: true };
    this.#over(info);
    queueMicrotask(() => this.peer.#over(info));
  }
  /** Imitates a network or a process that stands still: what this end sends arrives after {@link resume}, if it is not lost. */
  stall(): void {
    this.#stalled ??= [];
  }
  /** Goes on after {@link stall}. */
  resume(): void {
    const late = this.#stalled ?? [];
    this.#stalled = undefined;
    for (const arrived of late) queueMicrotask(arrived);
  }

  readonly #deliver: Delivery = (arrived) => {
    if (this.#stalled === undefined) queueMicrotask(arrived);
    else this.#stalled.push(arrived);
  };
  #over(info: CloseInfo): void {
    if (this.#ended) return;
    this.#ended = info;
    for (const send of this.#sends) send.abandon("lost");
    for (const receive of this.#receives) receive.fail(this.#gone(info));
    for (const arrivals of [this.#uni, this.#bidi, this.#datagrams]) arrivals.end();
    this.#uniCredit.end();
    this.#bidiCredit.end();
    this.#end.resolve(info);
  }
  #check(): void {
    const ended = this.#ended ?? this.peer.#ended;
    if (ended) throw this.#gone(ended);
  }
  #gone(info: CloseInfo): ConnectionClosed {
    return new ConnectionClosed(
      info.abrupt ? info.reason : `it was closed with code ${info.code} (${info.reason})`,
    );
  }
  #pipe(
    from: MemoryConnection,
    to: MemoryConnection,
    sendOrder: number,
    on: { onFirst(): void; onOver(): void },
  ): { send: MemorySend; receive: MemoryReceive } {
    const pipe = memoryPipe({
      canReset: this.#options.canReset ?? true,
      windowBytes: this.#options.windowBytes ?? Infinity,
      readBytes: this.#options.readBytes ?? Infinity,
      sendOrder,
      there: from.#deliver,
      back: to.#deliver,
      onFirst: on.onFirst,
      onOver: () => {
        to.#receives.delete(pipe.receive);
        on.onOver();
      },
    });
    from.#sends.add(pipe.send);
    to.#receives.add(pipe.receive);
    pipe.send.closed.then(() => from.#sends.delete(pipe.send));
    return pipe;
  }
}

/** How many more streams may be open at a time. */
class Credit {
  readonly #waiting: (() => void)[] = [];
  #left: number;
  #ended = false;
  constructor(left: number) {
    this.#left = left;
  }

  /** Waits for room. Also fulfils when the connection has ended: the caller checks. */
  take(): Promise<void> {
    if (this.#ended) return Promise.resolve();
    if (this.#left > 0) {
      this.#left--;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
  give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#left++;
  }
  end(): void {
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting();
  }
}
