/**
 * Renders docs/metrics.md from the catalogue.
 *
 * @module
 */
import { table } from "./markdown.ts";
import { CATALOG } from "../../metrics/catalog.ts";
import type { Metric, MetricSection } from "../../metrics/metric.ts";

/** The text of docs/metrics.md, as the formatter leaves it. */
export function metricsMarkdown(): string {
  return [...HEAD, ...CATALOG.flatMap(sectionOf), "", ...TAIL].join("\n") + "\n";
}

const HEAD = [
  "# Metrics",
  "",
  "<!-- Made by `deno task docs` from metrics/catalog.ts; do not edit. -->",
  "",
  "`GET /metrics` on the admin address (`127.0.0.1:9090` unless `admin.address` says otherwise) answers",
  "in the Prometheus text format. Values are read when it is asked; nothing is kept between two",
  "scrapes. Counters run since the start of the process. Every label takes its values from the set",
  "given here, or from the names of the plugins that are configured, so the number of series does not",
  "grow with tracks or viewers.",
];

const TAIL = [
  "## Questions they answer",
  "",
  "- Bits per second to viewers: `8 * rate(qumo_egress_bytes_total[1m])`",
  "- Viewers too slow for what they watch: `rate(qumo_egress_groups_skipped_total[5m]) > 0`",
  "- Packets lost on this machine: `rate(qumo_system_udp_receive_drops_total[5m]) > 0`",
  "- The upstream relay is away: `qumo_upstream_connected == 0`",
  "- Days the certificate is still good for:",
  "  `(qumo_certificate_not_after_timestamp_seconds - time()) / 86400`",
];

function sectionOf({ title, metrics }: MetricSection): string[] {
  const rows = metrics.map((metric) => [
    `\`${metric.name}\``,
    metric.type,
    labelsOf(metric),
    metric.help,
  ]);
  return ["", `## ${title}`, "", ...table(["Name", "Type", "Labels", "Meaning"], rows)];
}

function labelsOf({ labels = {}, open }: Metric): string {
  if (open !== undefined) return open.map((name) => `\`${name}\``).join(", ");
  return Object.entries(labels)
    .map(([name, values]) =>
      `\`${name}\`: ${name === "version" ? versions(values) : values.join(", ")}`
    )
    .join("; ");
}

/** The program's own version changes with every release; a document should not. */
function versions(values: readonly string[]): string {
  return values.length === 1 ? "as `qumo-relay version` prints it" : values.join(", ");
}
