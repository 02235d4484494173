/**
 * `deno task bench:cluster`: what each relay of a chain adds to the latency, and what a frame costs the relay in the middle;
 * ours beside moq-relay, where that is on PATH, in one run, in turn. Writes bench/results/cluster.json and the tables of
 * docs/performance.md.
 *
 *   deno task bench:cluster [--rounds 5] [--duration 5s] [--dry]
 *   deno task bench:cluster --from bench/results/cluster.json
 *
 * `--dry` prints the tables and writes nothing. `--from` measures nothing: it makes the tables from the runs in a file.
 */
import { parseArgs } from "node:util";
import { parseDurationMs } from "../base/units.ts";
import { fromFileUrl } from "../tools/file_url.ts";
import { say } from "../tools/say.ts";
import { chainSubjects, type Length, LENGTHS } from "./cluster/chains.ts";
import { type ClusterResult, clusterTables, withClusterResults } from "./cluster/document.ts";
import { type ChainRun, type Load, runChain } from "./cluster/run.ts";
import { describeMachine } from "./peers/machine.ts";

const DOCUMENT = fromFileUrl(new URL("../docs/performance.md", import.meta.url));
const RESULTS = fromFileUrl(new URL("./results/cluster.json", import.meta.url));

const LOADS: readonly { readonly length: Length; readonly load: Load }[] = [
  ...LENGTHS.map((length) => ({ length, load: "latency" as const })),
  { length: 3, load: "forwarding" },
];

async function measure(rounds: number, durationMs: number): Promise<ChainRun[]> {
  const subjects = chainSubjects();
  const runs: ChainRun[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const load of LOADS) {
      // The first program may meet a machine in another state than the last one.
      for (let i = 0; i < subjects.length; i++) {
        const subject = subjects[(i + round) % subjects.length]!;
        try {
          const run = await runChain(subject, { ...load, round, durationMs });
          runs.push(run);
          say(oneLine(run));
        } catch (error) {
          say(`round ${round}, ${subject.name} did not come about: ${error}`);
        }
      }
    }
  }
  return runs;
}

function oneLine({ round, subject, length, load, loadAverage, result }: ChainRun): string {
  const { relay, latencyMs, groups, generator } = result;
  return `round ${round}, ${subject}, ${length} in a row, ${load}: p50 ${latencyMs.p50} ms, ` +
    `p99 ${latencyMs.p99} ms, ${relay?.cpuUsPerFrame ?? "–"} µs a frame, ` +
    `${groups.lost} lost, ${groups.repeated} repeated, ${groups.cut} cut off; ` +
    `all cores ${generator.machineBusyPercent ?? "–"} % busy, load average ${loadAverage}`;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      duration: { type: "string", default: "5s" },
      from: { type: "string" },
      dry: { type: "boolean", default: false },
    },
  });
  const rounds = Number(values.rounds);
  const durationMs = parseDurationMs(values.duration);
  if (!Number.isInteger(rounds) || rounds < 1 || durationMs === undefined) {
    say("--rounds takes a whole number, --duration a time like 5s");
    return 2;
  }
  const result: ClusterResult = values.from === undefined
    ? {
      date: new Date().toISOString().slice(0, 10),
      machine: describeMachine(),
      ...{ rounds, durationMs, runs: await measure(rounds, durationMs) },
    }
    : JSON.parse(await Deno.readTextFile(values.from));
  if (values.dry) {
    say(clusterTables(result));
    return 0;
  }
  await Deno.writeTextFile(RESULTS, JSON.stringify(result, null, 2) + "\n");
  await Deno.writeTextFile(DOCUMENT, withClusterResults(await Deno.readTextFile(DOCUMENT), result));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", RESULTS, DOCUMENT] }).output();
  return 0;
}

if (import.meta.main) Deno.exit(await main());
