/**
 * Settings that take effect while the server runs, and the difference between the configuration in use and a new one.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import type { LoadedConfig } from "../config/load.ts";
import type { PluginConfig } from "../config/plugin_list.ts";
import type { Config } from "../config/schema.ts";
import { SETTINGS } from "../config/settings.ts";
import { specOf } from "./plugins/plugin_host.ts";

/** Sections and settings that take effect at a reload. All others need a restart. */
const LIVE: ReadonlySet<string> = new Set([
  "admin.cors_origins",
  "auth",
  "cluster.backoff_max",
  "cluster.backoff_min",
  "cluster.ca_file",
  "cluster.cost",
  "cluster.idle_timeout",
  "cluster.keep_alive",
  "cluster.nodes",
  "cluster.region_cost",
  "cluster.secret_file",
  "cluster.token_file",
  "limits",
  "logging.level",
  "relay.max_age",
  "relay.max_group_bytes",
  "relay.upstream_backoff_max",
  "relay.upstream_backoff_min",
  "relay.upstream_ca_file",
  "relay.upstream_hash",
  "relay.upstream_url",
  "server.capacity_cpu",
  "server.capacity_mbps",
  "server.capacity_sessions",
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

/** The result of a reload. */
export interface ReloadOutcome {
  /** Settings that have changed, by path; also "plugins", "hooks" and "certificate". */
  readonly applied: readonly string[];
  /** Settings that have changed and need a restart. */
  readonly needsRestart: readonly string[];
}

const hooksOf = ({ hooks }: LoadedConfig) => hooks.map(({ hook }) => hook);

/** The differences between the configuration in use and the one that was read. */
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

/** The configuration in use after a reload: live settings of `read`, the rest as before. */
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
