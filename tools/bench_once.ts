/**
 * Runs the body of every benchmark once, in the order of `deno bench`. A benchmark that throws is found in seconds.
 * Exit code 0 if none throws.
 */
import { codeFiles, ROOT } from "./module_graph.ts";
import { say } from "./say.ts";
import { toFileUrl } from "./file_url.ts";

interface Body {
  readonly name: string;
  readonly group: string | undefined;
  readonly run: (bench: Deno.BenchContext) => void | Promise<void>;
}

/** The benchmarks of one file, sorted as Deno sorts them: by group, and groups by their first benchmark. */
export async function bodiesOf(file: string): Promise<Body[]> {
  const found: Body[] = [];
  const declared = Deno.bench;
  // `deno run` ignores benchmarks, so this collects them.
  Deno.bench = ((name: string, options: { group?: string }, run: Body["run"]) => {
    found.push({ name, group: options.group, run });
  }) as typeof Deno.bench;
  try {
    await import(toFileUrl(ROOT + file).href);
  } finally {
    Deno.bench = declared;
  }
  const groups = [...new Set(found.map(({ group }) => group))];
  return groups.flatMap((group) => found.filter((body) => body.group === group));
}

async function main(): Promise<number> {
  let failed = 0;
  for (const file of (await codeFiles()).filter((path) => path.endsWith("_bench.ts"))) {
    const bodies = await bodiesOf(file);
    for (const { name, group, run } of bodies) {
      try {
        await run({ name, origin: toFileUrl(ROOT + file).href, start() {}, end() {} });
      } catch (error) {
        failed++;
        say(`${file}: ${group ?? ""} ${name}: ${error}`);
      }
    }
    say(`${file}: ${bodies.length} ran`);
    if (bodies.length === 0) failed++;
  }
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
