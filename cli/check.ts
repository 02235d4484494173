import { certificateHosts, loadCertificate } from "../config/certificate.ts";
import { exposuresOf } from "../config/exposure.ts";
import type { LoadedConfig } from "../config/load.ts";
import { TlsSetupError } from "../config/pem_pair.ts";
import { ConfigError, inOrder } from "../config/problems.ts";
import { checkHooks } from "../server/hooks/check.ts";
import { checkPlugins } from "../server/plugin_host.ts";
import { parseFlags } from "./args.ts";
import { allFlags, commonFlags, CONFIG_FLAGS, configOf } from "./config_flags.ts";
import { print, say } from "./output.ts";

export { CONFIG_FLAGS as flags };

const usageWith = (flags: string) =>
  `Usage: qumo-relay check [--config FILE]

Checks the configuration, the certificate files, the hooks and the plugins it names: their modules are
loaded, nothing is started. Prints "ok", or every problem with its
place; ends with code 2 when there is one.

Examples:
  qumo-relay check
  qumo-relay check --config /etc/qumo-relay/config.yaml

${flags}`;

export const usage = usageWith(commonFlags("check"));
export const fullUsage = usageWith(allFlags());

export async function run(args: readonly string[]): Promise<number> {
  const loaded = await configOf(parseFlags(args, CONFIG_FLAGS));
  const exposures = exposuresOf(loaded);
  await checkCertificate(loaded);
  const problems = [...await checkPlugins(loaded.plugins), ...await checkHooks(loaded.hooks)];
  if (problems.length > 0) {
    throw new ConfigError(loaded.file ?? "the configuration", inOrder(problems));
  }
  // Not a fault of what is there: the example and a file for development say nothing of it either.
  for (const { message } of exposures) say(`Warning: serve would not start: ${message}`);
  print("ok");
  return 0;
}

/** Files of the user are read; a certificate that would be made at the start is not made here. */
async function checkCertificate(loaded: LoadedConfig): Promise<void> {
  const { config } = loaded;
  const { certFile, keyFile, certDir, certHosts } = config.server;
  if (certFile === undefined) return;
  try {
    const hosts = certificateHosts(certHosts);
    const { warnings } = await loadCertificate({ certFile, keyFile, dir: certDir, hosts });
    for (const warning of warnings) say(`Warning: ${warning}`);
  } catch (error) {
    throw certificateProblems(error, loaded);
  }
}

/** What is wrong with a certificate, as a fault of the configuration with its place. */
export function certificateProblems(error: unknown, { settings, file }: LoadedConfig): unknown {
  if (!(error instanceof TlsSetupError)) return error;
  const problems = error.problems.map(({ setting, message }) => ({
    origin: settings.find((s) => s.setting.path === setting)!.origin,
    path: setting,
    message: message.replace(` (${setting})`, ""),
  }));
  return new ConfigError(file ?? "the configuration", problems, { cause: error });
}
