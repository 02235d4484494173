import { formatAddress, isHostName, isIpv4, isIpv6, PUBLIC_PORT } from "../address.ts";
import type { Problem } from "../problems.ts";
import type { Given } from "./read_yaml.ts";
import { BY_FILE_PATH, type Setting, SETTINGS } from "../settings.ts";
import { distance } from "../../base/suggest.ts";

/** Environment variables by name. */
export type Variables = Readonly<Record<string, string>>;

/** Variables of an earlier media server, and the settings they stand for. */
export const RELAIS = {
  RELAIS_STORAGE_TYPE: "storage.type",
  RELAIS_STORAGE_REDIS_URL: "storage.redis_url",
  RELAIS_LOGGING_LEVEL: "logging.level",
} as const;

export interface EnvReading {
  readonly given: readonly Given[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

/**
 * Finds the settings in environment variables. An empty variable counts as absent: compose files and unit
 * files set unset variables to an empty text.
 *
 * The names of an earlier media server are accepted below the names of this one:
 * RELAIS_SERVER_HOST and RELAIS_SERVER_PORT together, and those of {@link RELAIS}.
 */
export function readEnv(variables: Variables): EnvReading {
  const given = new Map<Setting, Given>();
  const problems: Problem[] = [];
  const add = (setting: Setting, name: string, text: string) => {
    const origin = { kind: "env", name } as const;
    given.set(setting, { setting, path: setting.path, value: fromText(setting, text), origin });
  };

  for (const [name, path] of Object.entries(RELAIS)) {
    const text = variables[name];
    if (text) add(BY_FILE_PATH.get(path)!, name, text);
  }
  relaisAddress(variables, problems, (name, text) => {
    add(BY_FILE_PATH.get("server.address")!, name, text);
  });
  for (const setting of SETTINGS) {
    const text = variables[setting.env];
    if (text) add(setting, setting.env, text);
  }
  return { given: [...given.values()], problems, warnings: misspelt(variables) };
}

/** Converts a text of a flag or a variable to a value of a file. */
export function fromText(setting: Setting, text: string): unknown {
  switch (setting.kind) {
    case "number":
      return /^-?\d+$/.test(text.trim()) ? Number(text) : text;
    case "boolean":
      if (/^(true|yes|on|1)$/i.test(text)) return true;
      return /^(false|no|off|0)$/i.test(text) ? false : text;
    case "list":
      return text.split(",").map((part) => part.trim()).filter((part) => part !== "");
    case "text":
      return text;
  }
}

function relaisAddress(
  variables: Variables,
  problems: Problem[],
  add: (name: string, text: string) => void,
): void {
  const host = variables["RELAIS_SERVER_HOST"];
  const port = variables["RELAIS_SERVER_PORT"];
  const wrong = (name: string, message: string) =>
    problems.push({ origin: { kind: "env", name }, path: "server.address", message });

  if (host && !(isHostName(host) || isIpv4(host) || isIpv6(host))) {
    wrong("RELAIS_SERVER_HOST", `expected a host name or an IP address, got "${host}"`);
  } else if (port && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535)) {
    wrong("RELAIS_SERVER_PORT", `expected a port from 0 to 65535, got "${port}"`);
  } else if (host || port) {
    const address = { hostname: host || "::", port: port ? Number(port) : PUBLIC_PORT };
    add(host ? "RELAIS_SERVER_HOST" : "RELAIS_SERVER_PORT", formatAddress(address));
  }
}

/** Warns about variables that look like a misspelled setting. */
function misspelt(variables: Variables): string[] {
  const known = SETTINGS.map((setting) => setting.env);
  return Object.keys(variables).filter((name) => name.startsWith("QUMO_")).flatMap((name) => {
    if (known.includes(name)) return [];
    const near = known.find((candidate) => distance(name, candidate) <= 3);
    return near ? [`${name} is not a setting and does nothing; did you mean ${near}?`] : [];
  });
}
