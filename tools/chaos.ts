/**
 * `deno task test:chaos`: a relay as its users start it, honest peers on it, and beside them everything that can go wrong,
 * one fault after the other. Honest viewers must not lose a group, the process has to stay up, and memory has to
 * find its level when a fault comes again and again.
 *
 *   deno task test:chaos [--only NAME,NAME] [--minutes 0.5] [--viewers 20] [--seed N] [--write]
 *   deno task test:chaos --short
 *
 * A fault is applied at least twice, and again until memory stays level. `--minutes` is the length of each time; some faults
 * take a multiple. `--write` writes the results to bench/results/chaos.json and docs/reliability.md. `--short` is what the
 * tests run: some faults, a second each, on one relay. Exit code 1 when the relay did not hold.
 */
import { parseArgs } from "node:util";
import { loadAverage } from "../bench/peers/machine.ts";
import { apply } from "./chaos/apply.ts";
import { smallDisk } from "./chaos/faults/disk.ts";
import { allFaults } from "./chaos/faults.ts";
import type { Outcome } from "./chaos/outcome.ts";
import { type ChaosResults, intoPage, merged } from "./chaos/page.ts";
import { shortRound } from "./chaos/faults/short.ts";
import { fromFileUrl } from "./file_url.ts";
import { say } from "./say.ts";

const RESULTS = fromFileUrl(new URL("../bench/results/chaos.json", import.meta.url));
const PAGE = fromFileUrl(new URL("../docs/reliability.md", import.meta.url));
const SEED = 20_261_121;

// The peers of some faults fail by design, at any moment.
globalThis.addEventListener("unhandledrejection", (event) => event.preventDefault());

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    minutes: { type: "string", default: "0.5" },
    viewers: { type: "string", default: "20" },
    seed: { type: "string", default: String(SEED) },
    write: { type: "boolean", default: false },
    short: { type: "boolean", default: false },
  },
});
const seconds = Number(values.minutes) * 60;
const seed = Number(values.seed);
const viewers = Number(values.viewers);
const wanted = values.only?.split(",");

if (values.short) {
  say(`seed ${seed}`);
  const outcome = await shortRound(seed);
  tell(outcome);
  Deno.exit(outcome.problems.length === 0 ? 0 : 1);
}

const dir = await Deno.makeTempDir({ prefix: "qumo-relay-chaos-" });
const disk = smallDisk(`${dir}/disk`);
const faults = allFaults(dir, disk?.path);
const names = faults.map(({ name }) => name);
for (const name of wanted ?? []) {
  if (names.includes(name)) continue;
  say(`no fault is called ${name}; there are: ${names.join(", ")}`);
  Deno.exit(2);
}

const fresh: ChaosResults["outcomes"][number][] = [];
say(`seed ${seed}`);
try {
  for (const fault of faults) {
    if (wanted !== undefined && !wanted.includes(fault.name)) continue;
    say(`\n${fault.name}`);
    const load = loadAverage();
    let outcome: Outcome;
    try {
      outcome = "whole" in fault
        ? await fault.whole(2 * seconds)
        : await apply(fault, { seconds, viewers, seed, scale: 1 });
    } catch (error) {
      const problem = `the relay or its load did not live through it: ${error}`;
      outcome = {
        ...{ name: fault.name, what: "what" in fault ? fault.what : "", done: "–", seconds: 0 },
        ...{ groups: { seen: 0, lost: 0, cut: 0 }, counters: {}, problems: [problem] },
      };
    }
    tell(outcome);
    fresh.push({ ...outcome, date: new Date().toISOString().slice(0, 10), seed, load });
    if (values.write) await write();
  }
} finally {
  disk?.remove();
  await Deno.remove(dir, { recursive: true });
}
Deno.exit(fresh.every(({ problems }) => problems.length === 0) ? 0 : 1);

function tell({ done, groups, p99Ms, maxMs, memory, cost, counters, problems }: Outcome): void {
  say(`  ${done}`);
  say(`  honest viewers: ${groups.seen} groups, ${groups.lost} lost, ${groups.cut} cut off`);
  if (p99Ms !== undefined) say(`  latency: p99 ${p99Ms} ms, longest ${maxMs} ms`);
  if (memory !== undefined) {
    const { before, peak, after } = memory;
    say(`  memory: ${before} MB, peak ${peak}, after each time ${after.join(", ")}`);
  }
  if (cost !== undefined) {
    say(`  one connection of ${cost.peers}: ${cost.mbEach} MB, bound ${cost.boundMb} MB`);
  }
  for (const [name, by] of Object.entries(counters)) say(`  ${name} +${by}`);
  for (const problem of problems) say(`  NOT IN ORDER: ${problem}`);
}

async function write(): Promise<void> {
  const old = await Deno.readTextFile(RESULTS).then(
    (text): ChaosResults => JSON.parse(text),
    () => undefined,
  );
  const results = merged(old, fresh, names, viewers);
  await Deno.writeTextFile(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
  await Deno.writeTextFile(PAGE, intoPage(await Deno.readTextFile(PAGE), results));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", RESULTS, PAGE] }).output();
}
