/**
 * Makes a fresh clone ready: fetches every npm package into Deno's cache, and says which programs are missing.
 * Exit code 0 even when some are missing: their tests are skipped then.
 */
import { codeFiles, ROOT } from "./module_graph.ts";
import { type Found, programs } from "../tests/support/require.ts";
import { optionalPrograms } from "../tests/support/optional.ts";
import { say } from "./say.ts";

async function cache(): Promise<number> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--quiet", ...await codeFiles()],
    cwd: ROOT,
  }).spawn().status;
  return code;
}

/** The report on the programs that tests drive, a line each. */
export function report(programs: readonly Found[], optional: readonly Found[]): string[] {
  const line = ({ name, path, hint }: Found) =>
    path === undefined ? `  missing  ${hint}` : `  ${name.padEnd(16)} ${path}`;
  const absent = programs.filter(({ path }) => path === undefined).length;
  return [
    "Programs that tests need:",
    ...programs.map(line),
    "Programs that a few tests use:",
    ...optional.map(line),
    absent === 0
      ? "Nothing that is needed is missing. Next: deno task dev, deno task test"
      : `Missing: ${absent}. The tests that need them are skipped. Next: deno task dev, deno task test`,
  ];
}

if (import.meta.main) {
  const code = await cache();
  if (code !== 0) Deno.exit(code);
  say("npm packages are in Deno's cache.");
  for (const line of report(programs(), optionalPrograms())) say(line);
}
