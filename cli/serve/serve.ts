import { parseFlags } from "../shell/args.ts";
import { allFlags, commonFlags, CONFIG_FLAGS, configOf } from "../config/config_flags.ts";
import { startServer } from "../../server/server.ts";
import { webAssets } from "../../web/build/web_assets.ts";
import { serveWith } from "./serve_with.ts";

export { CONFIG_FLAGS as flags };

const usageWith = (flags: string) =>
  `Usage: qumo-relay [serve] [--config FILE] [--SECTION.KEY VALUE …]

Runs the relay until SIGINT or SIGTERM; a second signal ends it at once. SIGHUP reads the
configuration again, as a change of the file does. With no file at all it
listens on UDP and TCP port 4433 with a certificate made for this machine.
A configuration that says nothing of auth gives everybody full access, and warns;
--auth.required true refuses clients without a token.

Examples:
  qumo-relay
  qumo-relay --config /etc/qumo-relay/config.yaml
  qumo-relay serve --server.address 127.0.0.1:4433 --logging.level debug

${flags}

Exit codes: 0 stopped, 1 could not start or failed, 2 the command line or the configuration is wrong.`;

export const usage = usageWith(commonFlags("serve"));
export const fullUsage = usageWith(allFlags());

export async function run(args: readonly string[]): Promise<number> {
  const load = () => configOf(parseFlags(args, CONFIG_FLAGS));
  return await serveWith(await load(), load, async (config, context) => {
    const assets = config.config.server.http ? await webAssets(context.logger) : undefined;
    const module = Deno.mainModule;
    return await startServer(config, {
      ...context,
      module,
      ...(assets === undefined ? {} : { assets }),
    });
  });
}
