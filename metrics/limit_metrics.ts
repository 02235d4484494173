/**
 * Metrics of the limits: how often each of them took effect.
 *
 * @module
 */
import { LIMIT_KEYS, type LimitHits } from "./limit_keys.ts";
import type { MetricSection, Sample } from "./metric.ts";

export const LIMITS: MetricSection = {
  title: "Limits",
  metrics: [
    {
      name: "qumo_limited_total",
      type: "counter",
      help:
        "How often a limit took effect: sessions turned away or closed, requests refused, waits, groups cut or forgotten.",
      labels: { limit: Object.values(LIMIT_KEYS) },
      read: ({ limited }) =>
        Object.entries(LIMIT_KEYS).map(([name, limit]): Sample => [
          { limit },
          limited[name as keyof LimitHits],
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
