/**
 * `/health`, which both HTTP interfaces answer.
 *
 * @module
 */
import type { Handler } from "hono";
import { VERSION } from "../../base/version.ts";
import type { HealthJson } from "../../admin/shapes.ts";
import type { ServerView } from "../admin/server_view.ts";
import { parentsOf } from "../cluster/cluster_view.ts";

/** `ok`, or the JSON older installations expect when a client asks for `application/json`. */
export function health(view: ServerView): Handler {
  return (c) => {
    if (!(c.req.header("accept") ?? "").includes("application/json")) return c.text("ok\n");
    const { relay, cluster, startedAtMs } = view;
    const nowMs = relay.context.clock.wallMs();
    const parents = parentsOf(cluster);
    const connected = parents.connected > 0;
    const told: HealthJson = {
      status: parents.all.length > 0 && !connected ? "degraded" : "healthy",
      timestamp: new Date(nowMs).toISOString(),
      uptime: uptimeText(nowMs - startedAtMs),
      active_connections: relay.sessionCount,
      upstream_connected: connected,
      version: `v${VERSION}`,
    };
    return c.json(told);
  };
}

/** A duration as Go prints it, which readers of the older JSON parse: "1h2m3.5s". */
function uptimeText(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = `${Number((seconds % 60).toFixed(3))}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
