/**
 * A hook as the admin interface shows it.
 *
 * @module
 */
import type { HookEventName } from "../../../config/hook_list.ts";
import type { HookStats } from "../../../metrics/snapshot.ts";
import type { Hook } from "../../hooks/hook.ts";

/** A hook as `/api/v1/hooks` lists it. */
export interface HookJson {
  readonly name: string;
  /** Scheme, host and port alone: the rest may hold a token. `null` for a command. */
  readonly url: string | null;
  /** Its program alone: arguments may be secret. `null` for a webhook. */
  readonly command: string | null;
  readonly events: readonly HookEventName[];
  readonly broadcasts: readonly string[];
  /** Events that wait for their turn. */
  readonly waiting: number;
  /** Events that are being told now. */
  readonly underWay: number;
  readonly stats: HookStats;
  /** Why the last event could not be told; `null` once one was. */
  readonly lastFailure: string | null;
}

export function hookJson(hook: Hook): HookJson {
  const { config, waiting, underWay, stats, lastFailure } = hook;
  return {
    name: config.name,
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
