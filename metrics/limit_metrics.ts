/**
 * Metrics of the limits: how often each took effect.
 *
 * @module
 */
import type { MetricSection, Sample } from "./metric.ts";
import type { LimitNumbers } from "./snapshot.ts";

/** The label of each counter: as the limit is called in the configuration, where it has a name there. */
const LABELS: Readonly<Record<keyof LimitNumbers, string>> = {
  sessions: "max_sessions",
  address: "max_sessions_per_address",
  answers: "max_answers_per_address",
  handshakes: "max_handshakes",
  handshakeTime: "handshake_timeout",
  httpConnections: "max_http_connections",
  httpAddress: "max_http_connections_per_address",
  announcements: "max_announcements",
  subscriptions: "max_subscriptions",
  announceStreams: "announce_streams",
  unfinishedBytes: "unfinished_bytes",
  messageTime: "message_time",
  earlyStreams: "early_streams",
  messageRate: "max_message_rate",
  sendRate: "max_send_rate",
  receiveRate: "max_receive_rate",
  writeTime: "write_timeout",
  groupBytes: "max_group_bytes",
  frameBytes: "max_frame_bytes",
  cache: "max_cache_bytes",
  broadcastCache: "max_broadcast_cache_bytes",
};

export const LIMITS: MetricSection = {
  title: "Limits",
  metrics: [
    {
      name: "qumo_limited_total",
      type: "counter",
      help:
        "How often a limit took effect: sessions turned away or closed, requests refused, waits, groups cut or forgotten.",
      labels: { limit: Object.values(LABELS) },
      read: ({ limited }) =>
        Object.entries(LABELS).map(([key, limit]): Sample => [
          { limit },
          limited[key as keyof LimitNumbers],
        ]),
    },
    {
      name: "qumo_handshakes",
      type: "gauge",
      help: "Connections whose handshake is under way.",
      read: ({ handshakes }) => handshakes,
    },
  ],
};
