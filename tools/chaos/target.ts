import { killed } from "../../tests/support/borrowed.ts";
import { sleep } from "../../base/sleep.ts";
import { MAIN, startedIn, startRelay } from "../../tests/support/program.ts";
import { V8_FLAGS } from "../ship/v8_flags.ts";
import type { Target } from "./fault.ts";

/** Starts the relay in its own process, as users do. */
export function usualTarget(flags: readonly string[] = []): Promise<Target> {
  return startRelay(flags, { runFlags: [V8_FLAGS] });
}

/** Starts the relay with its standard error in a file. @param logDir The folder of the file. It may get full. */
export async function targetWithLog(logDir: string, flags: readonly string[]): Promise<Target> {
  const dir = await Deno.makeTempDir({ prefix: "qumo-relay-chaos-" });
  const log = `${logDir}/log`;
  const args = [
    ...["serve", "--server.address", "127.0.0.1:0", "--admin.address", "127.0.0.1:0"],
    ...["--server.cert_dir", dir, "--logging.format", "json", ...flags],
  ];
  const process = new Deno.Command("sh", {
    args: [
      ...["-c", 'log=$1; shift; exec "$@" 2>"$log"', "sh", log],
      ...[Deno.execPath(), "run", "-A", V8_FLAGS, MAIN, ...args],
    ],
    stdin: "null",
    stdout: "null",
  }).spawn();
  const started = await startedLine(log);
  return {
    ...started,
    async [Symbol.asyncDispose]() {
      await killed(process);
      await Deno.remove(dir, { recursive: true });
    },
  };
}

async function startedLine(log: string) {
  for (let i = 0; i < 300; i++) {
    await sleep(100);
    const started = startedIn(await Deno.readTextFile(log).catch(() => ""));
    if (started !== undefined) return started;
  }
  throw new Error(`the relay did not start: ${await Deno.readTextFile(log)}`);
}
