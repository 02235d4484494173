/**
 * The worker threads of a server, seen from the main thread. Starts them, joins each with every other, restarts those that
 * die, and asks all of them what the server is asked.
 *
 * @module
 */
import type { Logger, LogLevel } from "../../base/logger.ts";
import type { RegionMap } from "../../relay/cluster/regions.ts";
import type { Answers, Question } from "../admin/questions.ts";
import type { Others } from "../admin/server_view.ts";
import type { Destinations } from "../cluster/moving.ts";
import type { OnNews } from "../../relay/cluster/node_news.ts";
import type { IncomingPeer } from "../cluster/links/incoming.ts";
import type { NodeOptions } from "../node.ts";
import { clearCensus } from "../limits/census.ts";
import type { ThreadLinks } from "./thread_links.ts";
import { WorkerHandle } from "./worker_handle.ts";

/** How long a worker may take to answer. */
const ANSWER_MS = 5000;
/** How long a worker may take to read its keys again: it may have to ask an issuer. */
const RELOAD_MS = 15_000;
/** How much longer than the drain timeout a drain may take; also how long a close may take. */
const CLOSE_MS = 5000;
/** The first pause before a worker is restarted. Each next one is twice as long, up to the longest. */
const BACKOFF_MIN_MS = 500;
const BACKOFF_MAX_MS = 30_000;
/** After a life of this length a worker begins with the first pause again. */
const SOUND_MS = 60_000;

export interface WorkersOptions extends Omit<NodeOptions, "place" | "restarts" | "log"> {
  /** Where node 0 listens. Worker N listens on the port N above. */
  readonly address: NodeOptions["address"];
  /** Nodes of the server, with that of the main thread. */
  readonly count: number;
  /** The links of the main thread's own node. */
  readonly links: ThreadLinks;
  /** The main module of the program. */
  readonly module: string;
  readonly log: Logger;
}

/** Gets the nodes of the cluster that have dialed a thread, whenever they change. */
export type OnPeers = (thread: number, peers: readonly IncomingPeer[]) => void;

