/** What the simulation found, as tables in Markdown: for a terminal and for docs/scaling.md. */
import type { Scale } from "../scale.ts";
import type { Outcome } from "../scenarios.ts";
import type { TopologyName } from "../network/topology.ts";

/** One scenario in one topology. */
export interface Played extends Outcome {
  readonly topology: TopologyName;
  readonly nodes: number;
  readonly sessions: boolean;
}

export function outcomeTable(played: readonly Played[]): string[] {
  return table(
    [
      ...["topology", "nodes", "scenario", "convergence", "messages", "per change"],
      ...[
        "pulls per node, region",
        "depth",
        "groups seen",
        "lost",
        "repeated",
        "moved, lost",
        "holds",
      ],
    ],
    played.map(({ topology, nodes, sessions, scenario, pulls, groups, ...one }) => [
      topology,
      `${nodes}${sessions ? "" : " (direct)"}`,
      scenario,
      seconds(one.convergenceMs),
      count(one.messages),
      one.changes === 0 ? "–" : count(one.messages / one.changes),
      `${pulls.perNode}, ${pulls.perRegion}`,
      String(pulls.depth),
      count(groups.seen),
      String(groups.lost),
      String(groups.repeated),
      `${groups.moved}, ${groups.movedLost}`,
      one.problems.length === 0 ? "yes" : "NO",
    ]),
  );
}

export function scaleTable(scales: readonly Scale[]): string[] {
  return table(
    [
      ...["topology", "nodes", "broadcasts", "routes", "bytes per route", "convergence of all"],
      ...["messages per broadcast", "one more: messages", "one more: time"],
    ],
    scales.map((one) => [
      one.topology,
      count(one.nodes),
      count(one.broadcasts),
      count(one.routes),
      one.bytesPerRoute === undefined ? "–" : count(one.bytesPerRoute),
      seconds(one.convergenceMs),
      count(one.messagesPerBroadcast),
      count(one.messagesPerChange),
      seconds(one.changeMs),
    ]),
  );
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = heads.map((head, i) =>
    Math.max(head.length, 3, ...rows.map((row) => row[i]!.length))
  );
  const isNumber = heads.map((_, i) => rows.every((row) => /^[\d–]/.test(row[i]!)));
  const line = (cells: readonly string[]) =>
    `| ${
      cells.map((cell, i) => isNumber[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))
        .join(" | ")
    } |`;
  const rule = widths.map((width, i) =>
    isNumber[i] ? `${"-".repeat(width - 1)}:` : "-".repeat(width)
  );
  return [line(heads), line(rule), ...rows.map(line)];
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** With commas; one decimal below 10. */
function count(value: number): string {
  return (value < 10 ? Math.round(value * 10) / 10 : Math.round(value)).toLocaleString("en-US");
}
