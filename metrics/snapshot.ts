/**
 * The numbers of one scrape. They are plain numbers, gathered once per scrape. Counters run since the start of the process.
 * The code that counts declares its counters. This file only gathers them.
 *
 * @module
 */
import type { PluginState } from "../base/plugin_kind.ts";
import type { PluginStats } from "../plugins/plugin.ts";
import type { FramePoolStats } from "../relay/group/frame_pool.ts";
import type { RelayStats } from "../relay/stats.ts";
import type { LimitHits } from "./limit_keys.ts";
import type { StorageStats } from "../storage/store.ts";

/** The numbers of one thread that takes peers in. */
export interface NodeNumbers {
  readonly sessions: SessionNumbers;
  /** Handshakes that failed before there was a connection. */
  readonly quicHandshakesFailed: number;
  /** Answers to WebTransport requests by HTTP status. */
  readonly webTransportAnswers: ReadonlyMap<number, number>;
  readonly webSocketAnswers: ReadonlyMap<number, number>;
  /** Requests refused before anything was served, by reason. */
  readonly refused: ReadonlyMap<string, number>;
  readonly broadcasts: Readonly<Record<"live" | "lingering", number>>;
  readonly tracks: number;
  readonly groupsKept: number;
  /** Open now: served to peers, and our own at publishers and other relays. */
  readonly subscriptions: Readonly<Record<"served" | "upstream", number>>;
  /** What goes over the sessions with other relays. */
  readonly linked: readonly LinkedSession[];
  readonly media: Readonly<RelayStats>;
  readonly pool: Readonly<FramePoolStats>;
  readonly limited: Readonly<LimitHits>;
  /** Connections whose handshake is under way. */
  readonly handshakes: number;
  /** Failures that reached nobody. */
  readonly strayFailures: number;
  /** JavaScript memory in bytes. */
  readonly heap: Readonly<Record<"total" | "used" | "external", number>>;
  /** How late a callback was called just now. */
  readonly eventLoopDelaySeconds: number;
}

/** The numbers of the whole server. `eventLoopDelaySeconds` is that of its slowest thread. */
export interface MetricsSnapshot extends Omit<NodeNumbers, "linked"> {
  readonly startedAtMs: number;
  readonly uptimeMs: number;
  readonly draining: boolean;
  /** Absent when no upstream relay is configured. */
  readonly upstream: UpstreamNumbers | undefined;
  readonly cluster: ClusterNumbers;
  /** Absent when nothing is recorded. */
  readonly storage: StorageNumbers | undefined;
  /** Instances of plugins. */
  readonly plugins: readonly PluginNumbers[];
  readonly hooks: readonly HookNumbers[];
  /** UDP packets the kernel dropped for a full receive buffer; absent where the system does not tell. */
  readonly udpReceiveDrops: number | undefined;
  readonly certificateNotAfterMs: number;
  readonly process: ProcessNumbers;
  /** Threads that take peers in. */
  readonly workers: number;
}

/** Counters of the sessions. */
export interface SessionCounters {
  opened: number;
  closed: number;
  /** Connections that never became a session: no SETUP, no common version, handshake broken off. */
  handshakesFailed: number;
  /** Sessions closed with the protocol violation code, by either side. */
  violations: number;
  /** Sessions whose peer vanished without closing. */
  lost: number;
}

export interface SessionNumbers extends Readonly<SessionCounters> {
  /** Open now, in any order. The same pair may stand here more than once. */
  readonly open: readonly {
    readonly transport: string;
    readonly version: string;
    readonly count: number;
  }[];
}

/** Counters of a hook since it began. */
export interface HookStats {
  sent: number;
  failed: number;
  /** There was no room for them, or the server ended. */
  dropped: number;
  /** Cancelled by a later event before they were sent. */
  coalesced: number;
  retries: number;
}

export interface HookNumbers extends Readonly<HookStats> {
  readonly name: string;
  readonly waiting: number;
}

/** Of the links to all upstream relays together. */
export interface UpstreamNumbers {
  /** How many of them are connected. */
  readonly connected: number;
  readonly attempts: number;
  readonly links: number;
}

/** Of the other nodes, and of the links to all relays. */
export interface ClusterNumbers {
  /** Other nodes that the directories name. */
  readonly nodes: number;
  readonly links: readonly LinkNumbers[];
  readonly directories: readonly {
    readonly kind: string;
    /** 1 or 0. */
    readonly reachable: number;
  }[];
}

/** What goes over a link now. */
export interface LinkTraffic {
  /** Broadcasts that the other side announces. */
  readonly announcements: number;
  /** Subscriptions that are served to it, and ours that are open there. */
  readonly served: number;
  readonly upstream: number;
}

/** A session with another relay. */
export interface LinkedSession extends LinkTraffic {
  readonly session: number;
}

export interface LinkNumbers extends LinkTraffic {
  /** URL of the other relay, or "other". */
  readonly link: string;
  readonly role: "parent" | "peer";
  /** 1 or 0. */
  readonly connected: number;
  readonly attempts: number;
  /** Sessions that came up. */
  readonly connects: number;
  readonly cost: number;
}

export interface StorageNumbers extends Readonly<StorageStats> {
  readonly recording: number;
  readonly notRecorded: number;
  readonly groupsLost: number;
}

export interface PluginNumbers {
  /** Name of the instance, and which plugin it is. The configuration chooses both. */
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
