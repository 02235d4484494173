/**
 * `deno task test:soak`: a relay runs for a long time while viewers come and go beside viewers that stay. Its memory has to
 * stay level, and the viewers that stay must not lose a group.
 *
 *   deno task test:soak [--minutes 15] [--churn 60] [--steady 20] [--write]
 *
 * `--write` puts the graph into docs/soak.svg. Exit code 1 when memory has grown or a group was lost.
 */
import { sleep } from "../base/sleep.ts";
import { parseArgs } from "node:util";
import type { BenchResult } from "../load/figures/result.ts";
import { startRelay } from "../tests/support/program.ts";
import { fromFileUrl } from "./file_url.ts";
import { say } from "./say.ts";
import { svgOf } from "./soak/graph.ts";
import { V8_FLAGS } from "./ship/v8_flags.ts";

const MAIN = fromFileUrl(new URL("../main.ts", import.meta.url));
const GRAPH = fromFileUrl(new URL("../docs/soak.svg", import.meta.url));
const SAMPLE_MS = 5000;
/** The process reaches its size in the first third. From there to the last third it may grow by this factor. */
const LEVEL = 1.1;

interface Sample {
  readonly rssMb: number;
  readonly heapMb: number;
  readonly sessions: number;
  /** Slabs of frames on loan. */
  readonly slabs: number;
}

async function sample(adminUrl: string): Promise<Sample> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const sum = (name: string) =>
    [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))]
      .reduce((total, [, value]) => total + Number(value), 0);
  const mb = (bytes: number) => Math.round(bytes / 1e5) / 10;
  return {
    rssMb: mb(sum("qumo_process_resident_memory_bytes")),
    heapMb: mb(Number(/qumo_process_heap_bytes\{kind="used"\} (\S+)/.exec(text)?.[1] ?? 0)),
    sessions: sum("qumo_sessions"),
    slabs: sum("qumo_frame_pool_slabs"),
  };
}

/** Puts a load on the relay for the given minutes. */
async function load(url: string, minutes: number, flags: readonly string[]): Promise<BenchResult> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, "bench", url, "--json", "--duration", `${minutes * 60}s`, ...flags],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (code !== 0) throw new Error(`the load generator failed: ${decoder.decode(stderr)}`);
  return JSON.parse(decoder.decode(stdout));
}

/** The lower quartile. Uncollected garbage comes and goes above it; a leak raises it. */
function level(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 2] ?? 0;
}

async function soak(minutes: number, churn: string, steady: string, write: boolean) {
  await using relay = await startRelay([], { runFlags: [V8_FLAGS] });
  const before = await sample(relay.adminUrl);
  const samples: Sample[] = [];
  const both = Promise.all([
    load(relay.url, minutes, ["--scenario", "churn", "--viewers", churn]),
    load(relay.url, minutes, ["--viewers", steady, "--frame-size", "1200"]),
  ]);
  const over = both.then(() => true, () => true);
  while (!await Promise.race([over, sleep(SAMPLE_MS)])) samples.push(await sample(relay.adminUrl));
  const [going, staying] = await both;
  await sleep(2 * SAMPLE_MS);
  const after = await sample(relay.adminUrl);

  const third = Math.floor(samples.length / 3);
  const early = level(samples.slice(third, 2 * third).map(({ rssMb }) => rssMb));
  const late = level(samples.slice(2 * third).map(({ rssMb }) => rssMb));
  say(
    `${minutes} min; ${going.viewers.sessions} sessions came and went beside ${steady} that stayed`,
  );
  say(
    `memory of the process: ${before.rssMb} MB before, ${early} MB in the second third and ${late} MB in the last (lower quartiles), ${after.rssMb} MB after`,
  );
  say(
    `heap in use: ${before.heapMb} MB before, ${after.heapMb} MB after; slabs on loan after: ${after.slabs}; sessions after: ${after.sessions}`,
  );
  say(
    `who stayed: ${staying.groups.seen} groups, ${staying.groups.lost} lost, ${staying.groups.cut} cut off, p99 ${staying.latencyMs.p99} ms`,
  );
  if (write) {
    await Deno.writeTextFile(
      GRAPH,
      svgOf({
        title: `${minutes} minutes, ${going.viewers.sessions} sessions came and went`,
        unit: "MB",
        minutes,
        series: [
          { name: "memory of the process", color: "#2563eb", values: samples.map((s) => s.rssMb) },
          { name: "heap in use", color: "#d97706", values: samples.map((s) => s.heapMb) },
        ],
      }),
    );
    say("written: docs/soak.svg");
  }
  const bad = [
    ...(late > early * LEVEL ? [`memory grew from ${early} to ${late} MB`] : []),
    ...(staying.groups.lost > 0 ? [`${staying.groups.lost} groups were lost`] : []),
    ...(after.sessions > 0 ? [`${after.sessions} sessions are left`] : []),
  ];
  for (const problem of bad) say(`NOT IN ORDER: ${problem}`);
  return bad.length === 0 ? 0 : 1;
}

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "15" },
    churn: { type: "string", default: "60" },
    steady: { type: "string", default: "20" },
    write: { type: "boolean", default: false },
  },
});
Deno.exit(await soak(Number(values.minutes), values.churn, values.steady, values.write));
