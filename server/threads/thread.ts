/**
 * A worker thread from the inside: one node, controlled by the main thread.
 *
 * @module
 */
import {
  isLogged,
  type LogFields,
  type Logger,
  type LogLevel,
  type LogLevelControl,
} from "../../base/logger.ts";
import { reasonOf } from "../../base/errors.ts";
import { ListenFailed } from "../../transport/quic/quic.ts";
import { answer } from "../admin/questions.ts";
import { incomingPeers } from "../cluster/links/incoming.ts";
import { Node } from "../node.ts";
import { Strays } from "../../plugins/host/strays.ts";
import { type Call, type FromWorker, type Replies, type ToWorker, WORKER_NAME } from "./control.ts";
import { ThreadLinks } from "./thread_links.ts";

/** How often the main thread is told a changed number of sessions. */
const STATUS_MS = 1000;

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  readonly name: string;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
}

/** Whether this is a worker thread of the server. */
export function inWorker(): boolean {
  const { name } = globalThis as { readonly name?: string };
  return "WorkerGlobalScope" in globalThis && name?.startsWith(WORKER_NAME) === true;
}

/** Runs a node until the main thread closes it. */
export async function runWorker(): Promise<void> {
  const scope = globalThis as unknown as WorkerScope;
  await new Thread(scope).closed;
}

class Thread {
  readonly #scope: WorkerScope;
  readonly #closed = Promise.withResolvers<void>();
  readonly #logLevel: LogLevelControl = { level: "info" };
  #running: {
    readonly node: Node;
    readonly links: ThreadLinks;
    readonly status: ReturnType<typeof setInterval>;
  } | undefined;

  constructor(scope: WorkerScope) {
    this.#scope = scope;
    scope.onmessage = ({ data }) => this.#receive(data);
    scope.postMessage({ type: "loaded" });
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  #receive(message: ToWorker): void {
    switch (message.type) {
      case "start":
        return void this.#start(message.options);
      case "join":
        return this.#running?.links.join(message.index, message.port);
      case "leave":
        return this.#running?.links.leave(message.index, true);
      case "logLevel":
        this.#logLevel.level = message.level;
        return;
      case "refuse":
        if (this.#running !== undefined) this.#running.node.relay.draining = true;
        return;
      case "regions":
        return this.#running?.node.relay.nodes.setRegions(message.map);
      case "tell":
        return this.#running?.node.relay.nodeNews.tell(message.text);
      case "nodeHosts":
        return this.#running?.node.nameNodes(message.hosts);
      case "certificate":
        return this.#running?.node.replaceCertificate(message.certificate);
      case "call":
        void this.#call(message.id, message.call);
    }
  }

  async #start(options: (ToWorker & { type: "start" })["options"]): Promise<void> {
    this.#logLevel.level = options.config.logging.level;
    const log = remoteLog(this.#scope, this.#logLevel, {});
    let node: Node;
    let strays: Strays;
    try {
      // An error that nobody handles does not end the thread, as it does not end the program.
      strays = new Strays(log);
      node = new Node({ ...options, log, strays });
      await node.authorizer.prepare();
    } catch (error) {
      const inUse = error instanceof ListenFailed && error.code === "QUMO_ADDRESS_IN_USE";
      return this.#scope.postMessage({ type: "failed", inUse, reason: reasonOf(error) });
    }
    let told = 0;
    const status = setInterval(() => {
      const sessions = node.relay.sessionCount;
      if (sessions !== told) this.#scope.postMessage({ type: "status", sessions });
      told = sessions;
    }, STATUS_MS);
    const { relay } = node;
    relay.onPeers = () => this.#scope.postMessage({ type: "peers", peers: incomingPeers(relay) });
    relay.nodeNews.onHeard = (hop, text) => this.#scope.postMessage({ type: "heard", hop, text });
    this.#running = { node, links: new ThreadLinks(node.relay.origin, log), status };
    this.#scope.postMessage({ type: "listening" });
    node.accept().catch((error) => { // if its port fails, the thread ends
      strays[Symbol.dispose]();
      reportError(error);
    });
  }

  async #call(id: number, call: Call): Promise<void> {
    const reply = await this.#reply(call);
    this.#scope.postMessage({ type: "reply", id, reply });
    if (call.about === "close") this.#closed.resolve();
  }

  async #reply(call: Call): Promise<Replies[keyof Replies]> {
    const { node, links, status } = this.#running!;
    if (call.about === "reload") {
      return await node.prepareReload(call.config).then(
        (take) => (take(), { reason: undefined }),
        (error) => ({ reason: reasonOf(error) }),
      );
    }
    if (call.about === "drain") return await node.drain(call.to);
    if (call.about !== "close") return await answer(node, call);
    await node.close(call.inTime);
    links.close();
    clearInterval(status);
    return undefined;
  }
}

/** Log lines go to the main thread, which has the log. */
function remoteLog(scope: WorkerScope, control: LogLevelControl, more: LogFields): Logger {
  const log = (level: LogLevel) => (message: string, own?: LogFields) => {
    if (!isLogged(level, control.level)) return;
    scope.postMessage({ type: "log", level, message, fields: { ...more, ...own } });
  };
  return {
    debug: log("debug"),
    info: log("info"),
    warn: log("warn"),
    error: log("error"),
    with: (fields) => remoteLog(scope, control, { ...more, ...fields }),
  };
}
