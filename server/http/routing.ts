/**
 * What both HTTP interfaces share: routes for GET and HEAD alone, and what a request says of who asks.
 *
 * @module
 */
import type { Context, Handler, Hono } from "hono";
import { isLoopback, unbracketed } from "../../config/address.ts";
import { pathOfUrl } from "../../wire/path.ts";
import type { HttpPeer } from "./http_listener.ts";

/** Whether a request names this machine alone: then no other site's name, made to lead here, is behind it (DNS rebinding). */
export function namesLoopback(c: Context): boolean {
  return isLoopback(unbracketed(new URL(c.req.url).hostname));
}

/** Who asks. */
export const peerOf = (c: Context): HttpPeer => (c.env ?? {}) as HttpPeer;

/** Whether this machine asks, by a name that nobody else has. */
export function isLocal(c: Context): boolean {
  const { remote = "" } = peerOf(c);
  return isLoopback(remote.replace(/^::ffff:/, "")) && namesLoopback(c);
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
