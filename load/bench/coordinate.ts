/**
 * Runs a load: starts workers, connects publishers and then viewers, measures, and waits for the last frames.
 *
 * @module
 */
import { sleep } from "../../base/sleep.ts";
import type { LightTarget } from "../light_session.ts";
import { Child } from "./child.ts";
import { Histogram } from "../figures/histogram.ts";
import type { Progress, Window } from "./messages.ts";
import { expectedPerSecond, type LoadSpec, type Plan } from "./plan.ts";
import { machineTimes, readProcess } from "../figures/process_stats.ts";
import {
  type BenchResult,
  type GeneratorFigures,
  relayFigures,
  round,
  timesOf,
} from "../figures/result.ts";
import { Tally } from "../figures/tally.ts";
import type { LastGroups } from "./viewer.ts";

/** How long to wait after the publishers have connected, and after the viewers have. */
const QUIET_MS = 1000;
/** How often workers are asked for their progress. */
const PROGRESS_MS = 500;
/** How long viewers may take beyond the ramp. */
const ARRIVAL_MS = 60_000;

/** Above this the generator may be the bottleneck, not the relay. */
const BUSY = { workerPercent: 90, loopDelayMs: 50, machinePercent: 97 } as const;

export interface RunOptions {
  /** Where publishers connect. */
  readonly target: LightTarget;
  readonly viewersTarget: LightTarget;
  /** Viewers take turns on so many ports, their target's first. */
  readonly ports: number;
  readonly spec: LoadSpec;
  readonly plan: Plan;
  /** Processes that viewers are spread over; publishers have one of their own. */
  readonly workers: number;
  /** The relay's process. */
  readonly pid?: number;
  /** Called with the progress a few times a second. */
  readonly onProgress: (phase: string, progress: Progress) => void;
  /** Ends the run early. The result is what was measured by then. */
  readonly signal: AbortSignal;
}

/** @throws {WorkerFailed} @throws {UsageError} The process to watch cannot be read. */
export async function runLoad(options: RunOptions): Promise<BenchResult> {
  const { target, viewersTarget, ports, spec, plan, pid, signal } = options;
  const look = pid === undefined ? () => undefined : () => readProcess(pid);
  look();
  await using crew = new Crew(plan, options);
  await crew.publishing.ask({
    type: "plan",
    target,
    ports,
    kind: spec.kind,
    plan: crew.shares[0]!,
  });
  await Promise.all(
    crew.viewing.map((child, i) =>
      child.ask({
        type: "plan",
        target: viewersTarget,
        ports,
        kind: spec.kind,
        plan: crew.shares[i + 1]!,
      })
    ),
  );
  const idle = spec.kind === "media" && plan.viewers.every(({ watch }) => watch.length === 0);
  if (!idle) await crew.publishing.ask({ type: "publish" });
  await sleep(QUIET_MS, signal);
  const before = look();
  await Promise.all(crew.viewing.map((child) => child.ask({ type: "come" })));
  if (!spec.measureRamp) await arrival(crew, options);

  const from = look();
  const machineFrom = machineTimes();
  const beganMs = performance.now();
  await crew.all({ type: "measure" });
  await watch(crew, options, beganMs + spec.durationMs);
  const to = look();
  const machineTo = machineTimes();
  const seconds = (performance.now() - beganMs) / 1000;
  const windows: Window[] = await crew.all({ type: "measured" });
  const { up } = sumProgress(await crew.all({ type: "progress" }));

  const { last } = await crew.publishing.ask({ type: "stop" });
  const tally = await settle(crew, last);
  const sum = (key: "frames" | "bytes" | "sent") => windows.reduce((s, w) => s + w[key], 0);
  const frames = sum("frames");
  const machineBusyPercent = machineFrom && machineTo &&
    round(100 * (machineTo.busy - machineFrom.busy) / (machineTo.all - machineFrom.all), 1);
  const moments = before && from && to && { before, from, to };
  const slow = plan.viewers.some((viewer) => viewer.slow);
  return {
    seconds: round(seconds, 2),
    viewers: {
      planned: plan.viewers.length,
      up,
      sessions: tally.connected,
      failed: tally.failed,
      lostSessions: tally.lost,
      endedSubscriptions: tally.refused,
      silent: tally.silent,
    },
    connectMs: timesOf(tally.connectUs),
    firstFrameMs: timesOf(tally.firstFrameUs),
    frames,
    framesPerSecond: round(frames / seconds, 1),
    bytesPerSecond: Math.round(sum("bytes") / seconds),
    expectedFramesPerSecond: round(expectedPerSecond(spec, plan), 1),
    publishedPerSecond: round(sum("sent") / seconds, 1),
    latencyMs: timesOf(tally.latencyUs),
    groups: tally.groups,
    ...(slow ? { slowGroups: tally.slowGroups } : {}),
    ...(moments ? { relay: relayFigures(moments, seconds, frames, up) } : {}),
    generator: generatorFigures(windows, machineBusyPercent),
    reasons: tally.reasons,
  };
}