/** Its owner closes it. */
export class Workers implements Others {
  readonly #options: WorkersOptions;
  readonly #live = new Map<number, WorkerHandle>();
  readonly #starting = new Set<WorkerHandle>();
  readonly #pauses = new Map<number, ReturnType<typeof setTimeout>>();
  #certificate: NodeOptions["certificate"];
  #config: NodeOptions["config"];
  /** Revocations so far: a restarted worker has to know them too. */
  readonly #revoked: Question[] = [];
  #logLevel: LogLevel | undefined;
  #regions: RegionMap | undefined;
  #nodeHosts: readonly string[] = [];
  #told: string | undefined;
  /** What nodes tell a thread of themselves. */
  onHeard: (thread: number, ...news: Parameters<OnNews>) => void = () => {};
  /** A thread is gone, with the links in it. */
  onLost: (thread: number) => void = () => {};
  /** None is told before it is set; it may be set before the first peer comes. */
  onPeers: OnPeers = () => {};
  #closing = false;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#certificate = options.certificate;
    this.#config = options.config;
  }

  /** Sessions of all workers, as last reported. */
  get sessionCount(): number {
    return [...this.#live.values()].reduce((sum, { sessions }) => sum + sessions, 0);
  }

  /** Fulfils when all accept sessions. @throws {ListenFailed} @throws {WorkerFailed} */
  async start(): Promise<void> {
    const indexes = Array.from({ length: this.#options.count - 1 }, (_, i) => i + 1);
    await Promise.all(indexes.map((index) => this.#start(index, 0)));
  }

  async ask<Q extends Question>(question: Q): Promise<Answers[Q["about"]][]> {
    if (question.about === "revoke") this.#revoked.push(question);
    const answers = await Promise.all([...this.#live.values()].map(async (worker) => {
      const answer = await worker.call(question, ANSWER_MS);
      if (answer !== undefined) return [answer];
      // A worker without that session does not answer.
      if (question.about !== "session") {
        this.#options.log.warn("a worker does not answer", { worker: worker.index });
      }
      return [];
    }));
    return answers.flat();
  }

  /** Uses this certificate for new connections. Existing ones stay. */
  replaceCertificate({ cert, key }: NodeOptions["certificate"]): void {
    this.#certificate = { cert, key };
    for (const worker of this.#live.values()) {
      worker.post({ type: "certificate", certificate: this.#certificate });
    }
  }

  /** Workers send no log lines below this level. */
  setLogLevel(level: LogLevel): void {
    this.#logLevel = level;
    for (const worker of this.#live.values()) worker.post({ type: "logLevel", level });
  }

  /** Gives the workers a configuration that the main thread has taken already. A worker that cannot take it keeps its own. */
  async reload(config: NodeOptions["config"]): Promise<void> {
    this.#config = config;
    await Promise.all([...this.#live.values()].map(async (worker) => {
      const answer = await worker.call({ about: "reload", config }, RELOAD_MS);
      if (answer !== undefined && answer.reason === undefined) return;
      this.#options.log.error("a worker goes on with the configuration it had", {
        worker: worker.index,
        reason: answer?.reason ?? "it does not answer",
      });
    }));
  }

  /** As `OriginNodes.setRegions`. */
  setRegions(map: RegionMap | undefined): void {
    this.#regions = map;
    for (const worker of this.#live.values()) worker.post({ type: "regions", map });
  }

  /** As `NodeNews.tell`. */
  tell(text: string): void {
    this.#told = text;
    for (const worker of this.#live.values()) worker.post({ type: "tell", text });
  }

  /** As {@link Node.nameNodes}. */
  nameNodes(hosts: readonly string[]): void {
    this.#nodeHosts = hosts;
    for (const worker of this.#live.values()) worker.post({ type: "nodeHosts", hosts });
  }

  /** Refuses new sessions from now on. */
  refuse(): void {
    for (const worker of this.#live.values()) worker.post({ type: "refuse" });
  }

  /** Asks every peer to leave. @returns Whether everything was sent in time. */
  async drain(to: Destinations | undefined): Promise<boolean> {
    this.#stopStarting();
    const timeoutMs = this.#config.server.drainTimeout + CLOSE_MS;
    const drained = [...this.#live.values()].map((w) => w.call({ about: "drain", to }, timeoutMs));
    return (await Promise.all(drained)).every((inTime) => inTime !== false);
  }

  /** Closes every session and ends the threads. Idempotent. */
  async close(inTime: boolean): Promise<void> {
    this.#stopStarting();
    await Promise.all([...this.#live.values()].map(async (worker) => {
      await worker.call({ about: "close", inTime }, CLOSE_MS);
      worker.terminate();
    }));
    this.#live.clear();
  }

  #stopStarting(): void {
    this.#closing = true;
    for (const pause of this.#pauses.values()) clearTimeout(pause);
    this.#pauses.clear();
    for (const worker of this.#starting) worker.terminate();
  }

  async #start(index: number, restarts: number): Promise<void> {
    const { count, module, log, hop, census, address: { hostname, port } } = this.#options;
    const { cert, key } = this.#certificate;
    const config = this.#config;
    const worker = new WorkerHandle({
      index,
      module,
      log: log.with({ worker: index }),
      node: {
        config,
        hop,
        address: { hostname, port: port + index },
        certificate: { cert, key },
        place: { index, count },
        restarts,
        ...(census === undefined ? {} : { census }),
      },
    });
    worker.onPeers = (peers) => this.onPeers(index, peers);
    worker.onHeard = (hop, text) => this.onHeard(index, hop, text);
    this.#starting.add(worker);
    try {
      await worker.listening;
    } catch (error) {
      worker.terminate();
      throw error;
    } finally {
      this.#starting.delete(worker);
    }
    if (this.#closing) return worker.terminate();
    if (this.#config !== config) {
      await worker.call({ about: "reload", config: this.#config }, ANSWER_MS);
    }
    if (this.#certificate.cert !== cert) this.replaceCertificate(this.#certificate);
    if (this.#logLevel !== undefined) worker.post({ type: "logLevel", level: this.#logLevel });
    worker.post({ type: "regions", map: this.#regions });
    worker.post({ type: "nodeHosts", hosts: this.#nodeHosts });
    if (this.#told !== undefined) worker.post({ type: "tell", text: this.#told });
    this.#join(worker);
    for (const question of this.#revoked) void worker.call(question, ANSWER_MS);
    const startedAtMs = performance.now();
    worker.onDeath = (reason) => {
      this.#live.delete(index);
      this.onPeers(index, []);
      this.onLost(index);
      this.#options.links.leave(index, true);
      if (census !== undefined) clearCensus(census, index);
      for (const other of this.#live.values()) other.post({ type: "leave", index });
      log.error("a worker died and is started anew; its sessions are lost", {
        worker: index,
        reason,
      });
      const sound = performance.now() - startedAtMs > SOUND_MS;
      this.#startLater(
        index,
        restarts + 1,
        sound ? BACKOFF_MIN_MS : BACKOFF_MIN_MS * 2 ** restarts,
      );
    };
  }

  #startLater(index: number, restarts: number, pauseMs: number): void {
    if (this.#closing) return;
    const { log } = this.#options;
    const pause = setTimeout(() => {
      this.#pauses.delete(index);
      this.#start(index, restarts).then(
        () => log.info("a worker is back", { worker: index }),
        (error: Error) => {
          if (this.#closing) return;
          log.error("a worker could not be started anew", { worker: index, reason: error.message });
          this.#startLater(index, restarts, pauseMs * 2);
        },
      );
    }, Math.min(pauseMs, BACKOFF_MAX_MS));
    this.#pauses.set(index, pause);
  }

  /** Makes a channel to the node of the main thread, and to each other worker. */
  #join(worker: WorkerHandle): void {
    const { index } = worker;
    const own = new MessageChannel();
    this.#options.links.join(index, own.port1);
    worker.post({ type: "join", index: 0, port: own.port2 }, [own.port2]);
    for (const other of this.#live.values()) {
      const { port1, port2 } = new MessageChannel();
      other.post({ type: "join", index, port: port1 }, [port1]);
      worker.post({ type: "join", index: other.index, port: port2 }, [port2]);
    }
    this.#live.set(index, worker);
  }
}
