/** Checks the imports of deno.json, and the packages that tests run, against the code and the README's table: `deno task packages`. */
import { type Module, readModules, ROOT } from "../module_graph.ts";
import { report } from "../say.ts";

/** The heading over the table in README.md. */
const HEADING = "## Packages and why";
/** Packages that tests start as separate programs, with a lock file of their own. */
const OUTSIDE = "tests/outside/packages.json";

export interface PackageRow {
  readonly name: string;
  readonly reason: string;
}

/** Rows of the table: "| `name` | where | why |". */
export function readTable(readme: string): PackageRow[] {
  const section = readme.split(`${HEADING}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(/^\| `([^`]+)` *\|[^|\n]*\|([^|\n]*)\|$/gm)]
    .map(([, name, reason]) => ({ name: name!, reason: reason!.trim() }));
}

/** What is wrong with the imports: unused, unpinned, twice, or without a reason in the table. */
export function packageProblems(
  imports: Readonly<Record<string, string>>,
  modules: readonly Module[],
  table: readonly PackageRow[],
): string[] {
  const problems: string[] = [];
  const used = new Set(modules.flatMap((m) => m.packages));
  const targets = new Map<string, string>();
  for (const [name, target] of Object.entries(imports)) {
    const [, npmName, version] = target.match(/^npm:(@?[^@]+)@(.+)$/) ?? [];
    if (!/^\d+\.\d+\.\d+$/.test(version ?? "")) {
      problems.push(`${name}: "${target}" is not pinned to one version`);
    }
    const twin = targets.get(npmName ?? target);
    if (twin !== undefined) problems.push(`${name}: the same package as ${twin}`);
    targets.set(npmName ?? target, name);
    if (![...used].some((u) => u === name || u.startsWith(`${name}/`))) {
      problems.push(`${name}: in deno.json, imported by no file`);
    }
    const rows = table.filter((row) => row.name === name);
    if (rows.length !== 1) problems.push(`${name}: ${rows.length} rows in README.md, one expected`);
    if (rows.some((row) => row.reason === "")) problems.push(`${name}: no reason in README.md`);
  }
  for (const { name } of table) {
    if (!(name in imports)) problems.push(`${name}: in README.md, not in deno.json`);
  }
  return problems;
}

/** The problems of this project. */
export async function ownPackageProblems(modules: readonly Module[]): Promise<string[]> {
  const manifest = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const readme = (await Deno.readTextFile(`${ROOT}README.md`)).replaceAll("\r\n", "\n");
  const outside = JSON.parse(await Deno.readTextFile(`${ROOT}${OUTSIDE}`));
  // Nobody imports these: tests start them.
  const run = { path: OUTSIDE, packages: Object.keys(outside) } as unknown as Module;
  const imports = { ...manifest.imports, ...outside };
  return [
    ...Object.keys(outside).filter((name) => name in manifest.imports)
      .map((name) => `${name}: in deno.json and in ${OUTSIDE}`),
    ...packageProblems(imports, [...modules, run], readTable(readme)),
  ];
}

if (import.meta.main) report("packages", await ownPackageProblems(await readModules()));
