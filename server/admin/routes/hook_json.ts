/**
 * A hook as the admin interface shows it.
 *
 * @module
 */
import type { HookJson } from "../../../admin/shapes.ts";
import type { Hook } from "../../hooks/hook.ts";

export function hookJson(hook: Hook): HookJson {
  const { config, waiting, underWay, stats, lastFailure } = hook;
  return {
    name: config.name,
    // The rest of a URL may hold a token, and arguments may be secret.
    url: config.url === undefined ? null : new URL(config.url).origin,
    command: config.command?.[0] ?? null,
    events: config.events,
    broadcasts: config.broadcasts,
    waiting,
    underWay,
    stats: { ...stats },
    lastFailure: lastFailure ?? null,
  };
}
