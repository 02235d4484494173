/**
 * What the HTTP listeners show of a running server. They read; they own nothing.
 *
 * @module
 */
import type { Logger } from "../base/logger.ts";
import type { Certificate } from "../config/pem_pair.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Relay } from "./relay.ts";
import type { Upstream } from "./upstream.ts";

export interface ServerView {
  readonly relay: Relay;
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
  /** Handshakes that failed before there was a connection. */
  readonly quicHandshakesFailed: () => number;
  /** WebTransport requests by the status they were answered with. */
  readonly webTransportAnswers: () => ReadonlyMap<number, number>;
  readonly log: Logger;
}
