/**
 * A message port that sends all messages of one turn of the event loop as one. Ten thousand announcements cost the receiver
 * one wake-up, not ten thousand.
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

  /** Sends at the end of this turn. Harmless when it is closed. */
  send(message: M, transfer?: ArrayBuffer): void {
    if (this.#closed) return;
    if (this.#queued.length === 0) setImmediate(() => this.#flush());
    this.#queued.push(message);
    if (transfer !== undefined) this.#transfer.push(transfer);
  }

  /** Receives nothing any more. Messages that were sent before still go out. */
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