/** The worker processes: one for the publishers, the others for the viewers. */
class Crew implements AsyncDisposable {
  readonly publishing: Child;
  readonly viewing: readonly Child[];
  /** What each does; the publishers' first. */
  readonly shares: readonly Plan[];

  constructor({ publishers, viewers }: Plan, { workers }: RunOptions) {
    const count = Math.max(1, Math.min(workers, viewers.length));
    this.shares = [
      { publishers, viewers: [] },
      ...Array.from({ length: count }, (_, share) => ({
        publishers: [],
        viewers: viewers.filter((_, i) => i % count === share),
      })),
    ];
    this.publishing = new Child();
    this.viewing = Array.from({ length: count }, () => new Child());
  }

  all<R extends Parameters<Child["ask"]>[0]>(request: R) {
    return Promise.all([this.publishing, ...this.viewing].map((child) => child.ask(request)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.publishing, ...this.viewing].map((c) => c[Symbol.asyncDispose]()));
  }
}

/** Waits until each viewer has connected or failed, and a moment more. */
async function arrival(crew: Crew, { plan, spec, onProgress, signal }: RunOptions): Promise<void> {
  const giveUpMs = performance.now() + spec.rampMs + ARRIVAL_MS;
  while (!signal.aborted && performance.now() < giveUpMs) {
    const progress = sumProgress(await crew.all({ type: "progress" }));
    onProgress("connecting", progress);
    if (progress.arrived >= plan.viewers.length) break;
    await sleep(100, signal);
  }
  await sleep(QUIET_MS, signal);
}

/** Reports progress until the time is over. */
async function watch(
  crew: Crew,
  { onProgress, signal }: RunOptions,
  untilMs: number,
): Promise<void> {
  while (!signal.aborted) {
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) return;
    await sleep(Math.min(PROGRESS_MS, leftMs), signal);
    onProgress("measuring", sumProgress(await crew.all({ type: "progress" })));
  }
}

/** Ends the viewers first, so that the publishers stay until the last frame has arrived. */
async function settle(crew: Crew, last: LastGroups): Promise<Tally> {
  const tally = new Tally();
  const settled = await Promise.all(crew.viewing.map((c) => c.ask({ type: "settle", last })));
  for (const share of settled) tally.add(share.tally);
  await crew.publishing.ask({ type: "settle", last });
  return tally;
}

function sumProgress(all: readonly Progress[]): Progress {
  const sum = (key: keyof Progress) => all.reduce((total, one) => total + one[key], 0);
  return {
    arrived: sum("arrived"),
    up: sum("up"),
    failed: sum("failed"),
    frames: sum("frames"),
    bytes: sum("bytes"),
  };
}

/** Warns when the generator or the machine had no capacity left. */
export function generatorFigures(
  windows: readonly Window[],
  machineBusyPercent: number | undefined,
): GeneratorFigures {
  const workers = windows.map(({ load }, i) => {
    const histogram = new Histogram();
    histogram.add(load.loopUs);
    return {
      role: i === 0 ? "publishers" as const : "viewers" as const,
      ...(load.cpuPercent === undefined ? {} : { cpuPercent: round(load.cpuPercent, 1) }),
      loopDelayP99Ms: timesOf(histogram).p99,
    };
  });
  const busiest = Math.max(...workers.map(({ cpuPercent = 0 }) => cpuPercent));
  const slowest = Math.max(...workers.map(({ loopDelayP99Ms }) => loopDelayP99Ms));
  const signs: string[] = [];
  if (busiest >= BUSY.workerPercent) signs.push(`a worker used ${Math.round(busiest)} % of a core`);
  if (slowest >= BUSY.loopDelayMs) signs.push(`a worker's event loop was ${slowest} ms late (p99)`);
  if (machineBusyPercent !== undefined && machineBusyPercent >= BUSY.machinePercent) {
    signs.push(`all cores were ${machineBusyPercent} % busy`);
  }
  return {
    workers,
    ...(machineBusyPercent === undefined ? {} : { machineBusyPercent }),
    ...(signs.length === 0 ? {} : { bottleneck: signs.join("; ") }),
  };
}
