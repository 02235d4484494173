/**
 * A connection with latency between two ends in memory: two pairs, and in between what carries streams, datagrams and the
 * close from one to the other.
 *
 * @module
 */
import type { BidiStream, ReceiveStream, SendStream } from "../../../transport/connection.ts";
import { StreamReset } from "../../../transport/errors.ts";
import { type MemoryConnection, memoryPair } from "../../../transport/memory/memory.ts";
import type { Carriage } from "./carriage.ts";

export interface WireOptions {
  readonly protocol: string;
  /** Path and query that were dialed. Default "/". */
  readonly path?: string;
  /** What each end calls the other. */
  readonly remotes: readonly [string, string];
}

export class Wire {
  /** The end that has dialed, and the other one. */
  readonly near: MemoryConnection;
  readonly far: MemoryConnection;
  readonly #inner: readonly [MemoryConnection, MemoryConnection];
  readonly #carriage: Carriage;

  constructor(carriage: Carriage, { remotes: [toFar, toNear], ...options }: WireOptions) {
    const [near, a] = memoryPair({ ...options, remotes: [toFar, "wire"] });
    const [far, b] = memoryPair({ ...options, remotes: [toNear, "wire"] });
    this.near = near;
    this.far = far;
    this.#inner = [a, b];
    this.#carriage = carriage;
    this.#carry(0, a, b);
    this.#carry(1, b, a);
  }

  /** Both ends notice that the other one is gone. */
  lose(): void {
    this.#carriage.end();
    for (const end of this.#inner) end.drop();
  }

  #carry(way: 0 | 1, from: MemoryConnection, to: MemoryConnection): void {
    const back = way === 0 ? 1 : 0;
    void (async () => {
      for (let in_ = await from.acceptUni(); in_ !== undefined; in_ = await from.acceptUni()) {
        this.#pump(way, in_, later(this.#arrived(way).then(() => to.openUni())));
      }
    })();
    void (async () => {
      for (let in_ = await from.acceptBidi(); in_ !== undefined; in_ = await from.acceptBidi()) {
        const { send, receive }: BidiStream = in_;
        const there = later(this.#arrived(way).then(() => to.openBidi()));
        this.#pump(way, receive, later(there.then((stream) => stream.send)));
        void there.then((stream) => this.#pump(back, stream.receive, Promise.resolve(send)), gone);
      }
    })();
    void (async () => {
      for (;;) {
        const datagram = await from.readDatagram();
        if (datagram === undefined) return;
        this.#carriage.send(way, () => to.sendDatagram(datagram));
      }
    })();
    void from.closed.then(({ code, reason, abrupt }) => {
      if (!abrupt) this.#carriage.send(way, () => to.close(code, reason));
    });
  }

  #arrived(way: 0 | 1): Promise<void> {
    return new Promise((resolve) => this.#carriage.send(way, resolve));
  }

  /** Carries what comes on a stream to another one, and its end. */
  #pump(way: 0 | 1, receive: ReceiveStream, out: Promise<SendStream>): void {
    const back = way === 0 ? 1 : 0;
    const send = (then: (stream: SendStream) => void) =>
      this.#carriage.send(way, () => void out.then(then, gone));
    void out.then(async (stream) => {
      if (await stream.closed === "stopped") this.#carriage.send(back, () => receive.stop(0));
    }, gone);
    void (async () => {
      try {
        for (;;) {
          const bytes = await receive.read();
          if (bytes === undefined) break;
          send((stream) => stream.write(bytes));
        }
        send((stream) => stream.finish());
      } catch (error) {
        // Where the connection is gone, everything on it is.
        if (error instanceof StreamReset) send((stream) => stream.reset(error.peerCode));
      }
    })();
  }
}

/** The connection has ended meanwhile. */
function gone(): void {}

/** A promise whose failure is looked at later, or never. */
function later<T>(promise: Promise<T>): Promise<T> {
  promise.catch(gone);
  return promise;
}
