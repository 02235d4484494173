/**
 * What the HTTP listeners show of a running server. They read it and own nothing of it. Both views are made once: a field
 * that changes is changed in place, so that everybody sees it.
 *
 * @module
 */
import type { Logger, LogLevelControl } from "../../base/logger.ts";
import type { LoadedConfig } from "../../config/load.ts";
import type { Certificate } from "../../config/tls/pem_pair.ts";
import type { NodeView } from "./node_view.ts";
import type { Answers, Question } from "./questions.ts";
import type { ClusterView } from "../cluster/cluster_view.ts";
import type { Dvr } from "../dvr/dvr.ts";
import type { Hooks } from "../hooks/hooks.ts";
import type { PluginHost } from "../plugins/plugin_host.ts";
import type { Relay } from "../relay.ts";
import type { ReloadOutcome } from "../reload.ts";

/** The server: its first node, and what there is once for all nodes. */
export interface ServerView {
  readonly node: NodeView;
  /** The relay of the first node. */
  readonly relay: Relay;
  /** Asks the nodes in other threads; those that do not answer are left out. Absent where there are none. */
  readonly others?: Others | undefined;
  /** The configuration in use. */
  readonly loaded: LoadedConfig;
  /** The certificate in use. */
  readonly certificate: Certificate;
  /** Other relays: upstream relays, and the nodes of the cluster. */
  readonly cluster: ClusterView;
  /** UDP address that was bound; the public HTTP has the same port number. */
  readonly quicAddress: { readonly hostname: string; readonly port: number };
  /** Where the admin HTTP listens; `undefined` when it does not. */
  readonly adminAddress: { readonly hostname: string; readonly port: number } | undefined;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** Absent when nothing is recorded. */
  readonly dvr?: Dvr | undefined;
  /** Absent where there are no plugins. */
  readonly plugins?: PluginHost | undefined;
  /** Absent where there are no hooks. */
  readonly hooks?: Hooks | undefined;
  /** Reads the configuration again. Rejects when it cannot be used; nothing has changed then. */
  readonly reload?: (() => Promise<ReloadOutcome>) | undefined;
  /** Begins to drain; the program ends with it. Returns at once. */
  readonly drain: () => void;
  readonly log: Logger;
  /** The level of the log, in every thread. */
  readonly logLevel: LogLevelControl;
}

/** The nodes in other threads. */
export interface Others {
  ask<Q extends Question>(question: Q): Promise<Answers[Q["about"]][]>;
}
