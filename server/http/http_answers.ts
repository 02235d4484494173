/**
 * What both HTTP interfaces share: routes that answer GET and HEAD alone, and the shapes of small answers.
 *
 * @module
 */
import type { Context, Handler, Hono } from "hono";
import { isLoopback, unbracketed } from "../../config/address.ts";
import type { HealthJson } from "../../admin/shapes.ts";
import type { ServerView } from "../admin/server_view.ts";
import { VERSION } from "../../base/version.ts";
import { pathOfUrl } from "../../wire/path.ts";

/** Whether a request names this machine alone: then no other site's name, made to lead here, is behind it (DNS rebinding). */
export function namesLoopback(c: Context): boolean {
  return isLoopback(unbracketed(new URL(c.req.url).hostname));
}

const ALLOWED = "GET, HEAD, OPTIONS";

/** Serves paths for GET and HEAD; other methods get 405. */
export function route(app: Hono, paths: readonly string[], handler: Handler): void {
  for (const path of paths) {
    app.get(path, handler);
    app.options(path, (c) => c.body(null, 204, { allow: ALLOWED }));
    app.all(path, (c) => c.text("method not allowed\n", 405, { allow: ALLOWED }));
  }
}

/** Segments of a request's path behind its first `skip`, as they were sent. */
export function segments(c: Context, skip: number): string[] {
  return new URL(c.req.url).pathname.split("/").slice(skip + 1);
}

/** The broadcast path behind the first segment of a request's path. @returns `undefined` when it is none. */
export function pathBehind(c: Context): string | undefined {
  return pathOfUrl(segments(c, 1).join("/"));
}

/** `ok`, or the JSON older installations expect when a client asks for `application/json`. */
export function health(view: ServerView): Handler {
  return (c) => {
    if (!(c.req.header("accept") ?? "").includes("application/json")) return c.text("ok\n");
    const { relay, upstream, startedAtMs } = view;
    const nowMs = relay.context.clock.wallMs();
    const connected = upstream?.state === "connected";
    return c.json(
      {
        status: upstream !== undefined && !connected ? "degraded" : "healthy",
        timestamp: new Date(nowMs).toISOString(),
        uptime: uptimeText(nowMs - startedAtMs),
        active_connections: relay.sessionCount,
        upstream_connected: connected,
        version: `v${VERSION}`,
      } satisfies HealthJson,
    );
  };
}

/** A duration as Go prints it, which readers of the older JSON parse: "1h2m3.5s". */
export function uptimeText(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = `${Number((seconds % 60).toFixed(3))}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
