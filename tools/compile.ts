/**
 * Makes the released binary: `deno compile` of main.ts with the page and everything it reads from beside itself. Options are passed
 * on: `deno task compile --target x86_64-pc-windows-msvc`.
 */
import { buildEntry } from "./build_web.ts";
import { type Module, reachable, readModules, ROOT } from "./module_graph.ts";
import { say } from "./say.ts";
import { V8_FLAGS } from "./v8_flags.ts";

/** Files that the program under `entry` opens by URL: workers and data, which `deno compile` cannot see. */
export function filesToInclude(modules: readonly Module[], entry: string): string[] {
  return [...new Set(reachable(modules, [entry]).flatMap(({ urls }) => urls))].sort();
}

/** Whether `deno compile` failed for want of its base binary, which it downloads on first use. */
export function lacksBaseBinary(stderr: string): boolean {
  return /Setting up base binary|denort/.test(stderr) && /error/i.test(stderr);
}

async function main(options: readonly string[]): Promise<number> {
  await buildEntry();
  const include = filesToInclude(await readModules(), "main.ts");
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["compile", "--allow-all", V8_FLAGS, "--output", "dist/qumo-relay"],
      ...include.flatMap((path) => ["--include", path]),
      ...options,
      "dist/main.ts",
    ],
    cwd: ROOT,
    stdout: "inherit",
    stderr: "piped",
  }).output();
  const text = new TextDecoder().decode(stderr);
  Deno.stderr.writeSync(stderr);
  if (code !== 0 && lacksBaseBinary(text)) {
    say("Cannot compile: `deno compile` downloads a base binary (denort) for the target on first");
    say("use, and that download failed. Run this where it can be reached, or set DENORT_BIN to a");
    say("denort of the same Deno version. `deno task bundle` needs no download: it makes one");
    say("JavaScript file that runs with `deno run -A --unstable-net qumo-relay.js`.");
  }
  return code;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
