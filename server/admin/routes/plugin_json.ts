/**
 * An instance of a plugin as the admin interface shows it.
 *
 * @module
 */
import { withoutSecrets } from "../../../base/masking.ts";
import type { PluginInstance } from "../../../plugins/host/instance.ts";
import type { PluginStats } from "../../../plugins/plugin.ts";

/** An instance as `/api/v1/plugins` lists it. */
export interface PluginJson {
  readonly name: string;
  /** `null` while that is not known: its module was not loaded yet. */
  readonly kind: string | null;
  readonly plugin: string | null;
  readonly module: string | null;
  readonly enabled: boolean;
  readonly state: "starting" | "running" | "failed" | "stopped";
  readonly reason: string | null;
  /** ISO 8601: when it came to be in this state. */
  readonly since: string;
  readonly restarts: number;
  readonly stats: PluginStats;
  /** Without what looks secret. */
  readonly options: unknown;
}

export function pluginJson({ spec, status, stats, kind, plugin }: PluginInstance): PluginJson {
  return {
    name: spec.name,
    kind: kind ?? null,
    plugin: plugin ?? null,
    module: spec.module ?? null,
    enabled: spec.enabled,
    state: status.state,
    reason: status.reason ?? null,
    since: new Date(status.sinceMs).toISOString(),
    restarts: status.restarts,
    stats: { ...stats },
    options: withoutSecrets(spec.options),
  };
}
