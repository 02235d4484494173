/**
 * Writes the results as tables into the document.
 *
 * @module
 */
import { table } from "../peers/document.ts";
import type { Machine } from "../peers/machine.ts";
import { type Marks, withPart } from "../../tools/docs/marked_part.ts";
import { type ChainName, LENGTHS } from "./chains.ts";
import type { ChainRun } from "./run.ts";
import { type Latency, summarizeChains } from "./summary.ts";

/** What one run of `deno task bench:cluster` has measured. */
export interface ClusterResult {
  /** The day, "2026-11-20". */
  readonly date: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly durationMs: number;
  readonly runs: readonly ChainRun[];
}

const MARKS: Marks = {
  begin: "<!-- made by `deno task bench:cluster`: do not edit -->",
  end: "<!-- end of what bench:cluster makes -->",
};

/** Puts the tables between the markers of a document. @throws {Error} There are none in it. */
export function withClusterResults(document: string, result: ClusterResult): string {
  return withPart(document, MARKS, clusterTables(result));
}

/** The measured part of the document. */
export function clusterTables(
  { date, machine, rounds, durationMs, runs }: ClusterResult,
): string {
  const { subjects, ratio } = summarizeChains(runs);
  const loads = runs.map(({ loadAverage }) => loadAverage);
  const names = (["qumo-relay", "moq-relay"] as const).filter((name) => subjects[name]);
  const each = ({ p50Ms, p99Ms }: Latency) => `${p50Ms} / ${p99Ms}`;
  const row = (name: string, of: (name: ChainName) => string, compared: string) => [
    name,
    ...names.map(of),
    compared,
  ];
  return [
    `Measured on ${date}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ` +
    `Deno ${machine.deno}; ${rounds} rounds of ${
      durationMs / 1000
    } s for each number; load average ` +
    `of the machine at the beginning of a run between ${Math.min(...loads)} and ${
      Math.max(...loads)
    }.`,
    table(["", ...names, "ours / moq-relay"], [
      ...LENGTHS.map((length) =>
        row(
          `latency through ${length === 1 ? "one relay" : `${length} relays`}, p50 / p99, ms`,
          (name) => each(subjects[name]!.latency[length]),
          "",
        )
      ),
      row(
        "added by each further relay, p50 / p99, ms (ratio of p50)",
        (name) => each(subjects[name]!.perHop),
        known(ratio.perHopP50),
      ),
      row(
        "CPU of the middle relay of three, µs a forwarded frame",
        (name) => String(subjects[name]!.cpuUsPerFrame),
        known(ratio.cpu),
      ),
      row(
        "groups lost, repeated, cut off; viewers that failed",
        (name) => {
          const { groups: { lost, repeated, cut }, failedViewers } = subjects[name]!;
          return `${lost}, ${repeated}, ${cut}; ${failedViewers}`;
        },
        "",
      ),
    ]),
  ].join("\n\n");
}

const known = (ratio: number): string => Number.isNaN(ratio) ? "–" : ratio.toFixed(2);
