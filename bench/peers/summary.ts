/**
 * Medians and ratios over the rounds.
 *
 * @module
 */
import type { Run } from "./run.ts";
import type { Shape } from "./shapes.ts";
import type { SubjectName } from "./subjects.ts";

/** Medians of one subject under one shape. */
export interface Medians {
  readonly rounds: number;
  readonly cpuUsPerFrame?: number;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  /** Percent of what would have come if nothing were late. Absent if it is unknown. */
  readonly deliveredPercent?: number;
  readonly rssMb: number;
  readonly rssPerViewerKb: number;
  readonly switchesPerFrame?: number;
  /** Over all rounds: groups lost, repeated and cut off; viewers that could not connect, lost their session or got nothing. */
  readonly lost: number;
  readonly repeated: number;
  readonly cut: number;
  readonly failedViewers: number;
  readonly machineBusyPercent: number;
}

export interface ShapeSummary {
  readonly shape: Shape;
  readonly medians: Partial<Record<SubjectName, Medians>>;
  /** Our CPU per frame divided by the other's: the median over the rounds. */
  readonly cpuRatio: Partial<Record<SubjectName, number>>;
  readonly runs: readonly Run[];
}

/** The middle, or the mean of the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return sorted.length % 2 === 1
    ? sorted[Math.floor(half)]!
    : (sorted[half - 1]! + sorted[half]!) / 2;
}

export function summarize(shape: Shape, runs: readonly Run[]): ShapeSummary {
  const names = [...new Set(runs.map(({ subject }) => subject))];
  const medians = Object.fromEntries(
    names.map((name) => [name, mediansOf(runs.filter(({ subject }) => subject === name))]),
  );
  const ratios = names.filter((name) => name !== "qumo-relay")
    .map((name) => [name, ratioTo(name, runs)] as const)
    .filter(([, ratio]) => !Number.isNaN(ratio));
  return { shape, medians, cpuRatio: Object.fromEntries(ratios), runs };
}

function mediansOf(runs: readonly Run[]): Medians {
  const results = runs.map(({ result }) => result);
  const of = (pick: (result: Run["result"]) => number | undefined) =>
    median(results.map(pick).filter((value) => value !== undefined));
  const sum = (pick: (result: Run["result"]) => number) =>
    results.reduce((total, result) => total + pick(result), 0);
  const known = <K extends string>(key: K, value: number, digits: number) =>
    (Number.isNaN(value) ? {} : { [key]: round(value, digits) }) as Partial<Record<K, number>>;
  const share = of(({ framesPerSecond, expectedFramesPerSecond: expected }) =>
    expected > 0 ? 100 * framesPerSecond / expected : undefined
  );
  return {
    rounds: runs.length,
    ...known("cpuUsPerFrame", of(({ relay }) => relay?.cpuUsPerFrame), 1),
    latencyP50Ms: round(of(({ latencyMs }) => latencyMs.p50), 1),
    latencyP99Ms: round(of(({ latencyMs }) => latencyMs.p99), 1),
    ...known("deliveredPercent", share, 1),
    rssMb: Math.round(of(({ relay }) => relay?.rssBytes) / 1024 ** 2),
    rssPerViewerKb: Math.round(of(({ relay }) => relay?.rssPerViewerBytes) / 1024),
    ...known("switchesPerFrame", of(({ relay }) => relay?.switchesPerFrame), 2),
    lost: sum(({ groups }) => groups.lost),
    repeated: sum(({ groups }) => groups.repeated),
    cut: sum(({ groups }) => groups.cut),
    failedViewers: sum(({ viewers }) => missing(viewers)),
    machineBusyPercent: Math.round(of(({ generator }) => generator.machineBusyPercent)),
  };
}

/** Viewers with something missing. One that lost its session before it got anything counts as silent too. */
function missing({ failed, lostSessions, silent }: Run["result"]["viewers"]): number {
  return failed + Math.max(lostSessions, silent);
}

/** The two runs of a round follow each other directly, so other programs affect their ratio least. */
function ratioTo(other: SubjectName, runs: readonly Run[]): number {
  const cost = (subject: SubjectName, round: number) =>
    runs.find((run) => run.subject === subject && run.round === round)?.result.relay?.cpuUsPerFrame;
  const ratios = [...new Set(runs.map((run) => run.round))].flatMap((round) => {
    const [ours, theirs] = [cost("qumo-relay", round), cost(other, round)];
    return ours === undefined || theirs === undefined ? [] : [ours / theirs];
  });
  return round(median(ratios), 3);
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
