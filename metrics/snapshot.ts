/**
 * What the program tells of itself when somebody scrapes it: plain numbers, gathered once per scrape. Counters run since
 * the start of the process. Whoever counts declares its counters; they are only gathered here.
 *
 * @module
 */
import type { PluginState } from "../base/plugin_kind.ts";
import type { PluginStats } from "../plugins/plugin.ts";
import type { FramePoolStats } from "../relay/group/frame_pool.ts";
import type { RelayStats } from "../relay/stats.ts";
import type { LimitHits } from "../session/limits.ts";
import type { StorageStats } from "../storage/store.ts";

/** What every thread that takes peers in has for itself. */
export interface NodeNumbers {
  readonly sessions: SessionNumbers;
  /** Handshakes that failed before there was a connection. */
  readonly quicHandshakesFailed: number;
  /** Answers to WebTransport requests by HTTP status. */
  readonly webTransportAnswers: ReadonlyMap<number, number>;
  readonly webSocketAnswers: ReadonlyMap<number, number>;
  /** Who was turned away before anything was served, by reason. */
  readonly refused: ReadonlyMap<string, number>;
  readonly broadcasts: Readonly<Record<"live" | "lingering", number>>;
  readonly tracks: number;
  readonly groupsKept: number;
  /** Open now: served to peers, and our own at publishers and other relays. */
  readonly subscriptions: Readonly<Record<"served" | "upstream", number>>;
  readonly media: Readonly<RelayStats>;
  readonly pool: Readonly<FramePoolStats>;
  readonly limited: Readonly<LimitHits>;
  /** Connections whose handshake is under way. */
  readonly handshakes: number;
  /** Failures that reached nobody. */
  readonly strayFailures: number;
  /** JavaScript memory in bytes. */
  readonly heap: Readonly<Record<"total" | "used" | "external", number>>;
  /** How long a callback that was due had to wait just now. */
  readonly eventLoopDelaySeconds: number;
}

/** The server as a whole; of `eventLoopDelaySeconds` its slowest thread. */
export interface MetricsSnapshot extends NodeNumbers {
  readonly startedAtMs: number;
  readonly uptimeMs: number;
  readonly draining: boolean;
  /** Absent when no upstream relay is configured. */
  readonly upstream: UpstreamNumbers | undefined;
  /** Absent when nothing is recorded. */
  readonly storage: StorageNumbers | undefined;
  /** Instances of plugins. */
  readonly plugins: readonly PluginNumbers[];
  /** Who is told of what happens. */
  readonly hooks: readonly HookNumbers[];
  /** UDP packets the kernel dropped for a full receive buffer; absent where the system does not tell. */
  readonly udpReceiveDrops: number | undefined;
  readonly certificateNotAfterMs: number;
  readonly process: ProcessNumbers;
  /** Threads that take peers in. */
  readonly workers: number;
}

/** What is counted of sessions. */
export interface SessionCounters {
  opened: number;
  closed: number;
  /** Connections that never became a session: no SETUP, no common version, handshake broken off. */
  handshakesFailed: number;
  /** Sessions closed with the protocol violation code, by either side. */
  violations: number;
  /** Sessions whose peer was lost without a word. */
  lost: number;
}

export interface SessionNumbers extends Readonly<SessionCounters> {
  /** Open now, in any order and grouping; the same pair may come more than once. */
  readonly open: readonly {
    readonly transport: string;
    readonly version: string;
    readonly count: number;
  }[];
}

/** What is counted of a hook since it began. */
export interface HookStats {
  sent: number;
  failed: number;
  /** For want of room, or at the end. */
  dropped: number;
  /** Taken back before they were told. */
  coalesced: number;
  retries: number;
}

export interface HookNumbers extends Readonly<HookStats> {
  readonly name: string;
  readonly waiting: number;
}

export interface UpstreamNumbers {
  readonly connected: boolean;
  readonly attempts: number;
  readonly links: number;
}

export interface StorageNumbers extends Readonly<StorageStats> {
  readonly recording: number;
  readonly notRecorded: number;
  readonly groupsLost: number;
}

export interface PluginNumbers {
  /** Of the instance, and of what it is one: chosen by those who configure the server. */
  readonly name: string;
  readonly kind: string;
  readonly plugin: string;
  readonly state: PluginState;
  readonly restarts: number;
  readonly stats: Readonly<PluginStats>;
}

export interface ProcessNumbers {
  readonly rssBytes: number;
  readonly cpuUserSeconds: number;
  readonly cpuSystemSeconds: number;
}
