import type { MetricsSnapshot } from "./snapshot.ts";

/** A snapshot in which every number is another one, for tests. */
export function sampleSnapshot(): MetricsSnapshot {
  return {
    startedAtMs: 1_700_000_000_000,
    uptimeMs: 12_500,
    draining: false,
    sessions: {
      open: [
        { transport: "quic", version: "moq-lite-06", count: 3 },
        { transport: "webtransport", version: "moq-lite-05", count: 4 },
        { transport: "quic", version: "moq-lite-06", count: 2 },
        { transport: "quic", version: "moq-lite-99", count: 1 },
      ],
      opened: 101,
      closed: 91,
      lost: 11,
      violations: 12,
    },
    handshakeFailures: { quic: 13, session: 14 },
    webTransportAnswers: new Map([[200, 15], [403, 16], [404, 17]]),
    broadcasts: { live: 18, lingering: 19 },
    tracks: 20,
    groupsKept: 21,
    subscriptions: { served: 22, servedTotal: 23, upstream: 24, upstreamTotal: 25 },
    media: {
      groupsIn: 26,
      framesIn: 27,
      bytesIn: 28,
      datagramsIn: 29,
      groupsRefused: 30,
      groupsCut: 31,
      groupsOut: 32,
      framesOut: 33,
      bytesOut: 34,
      datagramsOut: 35,
      groupsSkipped: 36,
      groupsCutOut: 37,
      fetches: 38,
      fetchesFromCache: 39,
      streamsRefused: 69,
      loopsRefused: 40,
    },
    pool: { inUse: 41, bytesInUse: 42, gets: 43, reused: 44, grown: 45, arenaBytes: 46 },
    upstream: { connected: true, attempts: 47, links: 48 },
    udpReceiveDrops: 49,
    certificateNotAfterMs: 1_800_000_000_000,
    process: {
      rssBytes: 50,
      heapUsedBytes: 51,
      heapTotalBytes: 52,
      externalBytes: 53,
      cpuUserSeconds: 5.4,
      cpuSystemSeconds: 5.5,
      eventLoopDelaySeconds: 0.0056,
    },
  };
}
