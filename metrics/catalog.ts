/**
 * Every metric of the program: name, help, unit suffix and labels. The media path counts in plain numbers. prom-client is
 * not touched until somebody scrapes.
 *
 * @module
 */
import { Counter, Gauge, Registry } from "prom-client";
import { REFUSAL_REASONS } from "../session/reasons.ts";
import { VERSION } from "../base/version.ts";
import { VERSIONS } from "../wire/versions.ts";
import {
  type Metric,
  type MetricSection,
  type PlainMetric,
  type Sample,
  seriesOf,
} from "./metric.ts";
import { LIMITS } from "./limit_metrics.ts";
import { MEDIA, MEMORY } from "./media_metrics.ts";
import { STORAGE } from "./storage_metrics.ts";
import { CLUSTER } from "./cluster_metrics.ts";
import { HOOKS } from "./hook_metrics.ts";
import { PLUGINS } from "./plugin_metrics.ts";
import type { MetricsSnapshot } from "./snapshot.ts";

/** Label values are closed sets, never track names or addresses. So the number of series is fixed. */
const TRANSPORTS = ["quic", "webtransport", "websocket", "memory"] as const;
const VERSION_LABELS = [...VERSIONS.toReversed(), "other"] as const;

export const CATALOG: readonly MetricSection[] = [
  {
    title: "Sessions",
    metrics: [
      {
        name: "qumo_sessions",
        type: "gauge",
        help: "Sessions open now, by how the peer came in and the version it speaks.",
        labels: { transport: TRANSPORTS, version: VERSION_LABELS },
        read: ({ sessions }) =>
          sessions.open.map(({ transport, version, count }) => [{ transport, version }, count]),
      },
      {
        name: "qumo_sessions_opened_total",
        type: "counter",
        help: "Sessions that were opened.",
        read: ({ sessions }) => sessions.opened,
      },
      {
        name: "qumo_sessions_closed_total",
        type: "counter",
        help: "Sessions that ended, for whatever reason.",
        read: ({ sessions }) => sessions.closed,
      },
      {
        name: "qumo_sessions_lost_total",
        type: "counter",
        help: "Sessions whose peer vanished without a word; they count as closed too.",
        read: ({ sessions }) => sessions.lost,
      },
      {
        name: "qumo_session_violations_total",
        type: "counter",
        help: "Sessions closed because one side broke the protocol; they count as closed too.",
        read: ({ sessions }) => sessions.violations,
      },
      {
        name: "qumo_handshake_failures_total",
        type: "counter",
        help: "Peers that never got a session: failed in the QUIC handshake, or after it.",
        labels: { stage: ["quic", "session"] },
        read: ({ quicHandshakesFailed, sessions }) => [
          [{ stage: "quic" }, quicHandshakesFailed],
          [{ stage: "session" }, sessions.handshakesFailed],
        ],
      },
      {
        name: "qumo_webtransport_answers_total",
        type: "counter",
        help: "WebTransport requests, by the class of the HTTP status they were answered with.",
        labels: { status: ["2xx", "3xx", "4xx", "5xx"] },
        read: ({ webTransportAnswers }) => byClass(webTransportAnswers),
      },
      {
        name: "qumo_websocket_answers_total",
        type: "counter",
        help:
          "Requests for a WebSocket, by the class of the HTTP status they were answered with; 2xx stands for the upgrade.",
        labels: { status: ["2xx", "3xx", "4xx", "5xx"] },
        read: ({ webSocketAnswers }) => byClass(webSocketAnswers),
      },
      {
        name: "qumo_refused_total",
        type: "counter",
        help: "Requests for a session, or for something public of HTTP, that were turned away.",
        labels: { reason: REFUSAL_REASONS },
        read: ({ refused }) => [...refused].map(([reason, count]): Sample => [{ reason }, count]),
      },
    ],
  },
  LIMITS,
  MEDIA,
  MEMORY,
  STORAGE,
  {
    title: "Upstream",
    metrics: [
      {
        name: "qumo_upstream_connected",
        type: "gauge",
        help: "Links to upstream relays that are up; absent when none is configured.",
        read: ({ upstream }) => upstream?.connected,
      },
      {
        name: "qumo_upstream_attempts_total",
        type: "counter",
        help: "Times an upstream relay was dialled.",
        read: ({ upstream }) => upstream?.attempts,
      },
      {
        name: "qumo_upstream_links_total",
        type: "counter",
        help: "Times a link to an upstream relay came up.",
        read: ({ upstream }) => upstream?.links,
      },
    ],
  },
  CLUSTER,
  PLUGINS,
  HOOKS,
  {
    title: "Server and process",
    metrics: [
      {
        name: "qumo_build_info",
        type: "gauge",
        help: "Always 1; the label tells the version of the program.",
        labels: { version: [VERSION] },
        read: () => [[{ version: VERSION }, 1]],
      },
      {
        name: "qumo_draining",
        type: "gauge",
        help: "1 while the server takes no new sessions because it is about to stop, else 0.",
        read: ({ draining }) => Number(draining),
      },
      {
        name: "qumo_certificate_not_after_timestamp_seconds",
        type: "gauge",
        help: "When the certificate shown now ends, in seconds since 1970.",
        read: ({ certificateNotAfterMs }) => certificateNotAfterMs / 1000,
      },
      {
        name: "qumo_start_time_seconds",
        type: "gauge",
        help: "When the server started, in seconds since 1970.",
        read: ({ startedAtMs }) => startedAtMs / 1000,
      },
      {
        name: "qumo_uptime_seconds",
        type: "gauge",
        help: "How long the server has been running.",
        read: ({ uptimeMs }) => uptimeMs / 1000,
      },
      {
        name: "qumo_process_cpu_seconds_total",
        type: "counter",
        help: "CPU time the process has used.",
        labels: { mode: ["user", "system"] },
        read: ({ process }) => [
          [{ mode: "user" }, process.cpuUserSeconds],
          [{ mode: "system" }, process.cpuSystemSeconds],
        ],
      },
      {
        name: "qumo_process_resident_memory_bytes",
        type: "gauge",
        help: "Memory of the process that is in RAM.",
        read: ({ process }) => process.rssBytes,
      },
      {
        name: "qumo_process_heap_bytes",
        type: "gauge",
        help:
          "JavaScript memory: taken from the system, of it in use, and what lies outside the heap.",
        labels: { kind: ["total", "used", "external"] },
        read: ({ heap }) => Object.entries(heap).map(([kind, bytes]) => [{ kind }, bytes]),
      },
      {
        name: "qumo_stray_failures_total",
        type: "counter",
        help:
          "Failures that reached nobody: a promise that was let go, a timer that threw. Each is a defect; the program goes on.",
        read: ({ strayFailures }) => strayFailures,
      },
      {
        name: "qumo_workers",
        type: "gauge",
        help: "Threads that take peers in; fewer than configured while one is being started anew.",
        read: ({ workers }) => workers,
      },
      {
        name: "qumo_event_loop_delay_seconds",
        type: "gauge",
        help:
          "How long the scrape waited for its turn in the event loop; with several workers, in the slowest.",
        read: ({ eventLoopDelaySeconds }) => eventLoopDelaySeconds,
      },
      {
        name: "qumo_system_udp_receive_drops_total",
        type: "counter",
        help:
          "UDP packets the kernel dropped for a full receive buffer since the system started, " +
          "over all its sockets; absent where the system does not tell.",
        read: ({ udpReceiveDrops }) => udpReceiveDrops,
      },
    ],
  },
];

