/**
 * A running server as the HTTP listeners see it. They read and ask; they own nothing.
 *
 * @module
 */
import type { Logger, LogLevelControl } from "../../base/logger.ts";
import type { Certificate } from "../../config/tls/pem_pair.ts";
import type { LoadedConfig } from "../../config/load.ts";
import type { Admission, AdmissionRequest } from "../admission.ts";
import type { Answers, Question } from "./questions.ts";
import type { NodeView } from "./node_view.ts";
import type { Admitted } from "../auth/authorizer.ts";
import type { Refusal } from "../auth/grant.ts";
import type { Dvr } from "../dvr/dvr.ts";
import type { Hooks } from "../hooks/hooks.ts";
import type { PageOrigins } from "../http/page_origins.ts";
import type { PluginHost } from "../plugins/plugin_host.ts";
import type { ReloadOutcome } from "../reload.ts";
import type { Upstream } from "../cluster/upstream.ts";

/** The server as its first node shows it. */
export interface ServerView extends NodeView {
  /** Asks the nodes in other threads; those that do not answer are left out. Absent where there are none. */
  readonly others?: Others;
  readonly loaded: LoadedConfig;
  /** The certificate shown now. */
  readonly certificate: () => Certificate;
  /** Absent when no upstream is configured. */
  readonly upstream: Upstream | undefined;
  /** UDP address that was bound; the public HTTP has the same port number. */
  readonly quicAddress: { readonly hostname: string; readonly port: number };
  /** Where the admin HTTP listens; `undefined` when it does not. */
  readonly adminAddress: () => { readonly hostname: string; readonly port: number } | undefined;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** Decides on who asks for something of the public HTTP. */
  readonly admit: (request: AdmissionRequest) => Promise<Admitted | Refusal>;
  /** Which web pages may use the public HTTP now. */
  readonly pages: () => PageOrigins;
  /** Turns away who asks for something of the public HTTP from elsewhere, and counts that. */
  readonly foreign: Admission["foreign"];
  /** Absent when nothing is recorded. */
  readonly dvr?: Dvr;
  /** Absent where there are no plugins. */
  readonly plugins?: PluginHost;
  /** Absent where there are none. */
  readonly hooks?: Hooks;
  /** Reads the configuration again. Rejects when it cannot be used; nothing has changed then. */
  readonly reload?: () => Promise<ReloadOutcome>;
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
