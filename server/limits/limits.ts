/**
 * The limits of a node: one object that everybody of the node looks at, so that a reload changes it for all at once. Names,
 * ranges and defaults of the settings are those of `config/schema.ts`.
 *
 * @module
 */
import type { Config } from "../../config/schema.ts";
import { type Setting, SETTINGS } from "../../config/settings.ts";

type ConfiguredLimits = { -readonly [K in keyof Config["limits"]]: Config["limits"][K] };

/** What a node takes in and keeps: the section `limits` of the configuration, and what is set elsewhere. 0 is no limit. */
export interface NodeLimits extends ConfiguredLimits {
  capacitySessions: number;
  capacityMbps: number;
  capacityCpu: number;
  httpKeepAliveMs: number;
  handshakeTimeoutMs: number;
  writeTimeoutMs: number;
  maxGroupBytes: number;
  maxAgeMs: number;
}

const UNLIMITED = Object.fromEntries(
  SETTINGS.filter(({ section }) => section === "limits").map(({ name }) => [name, 0]),
) as unknown as ConfiguredLimits;

/** No limits, but defaults of what has to have one. */
export const DEFAULT_LIMITS: Readonly<NodeLimits> = {
  ...UNLIMITED,
  capacitySessions: 0,
  capacityMbps: 0,
  capacityCpu: 0,
  httpKeepAliveMs: 15_000,
  handshakeTimeoutMs: 10_000,
  writeTimeoutMs: 10_000,
  maxGroupBytes: 32 << 20,
  maxFrameBytes: Infinity,
  maxAgeMs: 30_000,
};

/** The limits that a configuration sets. */
export function limitsOf({ limits, relay, server }: Config): NodeLimits {
  return {
    ...limits,
    maxFrameBytes: limits.maxFrameBytes === 0 ? Infinity : limits.maxFrameBytes,
    capacitySessions: server.capacitySessions,
    capacityMbps: server.capacityMbps,
    capacityCpu: server.capacityCpu,
    handshakeTimeoutMs: server.handshakeTimeout,
    httpKeepAliveMs: server.httpKeepAlive,
    writeTimeoutMs: server.writeTimeout,
    maxGroupBytes: relay.maxGroupBytes,
    maxAgeMs: relay.maxAge,
  };
}

/** Settings of other sections that bound what peers may use. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  "server.capacity_sessions",
  "server.capacity_mbps",
  "server.capacity_cpu",
  "server.idle_timeout",
  "server.max_uni_streams",
  "server.max_bidi_streams",
  "server.handshake_timeout",
  "server.write_timeout",
  "server.drain_timeout",
  "relay.group_cache_size",
  "relay.max_group_bytes",
  "relay.max_age",
  "relay.linger",
  "storage.max_bytes",
  "storage.max_waiting_bytes",
  "storage.record_max_bytes",
]);

/** Whether a setting bounds what peers may use. */
export function isLimit({ section, path }: Setting): boolean {
  return section === "limits" || ELSEWHERE.has(path);
}
