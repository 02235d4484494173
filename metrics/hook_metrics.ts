/**
 * Metrics of the hooks.
 *
 * @module
 */
import type { MetricSection, Sample } from "./metric.ts";

const NAME = ["name"] as const;
const RESULTS = ["sent", "failed", "dropped", "coalesced"] as const;

export const HOOKS: MetricSection = {
  title: "Hooks",
  metrics: [
    {
      name: "qumo_hook_events_total",
      type: "counter",
      help:
        "Events by what has become of them: sent, failed after the last attempt, dropped for want of room, or coalesced " +
        "because they took themselves back before their turn.",
      open: ["name", "result"],
      read: ({ hooks }) =>
        hooks.flatMap((hook) =>
          RESULTS.map((result): Sample => [{ name: hook.name, result }, hook[result]])
        ),
    },
    {
      name: "qumo_hook_retries_total",
      type: "counter",
      help: "Attempts after the first.",
      open: NAME,
      read: ({ hooks }) => hooks.map(({ name, retries }): Sample => [{ name }, retries]),
    },
    {
      name: "qumo_hook_queue_length",
      type: "gauge",
      help: "Events that wait for their turn.",
      open: NAME,
      read: ({ hooks }) => hooks.map(({ name, waiting }): Sample => [{ name }, waiting]),
    },
  ],
};
