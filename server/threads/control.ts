/**
 * The messages between the main thread and a worker: start, questions, the ends of channels to other workers, log lines.
 *
 * @module
 */
import type { LogFields, LogLevel } from "../../base/logger.ts";
import type { Answers, Question } from "../admin/questions.ts";
import type { Config } from "../../config/schema.ts";
import type { RegionMap } from "../../relay/cluster/regions.ts";
import type { Destinations } from "../cluster/moving.ts";
import type { IncomingPeer } from "../cluster/links/incoming.ts";
import type { NodeOptions } from "../node.ts";

/** How the names of worker threads begin. By it the program sees that it runs in one. */
export const WORKER_NAME = "qumo-relay worker";

/** What the main thread asks of a worker. */
export type Call =
  | Question
  /** Takes another configuration. The reply says why it could not. */
  | { readonly about: "reload"; readonly config: Config }
  /** Asks every peer to leave. The reply says whether everything was sent in time. */
  | { readonly about: "drain"; readonly to: Destinations | undefined }
  /** Closes everything and ends the thread. */
  | { readonly about: "close"; readonly inTime: boolean };

export interface Replies extends Answers {
  readonly reload: { readonly reason: string | undefined };
  readonly drain: boolean;
  readonly close: undefined;
}

export type ToWorker =
  | { readonly type: "start"; readonly options: Omit<NodeOptions, "log"> }
  /** The port is the channel to that node. */
  | { readonly type: "join"; readonly index: number; readonly port: MessagePort }
  | { readonly type: "leave"; readonly index: number }
  | { readonly type: "logLevel"; readonly level: LogLevel }
  /** Refuses new sessions from now on. */
  | { readonly type: "refuse" }
  /** As `OriginNodes.setRegions`. */
  | { readonly type: "regions"; readonly map: RegionMap | undefined }
  /** As `NodeNews.tell`. */
  | { readonly type: "tell"; readonly text: string }
  /** As {@link Node.nameNodes}. */
  | { readonly type: "nodeHosts"; readonly hosts: readonly string[] }
  | { readonly type: "certificate"; readonly certificate: NodeOptions["certificate"] }
  | { readonly type: "call"; readonly id: number; readonly call: Call };

export type FromWorker =
  /** Its code is loaded: it can be started. */
  | { readonly type: "loaded" }
  | { readonly type: "listening" }
  /** It could not bind its port. */
  | { readonly type: "failed"; readonly inUse: boolean; readonly reason: string }
  | {
    readonly type: "log";
    readonly level: LogLevel;
    readonly message: string;
    readonly fields: LogFields;
  }
  /** How many sessions it has now. */
  | { readonly type: "status"; readonly sessions: number }
  /** The nodes of the cluster that have dialed it now. */
  | { readonly type: "peers"; readonly peers: readonly IncomingPeer[] }
  /** What a node tells of itself: as `NodeNews.onHeard`. */
  | { readonly type: "heard"; readonly hop: bigint; readonly text: string | undefined }
  | { readonly type: "reply"; readonly id: number; readonly reply: Replies[keyof Replies] };
