import { VERSION } from "../base/version.ts";
import { parseFlags } from "./shell/args.ts";
import { print } from "./shell/output.ts";

export const usage = `Usage: qumo-relay version

Prints the versions of the relay and of what it runs on.

Examples:
  qumo-relay version`;

export function run(args: readonly string[]): Promise<number> {
  parseFlags(args, {});
  print(`qumo-relay ${VERSION} (deno ${Deno.version.deno}, ${Deno.build.target})`);
  return Promise.resolve(0);
}
