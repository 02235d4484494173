/**
 * What the program tells of itself when somebody scrapes it: plain numbers, gathered once per scrape. Counters run since
 * the start of the process.
 *
 * @module
 */
export interface MetricsSnapshot {
  readonly startedAtMs: number;
  readonly uptimeMs: number;
  readonly draining: boolean;
  readonly sessions: SessionNumbers;
  readonly handshakeFailures: Readonly<Record<"quic" | "session", number>>;
  /** Answers to WebTransport requests by HTTP status. */
  readonly webTransportAnswers: ReadonlyMap<number, number>;
  readonly webSocketAnswers: ReadonlyMap<number, number>;
  /** Who was turned away before anything was served, by reason. */
  readonly refused: ReadonlyMap<string, number>;
  readonly broadcasts: Readonly<Record<"live" | "lingering", number>>;
  readonly tracks: number;
  readonly groupsKept: number;
  readonly subscriptions: SubscriptionNumbers;
  readonly media: MediaNumbers;
  readonly pool: PoolNumbers;
  readonly limited: LimitNumbers;
  /** Connections whose handshake is under way. */
  readonly handshakes: number;
  /** Failures that reached nobody, in any thread. */
  readonly strayFailures: number;
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

/** A hook; what is counted runs since it began. */
export interface HookNumbers {
  readonly name: string;
  readonly sent: number;
  readonly failed: number;
  readonly dropped: number;
  readonly coalesced: number;
  readonly retries: number;
  readonly waiting: number;
}

export interface SessionNumbers {
  /** Open now, in any order and grouping; the same pair may come more than once. */
  readonly open: readonly {
    readonly transport: string;
    readonly version: string;
    readonly count: number;
  }[];
  readonly opened: number;
  readonly closed: number;
  readonly lost: number;
  readonly violations: number;
}

export interface SubscriptionNumbers {
  /** Served to peers now. */
  readonly served: number;
  readonly servedTotal: number;
  /** Open at publishers and other relays now. */
  readonly upstream: number;
  readonly upstreamTotal: number;
}

export interface MediaNumbers {
  readonly groupsIn: number;
  readonly framesIn: number;
  readonly bytesIn: number;
  readonly datagramsIn: number;
  readonly groupsRefused: number;
  readonly groupsCut: number;
  readonly groupsOut: number;
  readonly framesOut: number;
  readonly bytesOut: number;
  readonly datagramsOut: number;
  readonly groupsSkipped: number;
  readonly groupsCutOut: number;
  readonly fetches: number;
  readonly fetchesFromCache: number;
  readonly fetchesFromArchive: number;
  readonly streamsRefused: number;
  readonly streamsMalformed: number;
  readonly datagramsMalformed: number;
  readonly loopsRefused: number;
  readonly announcementsRefused: number;
  readonly requestsRefused: number;
  readonly tracksRefused: number;
}

export interface PoolNumbers {
  readonly inUse: number;
  readonly bytesInUse: number;
  readonly gets: number;
  readonly reused: number;
  readonly grown: number;
  readonly arenaBytes: number;
}

/** How often each limit took effect. */
export interface LimitNumbers {
  readonly sessions: number;
  readonly address: number;
  readonly answers: number;
  readonly handshakes: number;
  readonly handshakeTime: number;
  readonly httpConnections: number;
  readonly httpAddress: number;
  readonly announcements: number;
  readonly subscriptions: number;
  readonly announceStreams: number;
  readonly unfinishedBytes: number;
  readonly messageTime: number;
  readonly earlyStreams: number;
  readonly messageRate: number;
  readonly sendRate: number;
  readonly receiveRate: number;
  readonly writeTime: number;
  readonly groupBytes: number;
  readonly frameBytes: number;
  readonly cache: number;
  readonly broadcastCache: number;
}

export interface UpstreamNumbers {
  readonly connected: boolean;
  readonly attempts: number;
  readonly links: number;
}

export interface StorageNumbers {
  readonly appends: number;
  readonly appendedBytes: number;
  readonly refused: number;
  readonly retried: number;
  readonly reads: number;
  readonly readBytes: number;
  readonly appendMs: number;
  readonly lastAppendMs: number;
  readonly readMs: number;
  readonly waitingBytes: number;
  readonly trimmed: number;
  readonly recording: number;
  readonly notRecorded: number;
  readonly groupsLost: number;
}

export const PLUGIN_STATES = ["starting", "running", "failed", "stopped"] as const;

export interface PluginNumbers {
  /** Of the instance, and of what it is one: chosen by those who configure the server. */
  readonly name: string;
  readonly kind: string;
  readonly plugin: string;
  readonly state: (typeof PLUGIN_STATES)[number];
  readonly restarts: number;
  readonly stats: {
    readonly framesIn: number;
    readonly bytesIn: number;
    readonly framesOut: number;
    readonly bytesOut: number;
    readonly skipped: number;
    readonly errors: number;
    readonly notServed: number;
    /** -1 is unknown. */
    readonly latencyMs: number;
  };
}

export interface ProcessNumbers {
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly externalBytes: number;
  readonly cpuUserSeconds: number;
  readonly cpuSystemSeconds: number;
  /** How long a callback that was due had to wait just now, in the thread where it was longest. */
  readonly eventLoopDelaySeconds: number;
}
