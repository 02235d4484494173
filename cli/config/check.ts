import { certificateHosts, loadCertificate } from "../../config/tls/certificate.ts";
import { accessWarning, exposuresOf } from "../../config/exposure.ts";
import { type Inspected, type LoadedConfig, problemsIn } from "../../config/load.ts";
import { checkPair, readPem, TlsSetupError } from "../../config/tls/pem_pair.ts";
import { reasonOf } from "../../base/errors.ts";
import { ConfigError, type Problem } from "../../config/problems.ts";
import { checkHooks } from "../../server/hooks/check.ts";
import { checkPlugins } from "../../server/plugins/plugin_host.ts";
import { parseFlags } from "../shell/args.ts";
import { allFlags, commonFlags, CONFIG_FLAGS, inspectOf } from "./config_flags.ts";
import { print, say } from "../shell/output.ts";

export { CONFIG_FLAGS as flags };

const usageWith = (flags: string) =>
  `Usage: qumo-relay check [--config FILE]

Checks the configuration, the certificate files, the hooks and the plugins it names: their modules are
loaded, nothing is started. Prints "ok", with a warning when everybody may publish and watch
without a token; or every problem with its place, and ends with code 2.

Examples:
  qumo-relay check
  qumo-relay check --config /etc/qumo-relay/config.yaml

${flags}`;

export const usage = usageWith(commonFlags("check"));
export const fullUsage = usageWith(allFlags());

export async function run(args: readonly string[]): Promise<number> {
  const inspected = await inspectOf(parseFlags(args, CONFIG_FLAGS));
  const { loaded, wrong } = inspected;
  const admin = [...wrong].some((path) => path.startsWith("admin."));
  const problems = [
    ...inspected.problems,
    ...(admin ? [] : exposuresOf(loaded)),
    ...await checkCertificate(inspected),
    ...await checkFurther(inspected),
    ...await checkPlugins(loaded.plugins),
    ...await checkHooks(loaded.hooks),
  ];
  if (problems.length > 0) throw problemsIn(loaded.file, problems);
  const warning = accessWarning(loaded.config);
  if (warning !== undefined) say(`Warning: ${warning}`);
  print("ok");
  return 0;
}

/** Checks the certificate files of the user. It does not make a certificate. */
async function checkCertificate({ loaded, wrong }: Inspected): Promise<readonly Problem[]> {
  const { certFile, keyFile, certDir, certHosts } = loaded.config.server;
  const known = !wrong.has("server.cert_file") && !wrong.has("server.key_file");
  if (!known || certFile === undefined || keyFile === undefined) return [];
  try {
    const hosts = certificateHosts(certHosts);
    const { warnings } = await loadCertificate({ certFile, keyFile, dir: certDir, hosts });
    for (const warning of warnings) say(`Warning: ${warning}`);
    return [];
  } catch (error) {
    const problem = certificateProblems(error, loaded);
    if (problem instanceof ConfigError) return problem.problems;
    throw problem;
  }
}

/** Checks the certificates for further host names. */
async function checkFurther({ loaded, wrong }: Inspected): Promise<readonly Problem[]> {
  const path = "server.certificates";
  if (wrong.has(path)) return [];
  const { origin } = loaded.settings.find(({ setting }) => setting.path === path)!;
  const problems: Problem[] = [];
  for (const pair of loaded.config.server.certificates) {
    const [cert = "", key = ""] = pair.split(" ");
    try {
      await checkPair(await readPem(cert), await readPem(key), { now: Date.now() });
    } catch (error) {
      problems.push({ origin, path, message: `${pair}: ${reasonOf(error)}` });
    }
  }
  return problems;
}

/** Problems of a certificate as problems of the configuration, with their places. */
export function certificateProblems(error: unknown, { settings, file }: LoadedConfig): unknown {
  if (!(error instanceof TlsSetupError)) return error;
  const problems = error.problems.map(({ setting, message }) => ({
    origin: settings.find((s) => s.setting.path === setting)!.origin,
    path: setting,
    message: message.replace(` (${setting})`, ""),
  }));
  return new ConfigError(file ?? "the configuration", problems, { cause: error });
}
