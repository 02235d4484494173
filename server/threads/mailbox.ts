/**
 * A message port that carries what is said in one turn of the event loop as one message: the news of ten thousand
 * broadcasts costs one wake-up, not ten thousand.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** One end of a channel between two threads. Its owner closes it. */
export class Mailbox<M> {
  readonly #port: MessagePort;
  #queued: M[] = [];
  #transfer: ArrayBuffer[] = [];
  #closed = false;

  /** @param receive Called for each message, in order. */
  constructor(port: MessagePort, receive: (message: M) => void) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<M[]>) => {
      for (const message of data) if (!this.#closed) receive(message);
    };
  }

  /** Sends with the end of this turn. Harmless once it is closed. */
  send(message: M, transfer?: ArrayBuffer): void {
    if (this.#closed) return;
    if (this.#queued.length === 0) setImmediate(() => this.#flush());
    this.#queued.push(message);
    if (transfer !== undefined) this.#transfer.push(transfer);
  }

  /** Nothing is received any more. What was sent still goes out. */
  close(): void {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    this.#port.close();
  }

  #flush(): void {
    if (this.#closed || this.#queued.length === 0) return;
    this.#port.postMessage(this.#queued, this.#transfer);
    this.#queued = [];
    this.#transfer = [];
  }
}
