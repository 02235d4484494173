/**
 * Which settings take effect while the server runs, and what a configuration that was read again changes of the one in use.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import type { LoadedConfig } from "../config/load.ts";
import type { PluginConfig } from "../config/plugin_list.ts";
import type { Config } from "../config/schema.ts";
import { SETTINGS } from "../config/settings.ts";
import { specOf } from "./plugins/plugin_host.ts";

/** Sections and settings that are live; all others need a restart. */
const LIVE: ReadonlySet<string> = new Set([
  "admin.cors_origins",
  "auth",
  "limits",
  "logging.level",
  "relay.max_age",
  "relay.max_group_bytes",
  "server.cert_dir",
  "server.cert_file",
  "server.cert_hosts",
  "server.certificates",
  "server.cors_origins",
  "server.drain_timeout",
  "server.goaway_uri",
  "server.handshake_timeout",
  "server.http_keep_alive",
  "server.key_file",
  "server.write_timeout",
]);

/** Whether a setting takes effect while the server runs. @param path As in a file: "server.address". */
export function isLive(path: string): boolean {
  return LIVE.has(path) || LIVE.has(path.split(".")[0]!);
}

/** What has come of reading the configuration again. */
export interface ReloadOutcome {
  /** Settings that are in use now, by path; "plugins", "hooks" and "certificate" where these were replaced. */
  readonly applied: readonly string[];
  /** Settings that differ from those in use and take effect after a restart. */
  readonly needsRestart: readonly string[];
}

const hooksOf = ({ hooks }: LoadedConfig) => hooks.map(({ hook }) => hook);

/** What differs between the configuration in use and one that was read. */
export function compareConfigs(used: LoadedConfig, read: LoadedConfig): ReloadOutcome {
  const changed = SETTINGS.filter((setting) =>
    !isDeepStrictEqual(valueOf(used.config, setting), valueOf(read.config, setting))
  ).map(({ path }) => path);
  const specs = (plugins: readonly PluginConfig[]) => plugins.map(specOf);
  return {
    applied: [
      ...changed.filter(isLive),
      ...(isDeepStrictEqual(specs(used.plugins), specs(read.plugins)) ? [] : ["plugins"]),
      ...(isDeepStrictEqual(hooksOf(used), hooksOf(read)) ? [] : ["hooks"]),
    ],
    needsRestart: changed.filter((path) => !isLive(path)),
  };
}

/** The configuration in use once `read` is: what is live of it, the rest as before. */
export function inUse(used: LoadedConfig, read: LoadedConfig): LoadedConfig {
  const sections: Record<string, Record<string, unknown>> = {};
  for (const setting of SETTINGS) {
    const { config } = isLive(setting.path) ? read : used;
    (sections[setting.section] ??= {})[setting.name] = valueOf(config, setting);
  }
  return {
    ...read,
    config: sections as unknown as Config, // the schema declares exactly these sections and names
    settings: read.settings.map((now, i) => isLive(now.setting.path) ? now : used.settings[i]!),
  };
}

function valueOf(config: Config, { section, name }: { section: string; name: string }): unknown {
  return (config as unknown as Record<string, Record<string, unknown>>)[section]![name];
}
