import type { BenchResult, Times } from "./result.ts";

const MB = 1024 * 1024;

/** A result for people: one line a figure. */
export function describeResult(result: BenchResult): string {
  const { viewers, groups, slowGroups, relay, generator } = result;
  const rows: [string, string][] = [
    ["viewers", viewersLine(viewers)],
    ["connect", times(result.connectMs)],
    ["first frame", times(result.firstFrameMs)],
    ["delivered", deliveredLine(result)],
    ["latency", times(result.latencyMs)],
  ];
  if (groups.seen + groups.lost > 0) rows.push(["groups", groupsLine(groups)]);
  if (slowGroups !== undefined) rows.push(["  slow viewers", groupsLine(slowGroups)]);
  if (relay !== undefined) {
    const cost = relay.cpuUsPerFrame === undefined ? "" : `${relay.cpuUsPerFrame} µs a frame, `;
    rows.push(
      [
        "relay CPU",
        `${cost}${relay.cpuPercent} % of a core (user ${relay.userMs} ms, system ${relay.systemMs} ms)`,
      ],
      [
        "relay memory",
        `${mb(relay.rssBytes)} MB, highest ${mb(relay.peakRssBytes)} MB` +
        (relay.rssPerViewerBytes === undefined
          ? ""
          : `; ${Math.round(relay.rssPerViewerBytes / 1024)} KB a viewer`),
      ],
      [
        "relay switches",
        `${relay.voluntarySwitches} voluntary, ${relay.involuntarySwitches} not` +
        (relay.switchesPerFrame === undefined ? "" : `; ${relay.switchesPerFrame} a frame`) +
        `, ${relay.threads} threads`,
      ],
    );
  }
  rows.push([
    "generator",
    generator.workers.map(({ role, cpuPercent, loopDelayP99Ms }) =>
      `${role} ${cpuPercent === undefined ? "" : `${cpuPercent} % CPU, `}loop ${loopDelayP99Ms} ms`
    ).join("; ") +
    (generator.machineBusyPercent === undefined
      ? ""
      : `; all cores ${generator.machineBusyPercent} %`),
  ]);
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const lines = rows.map(([name, text]) => name.padEnd(width) + text);
  for (const [why, count] of Object.entries(result.reasons)) lines.push(`  ${count} × ${why}`);
  if (generator.bottleneck !== undefined) {
    lines.push(
      `The generator may be the bottleneck: ${generator.bottleneck}. Latency and loss are then not the relay's alone; ` +
        "use fewer viewers, more --workers, or another machine.",
    );
  }
  return lines.join("\n");
}

function viewersLine(viewers: BenchResult["viewers"]): string {
  const { planned, up, sessions, failed, lostSessions, endedSubscriptions, silent } = viewers;
  const parts = [`${up} of ${planned}`];
  if (sessions !== planned) parts.push(`${sessions} sessions`);
  if (failed > 0) parts.push(`${failed} could not connect`);
  if (lostSessions > 0) parts.push(`${lostSessions} lost their session`);
  if (endedSubscriptions > 0) parts.push(`${endedSubscriptions} subscriptions ended by the relay`);
  if (silent > 0) parts.push(`${silent} got nothing`);
  return parts.join(", ");
}

function deliveredLine(result: BenchResult): string {
  const { framesPerSecond, bytesPerSecond, expectedFramesPerSecond: expected } = result;
  const share = expected > 0 ? ` (${(100 * framesPerSecond / expected).toFixed(1)} %)` : "";
  return `${framesPerSecond} frames/s${share}, ${(bytesPerSecond / MB).toFixed(1)} MB/s, ` +
    `${result.frames} frames in ${result.seconds} s`;
}

function groupsLine({ seen, lost, repeated, cut }: BenchResult["groups"]): string {
  return `${seen} came, ${lost} lost, ${repeated} repeated, ${cut} cut off`;
}

function times({ count, p50, p95, p99, max }: Times): string {
  return count === 0 ? "-" : `p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms, max ${max} ms`;
}

const mb = (bytes: number) => (bytes / MB).toFixed(1);
