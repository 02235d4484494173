import { QumoError, reasonOf, UsageError } from "../../base/errors.ts";
import { type Address, formatAddress } from "../../config/address.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { masked } from "../../base/masking.ts";
import { parseFlags, switchFlag } from "../shell/args.ts";
import { allFlags, commonFlags, CONFIG_FLAGS, configOf } from "../config/config_flags.ts";
import { print } from "../shell/output.ts";

const FLAGS = {
  ...CONFIG_FLAGS,
  ready: switchFlag("Ask whether new peers may come, not only whether it is alive."),
} as const;

export { FLAGS as flags };

const usageWith = (flags: string) =>
  `Usage: qumo-relay health [URL] [--ready] [--config FILE]

Asks the relay on this machine how it fares, for a container's health check. Without URL it asks
where the configuration says that the relay listens: admin.address, else the public HTTP.

  --ready  ${FLAGS.ready.about}

Examples:
  qumo-relay health
  qumo-relay health --ready --config /etc/qumo-relay/config.yaml
  qumo-relay health http://127.0.0.1:9090/ready

${flags}

Exit codes: 0 well, 1 not well or no answer, 2 the command line or the configuration is wrong.`;

export const usage = usageWith(commonFlags("health"));
export const fullUsage = usageWith(allFlags());

class Unhealthy extends QumoError {
  readonly code = "QUMO_UNHEALTHY";
}

/** A relay that takes longer to answer is unhealthy. In milliseconds. */
const ANSWER_MS = 3000;

export async function run(args: readonly string[]): Promise<number> {
  const parsed = parseFlags(args, FLAGS, { operands: ["URL"] });
  const [operand] = parsed.operands;
  const url = operand === undefined
    ? urlOf(await configOf(parsed), parsed.flags["ready"] === true)
    : urlFrom(operand);
  print(await ask(url));
  return 0;
}

function urlFrom(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`"${masked(text)}" is no URL like http://127.0.0.1:9090/health`);
  }
  if (url.pathname === "/") url.pathname = "/health";
  return url;
}

/** The health URL of a relay with this configuration. @throws {UsageError} It has none. */
export function urlOf({ config }: Pick<LoadedConfig, "config">, ready: boolean): URL {
  const { admin, server } = config;
  const address = admin.address ?? (server.http && !ready ? server.address : undefined);
  if (address === undefined || address.port === 0) {
    const what = address === undefined ? "admin.address is off" : "the port is chosen at the start";
    throw new UsageError(`The configuration does not say where to ask (${what}): give the URL`);
  }
  return new URL(ready ? "/ready" : "/health", `http://${formatAddress(reachable(address))}`);
}

/** For a server on all interfaces, the loopback address. */
function reachable({ hostname, port }: Address): Address {
  const own: Readonly<Record<string, string>> = { "::": "::1", "0.0.0.0": "127.0.0.1" };
  return { hostname: own[hostname] ?? hostname, port };
}

/** @throws {Unhealthy} */
async function ask(url: URL): Promise<string> {
  let status: number;
  let text: string;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS), redirect: "manual" });
    status = answer.status;
    text = (await answer.text()).trim();
  } catch (error) {
    throw new Unhealthy(`Cannot ask ${url.origin}${url.pathname}: ${masked(reasonOf(error))}`, {
      cause: error,
    });
  }
  if (status !== 200) throw new Unhealthy(`${url.origin}${url.pathname} says ${status}: ${text}`);
  return text;
}
