/**
 * `deno task bench:peers`: our relay beside moq-relay, where that is on PATH, and beside the floor, under the same loads
 * in one run, in turn. Writes bench/results/DATE.json and the tables of docs/performance.md.
 *
 *   deno task bench:peers [--rounds 5] [--duration 8s] [--only TEXT] [--dry]
 *   deno task bench:peers --from bench/results/DATE.json
 *
 * `--only` runs the shapes with this text in their name. `--dry` prints the tables and writes nothing. `--from` measures
 * nothing: it makes medians and tables from the rounds in a file.
 */
import { parseArgs } from "node:util";
import { parseDurationMs } from "../base/units.ts";
import { fromFileUrl } from "../tools/file_url.ts";
import { type PeersResult, tables, withResults } from "./peers/document.ts";
import { describeMachine } from "./peers/machine.ts";
import { type Run, runOnce } from "./peers/run.ts";
import { SHAPES } from "./peers/shapes.ts";
import { subjects } from "./peers/subjects.ts";
import { summarize } from "./peers/summary.ts";

const DOCUMENT = fromFileUrl(new URL("../docs/performance.md", import.meta.url));
const RESULTS = new URL("./results/", import.meta.url);

interface Options {
  readonly rounds: number;
  readonly durationMs: number;
  readonly only: string;
}

async function measure({ rounds, durationMs, only }: Options): Promise<PeersResult> {
  const found = await subjects();
  for (const { name, version } of found) say(`${name}: ${version}`);
  const shapes = SHAPES.filter(({ name }) => name.includes(only));
  const runs = new Map<string, Run[]>(shapes.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const shape of shapes) {
      const turn = found.filter((subject) => subject.takes(shape));
      // The first program may meet a machine in another state than the last one.
      for (let i = 0; i < turn.length; i++) {
        const subject = turn[(i + round) % turn.length]!;
        try {
          const run = await runOnce(subject, shape, { round, durationMs });
          runs.get(shape.name)!.push(run);
          say(oneLine(shape.name, run));
        } catch (error) {
          say(`round ${round}, ${shape.name}, ${subject.name} did not come about: ${error}`);
        }
      }
    }
  }
  const loads = [...runs.values()].flat().map(({ loadAverage }) => loadAverage);
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    versions: Object.fromEntries(found.map(({ name, version }) => [name, version])),
    rounds,
    durationMs,
    loadAverage: { min: Math.min(...loads), max: Math.max(...loads) },
    shapes: shapes.map((shape) => summarize(shape, runs.get(shape.name)!)),
  };
}

function again(result: PeersResult): PeersResult {
  return { ...result, shapes: result.shapes.map(({ shape, runs }) => summarize(shape, runs)) };
}

function oneLine(shape: string, { round, subject, result, loadAverage }: Run): string {
  const { relay, latencyMs, groups, viewers } = result;
  const missing = viewers.planned - viewers.up;
  return `round ${round}, ${shape}, ${subject}: ${relay?.cpuUsPerFrame ?? "-"} µs a frame, ` +
    `p50 ${latencyMs.p50} ms, p99 ${latencyMs.p99} ms, ${viewers.up} viewers${
      missing > 0 ? `, ${missing} MISSING` : ""
    }, ` +
    `${groups.lost} lost, ${groups.repeated} repeated, ${groups.cut} cut off, ` +
    `${Math.round((relay?.rssBytes ?? 0) / 1024 ** 2)} MB; load average ${loadAverage}`;
}

async function write(result: PeersResult): Promise<void> {
  await Deno.mkdir(RESULTS, { recursive: true });
  const file = fromFileUrl(new URL(`${result.date}.json`, RESULTS));
  await Deno.writeTextFile(file, JSON.stringify(result, null, 2) + "\n");
  await Deno.writeTextFile(DOCUMENT, withResults(await Deno.readTextFile(DOCUMENT), result));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", file, DOCUMENT] }).output();
}

const say = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(text + "\n"));

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      duration: { type: "string", default: "8s" },
      only: { type: "string", default: "" },
      from: { type: "string" },
      dry: { type: "boolean", default: false },
    },
  });
  const rounds = Number(values.rounds);
  const durationMs = parseDurationMs(values.duration);
  if (!Number.isInteger(rounds) || rounds < 1 || durationMs === undefined) {
    say("--rounds takes a whole number, --duration a time like 8s");
    return 2;
  }
  const result = values.from === undefined
    ? await measure({ rounds, durationMs, only: values.only })
    : again(JSON.parse(await Deno.readTextFile(values.from)));
  if (values.dry) say(tables(result));
  else await write(result);
  return 0;
}

if (import.meta.main) Deno.exit(await main());
