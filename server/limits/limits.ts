/**
 * The `limits` section of the configuration as a node applies it: one object that everybody of the node looks at, so that
 * a reload changes it for all at once.
 *
 * @module
 */
import type { Config } from "../../config/schema.ts";
import { NO_LIMITS, type SessionLimits } from "../../session/limits.ts";

/** What a node takes in and keeps; 0 stands for no limit. */
export interface NodeLimits extends SessionLimits {
  /** Sessions at once, over all threads of the server: in all, and from one address. */
  maxSessions: number;
  maxSessionsPerAddress: number;
  /** Answers of HTTP under way at once, for one address. */
  maxAnswersPerAddress: number;
  /** Connections in their handshake at once, in each thread. */
  maxHandshakes: number;
  /** TCP connections at once that are no sessions: in all, and from one address. */
  maxHttpConnections: number;
  maxHttpConnectionsPerAddress: number;
  /** A TCP connection on which nothing is asked is closed after this long. */
  httpKeepAliveMs: number;
  handshakeTimeoutMs: number;
  writeTimeoutMs: number;
  /** Bytes of the groups kept, over all threads: in all, and of one broadcast. */
  maxCacheBytes: number;
  maxBroadcastCacheBytes: number;
  maxGroupBytes: number;
  maxFrameBytes: number;
  maxAgeMs: number;
}

/** No limits but the defaults of what has to have one. */
export const DEFAULT_LIMITS: Readonly<NodeLimits> = {
  ...NO_LIMITS,
  maxSessions: 0,
  maxSessionsPerAddress: 0,
  maxAnswersPerAddress: 0,
  maxHandshakes: 0,
  maxHttpConnections: 0,
  maxHttpConnectionsPerAddress: 0,
  httpKeepAliveMs: 15_000,
  handshakeTimeoutMs: 10_000,
  writeTimeoutMs: 10_000,
  maxCacheBytes: 0,
  maxBroadcastCacheBytes: 0,
  maxGroupBytes: 32 << 20,
  maxFrameBytes: Infinity,
  maxAgeMs: 30_000,
};

/** The limits that a configuration sets. */
export function limitsOf({ limits, relay, server }: Config): NodeLimits {
  return {
    ...limits,
    maxFrameBytes: limits.maxFrameBytes === 0 ? Infinity : limits.maxFrameBytes,
    handshakeTimeoutMs: server.handshakeTimeout,
    httpKeepAliveMs: server.httpKeepAlive,
    writeTimeoutMs: server.writeTimeout,
    maxGroupBytes: relay.maxGroupBytes,
    maxAgeMs: relay.maxAge,
  };
}
