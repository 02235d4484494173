/**
 * Metrics of the instances of plugins.
 *
 * @module
 */
import { PLUGIN_STATES } from "../base/plugin_kind.ts";
import type { Metric, MetricSection, Sample } from "./metric.ts";
import type { PluginNumbers } from "./snapshot.ts";

const INSTANCE = ["name", "kind", "plugin"] as const;

const labelsOf = ({ name, kind, plugin }: PluginNumbers) => ({ name, kind, plugin });

const each = (
  name: string,
  type: Metric["type"],
  help: string,
  value: (instance: PluginNumbers) => number,
): Metric => ({
  name,
  type,
  help,
  open: INSTANCE,
  read: ({ plugins }) => plugins.map((instance): Sample => [labelsOf(instance), value(instance)]),
});

export const PLUGINS: MetricSection = {
  title: "Plugins",
  metrics: [
    {
      name: "qumo_plugin_status",
      type: "gauge",
      help:
        "1 for the state an instance of a plugin is in (starting, running, failed or stopped), else 0.",
      open: [...INSTANCE, "status"],
      read: ({ plugins }) =>
        plugins.flatMap((instance) =>
          PLUGIN_STATES.map((status): Sample => [
            { ...labelsOf(instance), status },
            Number(instance.state === status),
          ])
        ),
    },
    each(
      "qumo_plugin_restarts_total",
      "counter",
      "Starts of the instance after its first.",
      (instance) => instance.restarts,
    ),
    each(
      "qumo_plugin_frames_in_total",
      "counter",
      "Frames the instance took in.",
      ({ stats }) => stats.framesIn,
    ),
    each(
      "qumo_plugin_frames_out_total",
      "counter",
      "Frames the instance handed on.",
      ({ stats }) => stats.framesOut,
    ),
    each(
      "qumo_plugin_bytes_in_total",
      "counter",
      "Bytes the instance took in.",
      ({ stats }) => stats.bytesIn,
    ),
    each(
      "qumo_plugin_bytes_out_total",
      "counter",
      "Bytes the instance handed on.",
      ({ stats }) => stats.bytesOut,
    ),
    each(
      "qumo_plugin_skipped_total",
      "counter",
      "Damaged pieces of media the instance left out.",
      ({ stats }) => stats.skipped,
    ),
    each(
      "qumo_plugin_errors_total",
      "counter",
      "Failures the instance got over by itself, HTTP requests that failed among them.",
      ({ stats }) => stats.errors,
    ),
    each(
      "qumo_plugin_not_served",
      "gauge",
      "Broadcasts and renditions that are there and not served now, for a limit or for what they are.",
      ({ stats }) => stats.notServed,
    ),
    {
      name: "qumo_plugin_latency_seconds",
      type: "gauge",
      help: "What the instance adds between a frame's coming and going, the last measured.",
      open: INSTANCE,
      read: ({ plugins }) =>
        plugins.filter(({ stats }) => stats.latencyMs >= 0)
          .map((instance): Sample => [labelsOf(instance), instance.stats.latencyMs / 1000]),
    },
  ],
};
