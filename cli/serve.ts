import { parseFlags } from "./args.ts";
import { CONFIG_FLAGS, configOf, describeConfigFlags } from "./config_flags.ts";
import { serveWith, type StartServer } from "./serve_with.ts";

export const usage = `Usage: qumo-relay [serve] [--config FILE] [--SECTION.KEY VALUE …]

Runs the relay until SIGINT or SIGTERM; a second signal ends it at once. With no file at all it
listens on UDP and TCP port 4433 with a certificate made for this machine.

${describeConfigFlags()}

Exit codes: 0 stopped, 1 could not start or failed, 2 the command line or the configuration is wrong.`;

// The one spot where the command meets the server; replaced by server/server.ts as it arrives.
const startServer: StartServer = () => Promise.reject(new Error("this build has no server yet"));

export async function run(args: readonly string[]): Promise<number> {
  const loaded = await configOf(parseFlags(args, CONFIG_FLAGS));
  return await serveWith(loaded, startServer);
}