function byClass(answers: ReadonlyMap<number, number>): Sample[] {
  return [...answers].map(([code, count]) => [{ status: classOf(code) }, count]);
}

function classOf(status: number): string {
  return `${Math.floor(status / 100)}xx`;
}

/** Turns snapshots into the Prometheus text format. Holds nothing between two of them. */
export class Exposition {
  readonly #registry = new Registry();
  readonly #metrics: readonly (readonly [Metric, Counter | Gauge])[];

  constructor(sections: readonly MetricSection[] = CATALOG) {
    this.#metrics = sections.flatMap(({ metrics }) => metrics).map((metric) => {
      const Kind = metric.type === "counter" ? Counter : Gauge;
      const { name, help } = metric;
      const labelNames = metric.open ?? Object.keys(metric.labels ?? {});
      return [
        metric,
        new Kind({ name, help, labelNames: [...labelNames], registers: [this.#registry] }),
      ] as const;
    });
  }

  /** "text/plain; version=0.0.4; charset=utf-8". */
  get contentType(): string {
    return this.#registry.contentType;
  }

  async render(snapshot: MetricsSnapshot): Promise<string> {
    for (const [metric, series] of this.#metrics) {
      series.reset();
      if (metric.labels !== undefined) addAll(series, seriesOf(metric, snapshot));
      else if (metric.open !== undefined) addAll(series, metric.read(snapshot));
      else setPlain(metric, series, snapshot);
    }
    // prom-client takes the values before its first await, so a scrape at the same time does not mix with this one.
    return await this.#registry.metrics();
  }
}

function addAll(series: Counter | Gauge, samples: readonly Sample[]): void {
  for (const [labels, value] of samples) series.inc(labels, value);
}

function setPlain(metric: PlainMetric, series: Counter | Gauge, snapshot: MetricsSnapshot): void {
  const value = metric.read(snapshot);
  if (value === undefined) series.remove();
  else series.inc(value);
}
