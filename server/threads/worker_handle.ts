/**
 * A worker thread, seen from the main thread.
 *
 * @module
 */
import { QumoError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { formatAddress } from "../../config/address.ts";
import { ListenFailed } from "../../transport/quic/quic.ts";
import type { OnNews } from "../../relay/cluster/node_news.ts";
import type { IncomingPeer } from "../cluster/links/incoming.ts";
import type { NodeOptions } from "../node.ts";
import { type Call, type FromWorker, type Replies, type ToWorker, WORKER_NAME } from "./control.ts";

/** A worker thread did not start, or ended by itself. */
export class WorkerFailed extends QumoError {
  readonly code = "QUMO_WORKER_FAILED";
  constructor(index: number, reason: string) {
    super(`Worker ${index} failed: ${reason}`);
  }
}

export interface WorkerHandleOptions {
  readonly index: number;
  /** The main module of the program. It sees that it runs in a worker. */
  readonly module: string;
  readonly node: Omit<NodeOptions, "log">;
  readonly log: Logger;
}

/** Its owner terminates it. */
export class WorkerHandle {
  readonly index: number;
  /** Its sessions, as last reported. */
  sessions = 0;
  /** Called when the nodes of the cluster that have dialed it are others than before. */
  onPeers: ((peers: readonly IncomingPeer[]) => void) | undefined;
  /** Called when a node that has dialed it tells something of itself. */
  onHeard: OnNews | undefined;
  /** Called once when the thread dies by itself. */
  onDeath: ((reason: string) => void) | undefined;
  readonly #options: WorkerHandleOptions;
  readonly #worker: Worker;
  readonly #listening = Promise.withResolvers<void>();
  readonly #calls = new Map<number, (reply: Replies[keyof Replies] | undefined) => void>();
  #nextCall = 0;
  #over = false;

  constructor(options: WorkerHandleOptions) {
    this.#options = options;
    this.index = options.index;
    this.#worker = new Worker(options.module, {
      type: "module",
      name: `${WORKER_NAME} ${options.index}`,
    });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault(); // the main thread stays alive
      this.#died(event.message);
    };
    this.#listening.promise.catch(() => {}); // it may fail before somebody waits
  }

  /** Fulfils when it accepts sessions. @throws {ListenFailed} @throws {WorkerFailed} */
  get listening(): Promise<void> {
    return this.#listening.promise;
  }

  post(message: ToWorker, transfer: Transferable[] = []): void {
    if (!this.#over) this.#worker.postMessage(message, transfer);
  }

  /** @returns `undefined` also when the thread has ended or does not answer in time. */
  call<C extends Call>(call: C, timeoutMs: number): Promise<Replies[C["about"]] | undefined> {
    if (this.#over) return Promise.resolve(undefined);
    const id = this.#nextCall++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => answered(undefined), timeoutMs);
      const answered = (reply: Replies[keyof Replies] | undefined) => {
        clearTimeout(timer);
        this.#calls.delete(id);
        resolve(reply as Replies[C["about"]] | undefined);
      };
      this.#calls.set(id, answered);
      this.post({ type: "call", id, call });
    });
  }

  /** Ends the thread at once. Idempotent. */
  terminate(): void {
    if (this.#over) return;
    this.#over = true;
    this.#worker.terminate();
    for (const answered of [...this.#calls.values()]) answered(undefined);
    this.#listening.reject(new WorkerFailed(this.index, "it was ended"));
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case "loaded":
        return this.post({ type: "start", options: this.#options.node });
      case "listening":
        return this.#listening.resolve();
      case "failed": {
        const { inUse, reason } = message;
        const at = formatAddress(this.#options.node.address);
        const inUseError = new ListenFailed(at, new Deno.errors.AddrInUse(reason));
        return this.#listening.reject(inUse ? inUseError : new WorkerFailed(this.index, reason));
      }
      case "log":
        return this.#options.log[message.level](message.message, message.fields);
      case "status":
        this.sessions = message.sessions;
        return;
      case "peers":
        return this.onPeers?.(message.peers);
      case "heard":
        return this.onHeard?.(message.hop, message.text);
      case "reply":
        return this.#calls.get(message.id)?.(message.reply);
    }
  }

  #died(reason: string): void {
    if (this.#over) return;
    this.#listening.reject(new WorkerFailed(this.index, reason));
    this.terminate();
    this.onDeath?.(reason);
  }
}
