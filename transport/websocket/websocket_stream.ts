/**
 * A WebSocket as a pair of streams, for qmux, with limits on its memory: it drops a socket that takes no data, or that sends
 * without reading our answers.
 *
 * @module
 */

/** Nothing more is written while the socket has more unsent bytes than this. */
const HIGH_WATER_BYTES = 64 * 1024;
/** Longest message. qmux sends at most 16 KiB in one. */
const MAX_MESSAGE_BYTES = 64 * 1024;
/** Bytes that a peer may send while it reads nothing of ours. Without this limit our answers would pile up. */
const MAX_UNANSWERED_BYTES = 512 * 1024;
/** How often a full socket is checked: browsers have no event for room. */
const POLL_MS = 10;

/** Options of a socket. */
export interface SocketOptions {
  /** The subprotocol. On a server of Deno the socket does not have it. */
  readonly protocol?: string;
  /** A socket that takes no data for this long is dropped. Default 30,000. */
  readonly stallMs?: number;
  /** How long the other end may take to close in order. Default 2,000. */
  readonly closeMs?: number;
  /** Drops the TCP connection at once, for sockets that cannot be closed in order. */
  readonly drop?: () => void;
  /** Called with each message. */
  readonly heard?: () => void;
}

/** An open or opening WebSocket with the API of WebSocketStream. It owns the socket. */
export class SocketStream {
  readonly url: string;
  readonly opened: Promise<{
    readable: ReadableStream<Uint8Array | string>;
    writable: WritableStream<Uint8Array | string>;
    extensions: string;
    protocol: string;
  }>;
  readonly closed: Promise<{ closeCode: number; reason: string }>;
  readonly #socket: WebSocket;
  readonly #options: SocketOptions;
  readonly #end = Promise.withResolvers<{ closeCode: number; reason: string }>();
  #incoming!: ReadableStreamDefaultController<Uint8Array | string>;
  #over = false;
  #stuck = false;
  #unanswered = 0;

  constructor(socket: WebSocket, options: SocketOptions = {}) {
    this.#socket = socket;
    this.#options = options;
    this.url = socket.url;
    this.closed = this.#end.promise;
    socket.binaryType = "arraybuffer";
    const readable = new ReadableStream<Uint8Array | string>({
      start: (controller) => void (this.#incoming = controller),
      cancel: () => this.close(),
    });
    const writable = new WritableStream<Uint8Array | string>({
      write: (chunk) => this.#write(chunk as Uint8Array<ArrayBuffer>),
      close: () => this.close(),
      abort: () => this.close(),
    });
    const opened = Promise.withResolvers<Awaited<SocketStream["opened"]>>();
    opened.promise.catch(() => {}); // `closed` has the error as well
    this.opened = opened.promise;
    const open = () => {
      const { extensions, protocol } = socket;
      opened.resolve({ readable, writable, extensions, protocol: options.protocol ?? protocol });
    };
    if (socket.readyState === WebSocket.OPEN) open();
    socket.onopen = open;
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onerror = (event) => {
      const { message } = event as Partial<ErrorEvent>;
      const why = message || "the WebSocket failed";
      opened.reject(new Error(why));
      // Some sockets have no close event after an error.
      this.#settle(1006, why);
    };
    socket.onclose = ({ code, reason }) => {
      opened.reject(new Error("the WebSocket was closed before it opened"));
      this.#settle(code, reason);
    };
    if (socket.readyState > WebSocket.OPEN) socket.onclose(new CloseEvent("close"));
  }

  /** Closes in order. When that takes too long, the TCP connection is dropped. */
  close(): void {
    if (this.#over) return;
    try {
      this.#socket.close();
    } catch { // It is gone already.
    }
    const late = setTimeout(
      () => this.#drop("it was not closed in time"),
      this.#options.closeMs ?? 2000,
    );
    void this.closed.then(() => clearTimeout(late));
  }

  #take(data: unknown): void {
    if (this.#over) return;
    this.#options.heard?.();
    if (typeof data === "string") return this.#incoming.enqueue(data); // qmux refuses it.
    const bytes = new Uint8Array(data as ArrayBuffer);
    if (bytes.length > MAX_MESSAGE_BYTES) {
      return this.#drop(`a message of ${bytes.length} bytes came`);
    }
    if (this.#stuck && (this.#unanswered += bytes.length) > MAX_UNANSWERED_BYTES) {
      return this.#drop("the peer keeps sending and takes no answer");
    }
    this.#incoming.enqueue(bytes);
  }
  #write(bytes: Uint8Array<ArrayBuffer>): Promise<void> | undefined {
    if (this.#over || this.#socket.readyState !== WebSocket.OPEN) {
      throw new Error("the WebSocket is closed");
    }
    this.#socket.send(bytes);
    return this.#socket.bufferedAmount <= HIGH_WATER_BYTES ? undefined : this.#drained();
  }
  async #drained(): Promise<void> {
    const stallMs = this.#options.stallMs ?? 30_000;
    let least = Infinity;
    let since = performance.now();
    this.#stuck = true;
    this.#unanswered = 0;
    for (let left; (left = this.#socket.bufferedAmount) > HIGH_WATER_BYTES;) {
      if (this.#over) throw new Error("the WebSocket is closed");
      const now = performance.now();
      if (left < least) [least, since] = [left, now];
      else if (now - since > stallMs) this.#drop("it takes no data");
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    this.#stuck = false;
  }
  #drop(why: string): void {
    if (this.#over) return;
    try {
      this.#socket.close();
    } catch { // It is gone already.
    }
    this.#settle(1006, why);
    this.#options.drop?.();
  }
  #settle(closeCode: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#incoming.close();
    this.#end.resolve({ closeCode, reason });
  }
}
