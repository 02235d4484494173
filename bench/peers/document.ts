/**
 * Writes the results as tables into the document.
 *
 * @module
 */
import type { Machine } from "./machine.ts";
import type { Medians, ShapeSummary } from "./summary.ts";
import type { SubjectName } from "./subjects.ts";
import { type Marks, withPart } from "../../tools/docs/marked_part.ts";

/** What one run of `deno task bench:peers` has measured. */
export interface PeersResult {
  /** The day, "2026-11-20". */
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Partial<Record<SubjectName, string>>;
  readonly rounds: number;
  readonly durationMs: number;
  /** Lowest and highest load average at the beginning of a run. */
  readonly loadAverage: { readonly min: number; readonly max: number };
  readonly shapes: readonly ShapeSummary[];
}

const MARKS: Marks = {
  begin: "<!-- made by `deno task bench:peers`: do not edit -->",
  end: "<!-- end of what is made -->",
};
const NAMES: readonly SubjectName[] = ["qumo-relay", "moq-relay", "floor"];

/** Puts the tables between the markers of a document. @throws {Error} There are none in it. */
export function withResults(document: string, result: PeersResult): string {
  return withPart(document, MARKS, tables(result));
}

/** The measured part of the document. */
export function tables(result: PeersResult): string {
  const { machine, versions, rounds, durationMs, loadAverage, date } = result;
  const busy = result.shapes.filter(({ shape }) => !shape.idle);
  const idle = result.shapes.filter(({ shape }) => shape.idle);
  const memory = `${machine.memoryGb} GB`;
  return [
    `Measured on ${date}: ${machine.cpu}, ${machine.cores} cores, ${memory}, ${machine.kernel}, ` +
    `Deno ${machine.deno}, \`net.core.rmem_default\` ${machine.receiveBufferBytes}. ` +
    `${
      NAMES.flatMap((n) => versions[n] === undefined ? [] : [`${n}: ${versions[n]}`]).join("; ")
    }. ` +
    `${rounds} rounds of ${
      durationMs / 1000
    } s each; load average of the machine at the beginning of a run ` +
    `between ${loadAverage.min} and ${loadAverage.max}.`,
    "CPU of the relay's process per delivered frame, in microseconds; ratios are medians of each round's own ratio:",
    table(
      ["load", "qumo-relay", "moq-relay", "floor", "ours / moq-relay", "ours / floor"],
      busy.map(({ shape, medians, cpuRatio }) => [
        shape.name,
        ...NAMES.map((name) => cell(medians[name]?.cpuUsPerFrame)),
        cell(cpuRatio["moq-relay"], 2),
        cell(cpuRatio.floor, 2),
      ]),
    ),
    "Latency from the publisher's write to the viewer's last byte, in milliseconds, p50 / p99:",
    table(
      ["load", ...NAMES],
      busy.map(({ shape, medians }) => [
        shape.name,
        ...NAMES.map((name) => each(medians[name], (m) => `${m.latencyP50Ms} / ${m.latencyP99Ms}`)),
      ]),
    ),
    "Frames delivered, of those that were due; groups lost, repeated, cut off over all rounds; viewers that failed:",
    table(
      ["load", ...NAMES],
      busy.map(({ shape, medians }) => [
        shape.name,
        ...NAMES.map((name) =>
          each(
            medians[name],
            (m) =>
              (m.deliveredPercent === undefined ? "" : `${m.deliveredPercent} %; `) +
              `${m.lost}, ${m.repeated}, ${m.cut}; ${m.failedViewers}`,
          )
        ),
      ]),
    ),
    "Memory of the relay's process (RSS) with all viewers there, and what each viewer has added; context switches per frame; how busy all cores were:",
    table(
      ["load", ...NAMES],
      [...busy, ...idle].map(({ shape, medians }) => [
        shape.name,
        ...NAMES.map((name) =>
          each(medians[name], (m) => {
            const switches = m.switchesPerFrame === undefined ? "" : `; ${m.switchesPerFrame}`;
            return `${m.rssMb} MB, ${m.rssPerViewerKb} KB${switches}; ${m.machineBusyPercent} %`;
          })
        ),
      ]),
    ),
  ].join("\n\n");
}

function each(medians: Medians | undefined, print: (medians: Medians) => string): string {
  return medians === undefined ? "–" : print(medians);
}

function cell(value: number | undefined, digits = 1): string {
  return value === undefined || Number.isNaN(value) ? "–" : value.toFixed(digits);
}

/** A table with its numbers aligned to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, i) => (i === 0 ? "---" : "---:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
