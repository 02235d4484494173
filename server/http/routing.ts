/**
 * Shared by both HTTP interfaces: routes for GET and HEAD, and facts about the client.
 *
 * @module
 */
import type { Context, Handler, Hono } from "hono";
import { isLoopback, unbracketed } from "../../config/address.ts";
import { pathOfUrl } from "../../wire/path.ts";
import type { HttpPeer } from "./http_listener.ts";

/** Whether the host of a request is a loopback name or address. DNS rebinding cannot fake one. */
function namesLoopback(c: Context): boolean {
  return isLoopback(unbracketed(new URL(c.req.url).hostname));
}

/** The client of a request. */
export const peerOf = (c: Context): HttpPeer => (c.env ?? {}) as HttpPeer;

/** Whether the client is on this machine and asks by a loopback name. */
export function isLocal(c: Context): boolean {
  const { remote = "" } = peerOf(c);
  return isLoopback(remote.replace(/^::ffff:/, "")) && namesLoopback(c);
}

const ALLOWED = "GET, HEAD, OPTIONS";

/** Serves paths for GET and HEAD. Other methods get 405. */
export function route(app: Hono, paths: readonly string[], handler: Handler): void {
  for (const path of paths) {
    app.get(path, handler);
    app.options(path, (c) => c.body(null, 204, { allow: ALLOWED }));
    app.all(path, (c) => c.text("method not allowed\n", 405, { allow: ALLOWED }));
  }
}

/** Segments of the path after the first `skip`, as they were sent. */
export function segments(c: Context, skip: number): string[] {
  return new URL(c.req.url).pathname.split("/").slice(skip + 1);
}

/** The broadcast path after the first segment; `undefined` when it is not a path. */
export function pathBehind(c: Context): string | undefined {
  return pathOfUrl(segments(c, 1).join("/"));
}
