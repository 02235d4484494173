/**
 * A load run: `deno task bench:load [URL] [OPTIONS]`. The arguments go to `qumo-relay bench`, whose help
 * lists the options. Without a URL, a relay is started on this machine.
 */
import { MAIN, startRelay } from "../tests/support/program.ts";
import { V8_FLAGS } from "./ship/v8_flags.ts";

const isUrl = (arg: string) => /^\w+:\/\//.test(arg);

async function bench(args: readonly string[]): Promise<number> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", V8_FLAGS, MAIN, "bench", ...args],
  }).spawn().status;
  return code;
}

async function main(given: readonly string[]): Promise<number> {
  if (given.some(isUrl)) return await bench(given);
  await using relay = await startRelay(["--auth.anonymous", "true"], { runFlags: [V8_FLAGS] });
  return await bench([relay.url, "--pid", String(relay.process.pid), ...given]);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
