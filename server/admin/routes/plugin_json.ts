/**
 * An instance of a plugin as the admin interface shows it.
 *
 * @module
 */
import type { PluginJson } from "../../../admin/shapes.ts";
import { withoutSecrets } from "../../../base/masking.ts";
import type { PluginInstance } from "../../../plugins/host/instance.ts";

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
    options: withoutSecrets(spec.options) as PluginJson["options"], // an object stays one
  };
}
