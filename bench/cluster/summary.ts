/**
 * Medians over the rounds, and what one more relay adds.
 *
 * @module
 */
import { median } from "../peers/summary.ts";
import { type ChainName, type Length, LENGTHS } from "./chains.ts";
import type { ChainRun } from "./run.ts";

/** Milliseconds. */
export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface ChainSummary {
  /** From the publisher's write to the viewer's last byte. */
  readonly latency: Readonly<Record<Length, Latency>>;
  /** What each relay after the first adds. */
  readonly perHop: Latency;
  /** CPU of the relay in the middle of three, in microseconds, for each frame that it forwards. */
  readonly cpuUsPerFrame: number;
  /** Over all rounds. */
  readonly groups: { readonly lost: number; readonly repeated: number; readonly cut: number };
  /** Viewers that could not connect, lost their session or got nothing. */
  readonly failedViewers: number;
}

export interface ClusterSummary {
  readonly subjects: Partial<Record<ChainName, ChainSummary>>;
  /**
   * Ours divided by moq-relay's: medians of each round's own ratio, without rounds in which one of them
   * added nothing that stands out. NaN when none is left.
   */
  readonly ratio: { readonly perHopP50: number; readonly cpu: number };
}

export function summarizeChains(runs: readonly ChainRun[]): ClusterSummary {
  const names = [...new Set(runs.map(({ subject }) => subject))];
  const rounds = [...new Set(runs.map(({ round }) => round))];
  const ratioOf = (value: (runs: readonly ChainRun[]) => number) =>
    round(median(
      rounds.map((one) => {
        const of = (name: ChainName) =>
          value(runs.filter((run) => run.round === one && run.subject === name));
        return of("qumo-relay") / of("moq-relay");
      }).filter((value) => value > 0 && value < Infinity),
    ));
  return {
    subjects: Object.fromEntries(
      names.map((name) => [name, summaryOf(runs.filter(({ subject }) => subject === name))]),
    ),
    ratio: {
      perHopP50: ratioOf((its) => perHop(its, "p50")),
      cpu: ratioOf(cpuOf),
    },
  };
}

function summaryOf(runs: readonly ChainRun[]): ChainSummary {
  const sum = (of: (run: ChainRun) => number) => runs.reduce((total, run) => total + of(run), 0);
  return {
    latency: Object.fromEntries(LENGTHS.map((length) => [length, {
      p50Ms: round(latencyOf(runs, length, "p50")),
      p99Ms: round(latencyOf(runs, length, "p99")),
    }])) as Record<Length, Latency>,
    perHop: { p50Ms: round(perHop(runs, "p50")), p99Ms: round(perHop(runs, "p99")) },
    cpuUsPerFrame: round(cpuOf(runs)),
    groups: {
      lost: sum(({ result }) => result.groups.lost),
      repeated: sum(({ result }) => result.groups.repeated),
      cut: sum(({ result }) => result.groups.cut),
    },
    failedViewers: sum(({ result: { viewers } }) =>
      viewers.failed + Math.max(viewers.lostSessions, viewers.silent)
    ),
  };
}

type Quantile = "p50" | "p99";

function latencyOf(runs: readonly ChainRun[], length: Length, quantile: Quantile): number {
  const its = runs.filter((run) => run.load === "latency" && run.length === length);
  return median(its.map(({ result }) => result.latencyMs[quantile]));
}

function perHop(runs: readonly ChainRun[], quantile: Quantile): number {
  const [shortest, longest] = [LENGTHS[0]!, LENGTHS.at(-1)!];
  const added = latencyOf(runs, longest, quantile) - latencyOf(runs, shortest, quantile);
  return added / (longest - shortest);
}

function cpuOf(runs: readonly ChainRun[]): number {
  const its = runs.filter(({ load }) => load === "forwarding");
  return median(
    its.map(({ result }) => result.relay?.cpuUsPerFrame).filter((value) => value !== undefined),
  );
}

const round = (value: number): number => Math.round(value * 100) / 100;
