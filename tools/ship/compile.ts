/**
 * Makes the released binary: `deno compile` of the bundle, which has the page and the packages inside. Options are passed on:
 * `deno task compile --target x86_64-pc-windows-msvc`. With `--no-bundle` it takes the bundle that is there.
 *
 * It compiles the bundle, not main.ts: `deno compile` includes every file of every npm package and parses each as a program.
 * Deno 2.9.6 overflows its stack on `test/perf/100k` of bintrees 1.0.2, which prom-client needs: 200,000 lines of numbers, which
 * JavaScript reads as one sum. The bundle also serves as the worker: each worker runs the same file.
 */
import { ROOT } from "../module_graph.ts";
import { PERMISSIONS } from "./permissions.ts";
import { say } from "../say.ts";
import { V8_FLAGS } from "./v8_flags.ts";

/** Whether `deno compile` failed because its base binary is missing, which it downloads on first use. */
export function lacksBaseBinary(stderr: string): boolean {
  return /Setting up base binary|denort/.test(stderr) && /error/i.test(stderr);
}

async function deno(args: readonly string[], stderr: "inherit" | "piped") {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    stdout: "inherit",
    stderr,
  });
  const child = command.spawn();
  return stderr === "piped"
    ? await child.output()
    : { code: (await child.status).code, stderr: new Uint8Array() };
}

async function main(options: readonly string[]): Promise<number> {
  if (!options.includes("--no-bundle")) {
    const bundle = await deno(["task", "--quiet", "bundle"], "inherit");
    if (bundle.code !== 0) return bundle.code;
  }
  const passedOn = options.filter((option) => option !== "--no-bundle");
  const { code, stderr } = await deno([
    "compile",
    ...PERMISSIONS,
    // Which programs it starts is not known here: a hook's command, and for `bench` the binary itself.
    "--allow-run",
    ...["--no-prompt", "--unstable-net", "--no-config", "--no-lock", V8_FLAGS],
    ...["--output", "dist/qumo-relay", ...passedOn, "dist/qumo-relay.js"],
  ], "piped");
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
