/** The tables of docs/reliability.md, between two marks. */
import { describeMachine, type Machine } from "../../bench/peers/machine.ts";
import type { Outcome } from "./outcome.ts";
import { type Marks, withPart } from "../docs/marked_part.ts";

/** The outcomes that bench/results keeps, so that one fault can be repeated alone. */
export interface ChaosResults {
  readonly date: string;
  readonly machine: Machine;
  readonly viewers: number;
  readonly outcomes: readonly (Outcome & {
    readonly date: string;
    readonly seed: number;
    readonly load: number;
  })[];
}

const MARKS: Marks = {
  begin: "<!-- made by `deno task test:chaos --write`: do not edit -->",
  end: "<!-- end of what is made -->",
};

/** Puts the tables into the page. @throws {Error} The marks are missing. */
export function intoPage(page: string, results: ChaosResults): string {
  return withPart(page, MARKS, tables(results).trimEnd());
}

function tables({ date, machine, viewers, outcomes }: ChaosResults): string {
  const loads = outcomes.map(({ load }) => load);
  return [
    `Measured on ${date}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.kernel}, ` +
    `Deno ${machine.deno}; ${viewers} honest viewers; load average of the machine between ` +
    `${Math.min(...loads)} and ${Math.max(...loads)}.`,
    "",
    "| fault | honest groups: seen, lost, cut off | latency p99, longest | memory: before, peak; after each time | held |",
    "| --- | ---: | ---: | ---: | --- |",
    ...outcomes.map(row),
    "",
    ...costs(outcomes),
    "What was done in each, and what the relay's own counters say of it:",
    "",
    "| fault | load | counters |",
    "| --- | --- | --- |",
    ...outcomes.map(story),
    "",
  ].join("\n");
}

function costs(outcomes: readonly Outcome[]): string[] {
  const rows = outcomes.flatMap(({ name, cost }) =>
    cost === undefined
      ? []
      : [`| \`${name}\` | ${cost.peers} | ${cost.mbEach} MB | ${cost.boundMb} MB |`]
  );
  if (rows.length === 0) return [];
  return [
    "What one connection cost, with many held at once: the growth of the process divided by their number.",
    "",
    "| fault | connections | each | bound |",
    "| --- | ---: | ---: | ---: |",
    ...rows,
    "",
  ];
}

function row({ name, groups, p99Ms, maxMs, memory, problems }: Outcome): string {
  const { seen, lost, cut } = groups;
  return `| \`${name}\` | ${count(seen)}, ${lost}, ${cut} | ${
    p99Ms === undefined ? "–" : `${p99Ms} ms, ${maxMs} ms`
  } | ${
    memory === undefined ? "–" : `${memory.before}, ${memory.peak}; ${memory.after.join(", ")} MB`
  } | ${problems.length === 0 ? "yes" : problems.join("; ")} |`;
}

function story({ name, what, done, seconds, counters }: Outcome): string {
  const told = Object.entries(counters).map(([counter, n]) => `\`${counter}\` +${count(n)}`);
  return `| \`${name}\` | ${what}; ${seconds} s: ${done} | ${told.join(", ") || "–"} |`;
}

const count = (n: number) => n.toLocaleString("en");

/** Replaces old outcomes by new ones of the same name, in the order given. */
export function merged(
  old: ChaosResults | undefined,
  fresh: ChaosResults["outcomes"],
  order: readonly string[],
  viewers: number,
): ChaosResults {
  const byName = new Map([...old?.outcomes ?? [], ...fresh].map((one) => [one.name, one]));
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    viewers,
    outcomes: order.flatMap((name) => byName.get(name) ?? []),
  };
}
