import { sleep } from "../../base/sleep.ts";
import { MAIN, startRelay } from "../../tests/support/program.ts";
import { V8_FLAGS } from "../ship/v8_flags.ts";
import type { Target } from "./fault.ts";

/** Starts the relay as users do, by itself. */
export function usualTarget(flags: readonly string[] = []): Promise<Target> {
  return startRelay(flags, { runFlags: [V8_FLAGS] });
}

/** Starts the relay with its standard error in a file. @param logDir Where the file is, which may get full. */
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
  const [port, admin, hash] = await startedLine(log);
  return {
    port,
    hash,
    url: `http://127.0.0.1:${port}/`,
    adminUrl: `http://${admin}`,
    async [Symbol.asyncDispose]() {
      try {
        process.kill("SIGKILL");
      } catch { // It has died.
      }
      await process.status;
      await Deno.remove(dir, { recursive: true });
    },
  };
}

async function startedLine(log: string): Promise<[port: number, admin: string, hash: string]> {
  for (let i = 0; i < 300; i++) {
    await sleep(100);
    const text = await Deno.readTextFile(log).catch(() => "");
    const line = text.split("\n").find((l) => l.includes('"message":"started"') && l.endsWith("}"));
    if (line === undefined) continue;
    const { listening, certificateSha256 } = JSON.parse(line);
    return [
      Number(/HTTP 127\.0\.0\.1:(\d+)/.exec(listening)![1]),
      /admin ([\d.:]+)/.exec(listening)![1]!,
      certificateSha256,
    ];
  }
  throw new Error(`the relay did not start: ${await Deno.readTextFile(log)}`);
}
